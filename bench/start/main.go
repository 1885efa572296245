//go:build linux

// Command start measures how long the gateway's program takes to start, beside a Go
// program that does nothing, in turns. ../README.md has its flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// readyTarget is that of the median until "stagedoor dev" is ready.
const readyTarget = 40 * time.Millisecond

// options are the command's flags.
type options struct {
	command.Options
	times int
}

func main() {
	o := &options{}
	flag.IntVar(&o.times, "times", 30, "how often each is started, after one start that is not counted")
	o.GatewayFlag(flag.CommandLine)
	o.BeforeFlag(flag.CommandLine)
	o.UpdateFlag(flag.CommandLine)
	command.Parse(flag.CommandLine, os.Args[1:])
	command.Main("start", func(ctx context.Context) error { return run(ctx, o) })
}

// start is a way to start a program. It returns the time until the program has ended,
// or is ready, and the processor time that it has used until then.
type start struct {
	name   string
	target time.Duration
	do     func(ctx context.Context) (took, cpu time.Duration, err error)
}

func run(ctx context.Context, o *options) error {
	if o.times < 1 {
		return errors.New("-times must be at least 1")
	}
	return o.Run("start", func(l *lab.Lab) (string, error) {
		starts, err := ways(ctx, l, o)
		if err != nil {
			return "", err
		}
		return measure(ctx, starts, o.times)
	})
}

// measure starts in all ways, in turns, and returns a table.
func measure(ctx context.Context, starts []start, times int) (string, error) {
	took, cpu := make([]report.Series, len(starts)), make([]report.Series, len(starts))
	for round := range times + 1 {
		for i, s := range starts {
			wall, used, err := s.do(ctx)
			if err != nil {
				return "", fmt.Errorf("%s: %w", s.name, err)
			}
			took[i].Name, took[i].Target, cpu[i].Name = s.name, s.target, s.name+": processor time"
			if round > 0 {
				took[i].Times, cpu[i].Times = append(took[i].Times, wall), append(cpu[i].Times, used)
			}
		}
	}
	return report.SeriesTable(append(took, cpu...)), nil
}

// ways are what is measured.
func ways(ctx context.Context, l *lab.Lab, o *options) ([]start, error) {
	empty := filepath.Join(l.Folder, "empty")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", empty, "./start/empty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the empty program: %w\n%s", err, output)
	}
	gateway, err := l.Gateway(ctx)
	if err != nil {
		return nil, err
	}
	starts := []start{{"an empty Go program", 0, ending(empty)}}
	for _, program := range []string{gateway, o.Before} {
		if program == "" {
			continue
		}
		name := ""
		if program == o.Before {
			name = ", before"
		}
		starts = append(starts,
			start{"stagedoor version" + name, 0, ending(program, "version")},
			start{"stagedoor dev, a function" + name, readyTarget, getting(l, program, "../examples/chat")},
			start{"stagedoor dev, an HTTP backend" + name, readyTarget, getting(l, program, "gateway/template.yaml", "--parameter", "Backend=http://127.0.0.1:9")},
		)
	}
	return starts, nil
}

// ending starts a program that ends by itself.
func ending(command ...string) func(context.Context) (took, cpu time.Duration, err error) {
	return func(ctx context.Context) (took, cpu time.Duration, err error) {
		program := exec.CommandContext(ctx, command[0], command[1:]...)
		began := time.Now()
		if err := program.Run(); err != nil {
			return 0, 0, err
		}
		return time.Since(began), program.ProcessState.UserTime() + program.ProcessState.SystemTime(), nil
	}
}

// getting starts "stagedoor dev" until it prints that it is ready.
func getting(l *lab.Lab, program string, arguments ...string) func(context.Context) (took, cpu time.Duration, err error) {
	return func(ctx context.Context) (took, cpu time.Duration, err error) {
		p, err := l.Start(ctx, process.Spec{
			Name: "stagedoor dev", Command: append([]string{program, "dev", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, arguments...),
		})
		if err != nil {
			return 0, 0, err
		}
		defer p.Stop()
		cpu, err = running(p.PID)
		return p.Took, cpu, err
	}
}

// running is how long the threads of a process have been on a processor.
func running(pid int) (time.Duration, error) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid)) // the pattern is a good one
	var total time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		ran, _, _ := strings.Cut(string(text), " ")
		nanoseconds, err := time.ParseDuration(ran + "ns")
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		total += nanoseconds
	}
	return total, nil
}
