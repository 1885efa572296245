//go:build linux

// Command watched measures what it costs that a gateway is watched: access logs,
// execution logs, metrics that are collected, traces. The same gateway serves the same
// API with each of them and without; all take turns in one run, and what is printed are
// medians.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/report"
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
		return table(ctx, o, w.systems)
	})
}

// table measures the systems, of which the first is what the others are compared with.
func table(ctx context.Context, o *options, systems []rounds.System) (string, error) {
	rows := [][]string{{"Connections", "Watched by", "Messages/s", "Of unwatched", "p50", "p99", "CPU/message", "Of unwatched's", "Load"}}
	for _, count := range o.counts {
		results, err := rounds.Take(ctx, o.rounds, systems, count)
		if err != nil {
			return "", err
		}
		if _, err := rounds.Failed(results); err != nil {
			return "", err
		}
		for i := range results {
			r, m := &results[i], results[i].Median()
			rows = append(rows, []string{
				fmt.Sprint(count), r.System, report.Thousands(m.Rate), fmt.Sprintf("%.2f", r.Share(&results[0])),
				report.Duration(m.P50), report.Duration(m.P99), report.Duration(m.Server), fmt.Sprintf("%.2f", r.ServerShare(&results[0])), r.Load,
			})
		}
	}
	return report.Table(rows), nil
}
