//go:build linux

// Command growth measures how what a message costs, and what an open connection
// takes, grow with connections, the size of messages, routes and stages. README.md
// says how.
package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/plot"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// options are the command's flags.
type options struct {
	command.Options
	rounds rounds.Options
	settle time.Duration // how long memory must not shrink to count as settled
	figure string        // file for the plot; empty: none
}

func main() {
	o := &options{rounds: rounds.Options{Rounds: 3, Warmup: 200 * time.Millisecond, Duration: 700 * time.Millisecond}}
	o.rounds.Flags(flag.CommandLine)
	flag.DurationVar(&o.settle, "settle", 10*time.Second, "memory is read when it has not shrunk for this long")
	o.GatewayFlag(flag.CommandLine)
	o.UpdateFlag(flag.CommandLine)
	flag.StringVar(&o.figure, "figure", "", "`file` for the plot, an SVG")
	command.Parse(flag.CommandLine, os.Args[1:])
	command.Main("growth", func(ctx context.Context) error { return run(ctx, o) })
}

// run measures all points, and draws them where -figure says.
func run(ctx context.Context, o *options) error {
	if err := errors.Join(o.rounds.Check(), lab.RaiseFileLimit(uint64(len(points())*idle+1000))); err != nil {
		return err
	}
	return o.Run("growth", func(l *lab.Lab) (string, error) {
		list, err := measure(ctx, l, o)
		if err != nil {
			return "", err
		}
		if o.figure != "" {
			err = os.WriteFile(o.figure, []byte(plot.Draw(charts(list), 2, 420)), 0o644)
		}
		return table(list), err
	})
}
