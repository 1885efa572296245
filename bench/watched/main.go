//go:build linux

// Command watched measures what it costs that a gateway is watched: access logs,
// execution logs, metrics that are collected, traces. The same gateway serves the same
// API with each of them and without; all take turns in one run, and what is printed are
// medians.
package main

import (
	"context"
	"flag"
	"os"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// options are the command's flags.
type options struct {
	command.Options
	counts command.Counts // connections
	rounds rounds.Options
}

func main() {
	o := &options{
		counts: command.Counts{100},
		rounds: rounds.Options{Rounds: 9, Warmup: 300 * time.Millisecond, Duration: 1500 * time.Millisecond},
	}
	flag.Var(&o.counts, "connections", "`numbers` of connections, separated by commas")
	o.rounds.Flags(flag.CommandLine)
	o.GatewayFlag(flag.CommandLine)
	o.UpdateFlag(flag.CommandLine)
	command.Parse(flag.CommandLine, os.Args[1:])
	command.Main("watched", func(ctx context.Context) error { return run(ctx, o) })
}

func run(ctx context.Context, o *options) error {
	if err := o.rounds.Check(); err != nil {
		return err
	}
	return o.Run("watched", func(l *lab.Lab) (string, error) {
		w, err := start(ctx, l)
		if err != nil {
			return "", err
		}
		defer w.close()
		return rounds.Messages.Contest(ctx, o.rounds, w.systems, o.counts)
	})
}
