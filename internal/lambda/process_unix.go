//go:build unix

package lambda

import (
	"os/exec"
	"syscall"
)

// processGroup is a child and all processes that it started and that have not
// left its process group.
type processGroup struct{ id int }

// startGroup starts the command as the leader of a group of its own, so that
// a Ctrl-C in the terminal reaches the gateway alone.
func startGroup(command *exec.Cmd) (*processGroup, error) {
	command.SysProcAttr = groupAttributes()
	if err := command.Start(); err != nil {
		return nil, err
	}
	return &processGroup{id: command.Process.Pid}, nil
}

func (g *processGroup) terminate() { syscall.Kill(-g.id, syscall.SIGTERM) }

func (g *processGroup) kill() { syscall.Kill(-g.id, syscall.SIGKILL) }

func (g *processGroup) release() {}
