package main

import (
	"fmt"
	"runtime"
)

// version is set by the build: -ldflags "-X main.version=v1.2.3".
var version = "development"

// VersionCmd is "stagedoor version".
type VersionCmd struct{}

// Run prints the version, the platform, and the version of Go.
func (VersionCmd) Run(p *process) error {
	_, err := fmt.Fprintf(p.stdout, "stagedoor %s %s/%s %s\n", version, runtime.GOOS, runtime.GOARCH, runtime.Version())
	return err
}
