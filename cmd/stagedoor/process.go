package main

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/overload"
)

// process has everything that the command line uses of the operating system, so
// that a test can run a command in its own process, with other streams.
type process struct {
	args       []string // without the program's name
	env        func(name string) string
	environ    []string // the whole environment, NAME=value
	stdin      io.Reader
	stdout     io.Writer
	stderr     io.Writer
	isTerminal func(stream any) bool
	// whole is set if the command has the operating system's process for
	// itself, and may use its children, its parent and its signals, and decide
	// about its memory.
	whole bool
}

// newProcess returns the process of the operating system.
func newProcess() *process {
	return &process{
		args:       os.Args[1:],
		env:        os.Getenv,
		environ:    os.Environ(),
		stdin:      os.Stdin,
		stdout:     os.Stdout,
		stderr:     os.Stderr,
		isTerminal: isTerminal,
		whole:      true,
	}
}

// isTerminal reports whether a stream is a file that is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// width is how many columns the terminal has that a stream is; 0: it is none.
func (p *process) width(stream any) int {
	file, ok := stream.(*os.File)
	if !ok || !p.isTerminal(stream) {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// color reports whether output to a stream should be coloured: on a terminal
// that has colours, unless NO_COLOR is set.
func (p *process) color(stream any) bool {
	return p.isTerminal(stream) && p.env("NO_COLOR") == "" && p.env("TERM") != "dumb"
}

// reclaim has memory that is free be given back to the system until stop is called.
func (p *process) reclaim(ctx context.Context) (stop func()) {
	if !p.whole {
		return func() {}
	}
	return lifetime.Start(ctx, overload.Reclaim).Stop
}
