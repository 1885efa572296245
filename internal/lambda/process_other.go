//go:build !linux

package lambda

import "os/exec"

// starter starts child processes. Only on Linux does it matter which thread
// does that.
type starter struct{}

func newStarter() *starter { return &starter{} }

func (*starter) start(command *exec.Cmd) (*processGroup, error) { return startGroup(command) }

func (*starter) close() {}
