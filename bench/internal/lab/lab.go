//go:build linux

// Package lab builds and runs the programs of a measurement, in a folder of their
// own that goes when it is over. Commands that use it run in the folder of this
// module.
package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// Lab is the programs of a measurement. It is used by one goroutine.
type Lab struct {
	Folder string // of this run: programs, logs, data

	gateway string // its program; empty: it is not built yet
	running []*process.Process
}

// New makes a lab for a gateway's program; where that is empty, it is built from
// this repository when it is needed. Close must be called.
func New(gateway string) (*Lab, error) {
	folder, err := os.MkdirTemp("", "stagedoor-bench-")
	if err != nil {
		return nil, fmt.Errorf("folder of this run: %w", err)
	}
	return &Lab{Folder: folder, gateway: gateway}, nil
}

// Close ends what runs, the last first, and removes the folder.
func (l *Lab) Close() {
	for i := len(l.running) - 1; i >= 0; i-- {
		l.running[i].Stop()
	}
	_ = os.RemoveAll(l.Folder)
}

// Start runs a program until Close, unless it is stopped before, and returns when
// it is ready. Its log goes to the lab's folder.
func (l *Lab) Start(ctx context.Context, s process.Spec) (*process.Process, error) {
	s.LogDir = l.Folder
	p, err := process.Start(ctx, s)
	if err == nil {
		l.running = append(l.running, p)
	}
	return p, err
}

// Gateway is the gateway's program, built the way that releases are.
func (l *Lab) Gateway(ctx context.Context) (string, error) {
	if l.gateway != "" {
		return l.gateway, nil
	}
	path, err := l.build(ctx, "..", "./cmd/stagedoor")
	if err == nil {
		l.gateway = path
	}
	return path, err
}

// build builds a program with a package's path in a module's folder.
func (l *Lab) build(ctx context.Context, module, name string) (string, error) {
	path := filepath.Join(l.Folder, filepath.Base(name))
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, name)
	build.Dir = module
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, output)
	}
	return path, nil
}

// RaiseFileLimit makes room for open files; the programs that are started inherit
// it. Beyond the hard limit that takes root.
func RaiseFileLimit(need uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	limit.Cur, limit.Max = max(limit.Cur, need), max(limit.Max, need)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%d open files are needed (ulimit -n), or fewer connections: %w", need, err)
	}
	return nil
}
