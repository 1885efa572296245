package lambda

import (
	"bytes"
	"context"
	"os/exec"
	"time"
)

// runTool runs a program of the developer's machine, such as go or npm, and
// returns all it printed. When ctx ends, the tool and what it started end.
func (h *Host) runTool(ctx context.Context, dir string, env []string, path string, args ...string) (string, error) {
	var output bytes.Buffer
	command := exec.Command(path, args...)
	command.Dir, command.Env = dir, env
	command.Stdout, command.Stderr = &output, &output
	command.WaitDelay = time.Second
	group, err := h.starter.start(command)
	if err != nil {
		return "", err
	}
	defer group.release()
	stop := context.AfterFunc(ctx, group.kill)
	err = command.Wait()
	stop()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return output.String(), err
}
