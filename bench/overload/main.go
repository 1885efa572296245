//go:build linux

// Command overload sends a gateway ten times what it can do, and measures what other
// clients see meanwhile and afterwards, and the gateway's memory. README.md says how.
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
)

// options are the command's flags.
type options struct {
	common      command.Options
	times       float64       // what is sent, in parts of what the gateway can do
	connections int           // that send it
	probes      int           // other clients
	before      time.Duration // of calm
	during      time.Duration // of overload
	after       time.Duration // of calm
	memory      int64         // MiB that the gateway may take
	figure      string        // file for the plot; empty: none
}

func main() {
	o := &options{}
	flag.Float64Var(&o.times, "times", 10, "what is sent, in parts of what the gateway can do")
	flag.IntVar(&o.connections, "connections", 50, "connections that send it")
	flag.IntVar(&o.probes, "probes", 20, "other clients, which send a message every 20 ms at most")
	flag.DurationVar(&o.before, "before", 5*time.Second, "time without overload, before")
	flag.DurationVar(&o.during, "during", 20*time.Second, "time of overload")
	flag.DurationVar(&o.after, "after", 10*time.Second, "time without overload, afterwards")
	flag.Int64Var(&o.memory, "memory", 256, "limits.memory of the gateway, in `MiB`")
	o.common.GatewayFlag(flag.CommandLine)
	o.common.UpdateFlag(flag.CommandLine)
	flag.StringVar(&o.figure, "figure", "", "`file` for the plot, an SVG")
	command.Parse(flag.CommandLine, os.Args[1:])
	command.Main("overload", func(ctx context.Context) error { return run(ctx, o) })
}

// run measures, and draws what was seen where -figure says.
func run(ctx context.Context, o *options) error {
	if o.times <= 0 || o.connections < 1 || o.probes < 1 {
		return errors.New("-times, -connections and -probes must be more than 0")
	}
	return o.common.Run("overload", func(l *lab.Lab) (string, error) {
		m, err := measure(ctx, l, o)
		if err != nil {
			return "", err
		}
		if o.figure != "" {
			err = os.WriteFile(o.figure, []byte(plot.Draw(m.charts(), 1, 840)), 0o644)
		}
		return m.table(), err
	})
}
