//go:build linux

// Command overload sends a gateway ten times what it can do, and measures what other
// clients see meanwhile and afterwards, and the gateway's memory. README.md says how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/plot"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// options are the command's flags.
type options struct {
	times       float64       // what is sent, in parts of what the gateway can do
	connections int           // that send it
	probes      int           // other clients
	before      time.Duration // of calm
	during      time.Duration // of overload
	after       time.Duration // of calm
	memory      int64         // MiB that the gateway may take
	binary      string
	update      string
	figure      string
}

func main() {
	o := &options{}
	flag.Float64Var(&o.times, "times", 10, "what is sent, in parts of what the gateway can do")
	flag.IntVar(&o.connections, "connections", 50, "that send it")
	flag.IntVar(&o.probes, "probes", 20, "other clients, which send a message every 20 ms at most")
	flag.DurationVar(&o.before, "before", 5*time.Second, "time without overload, before")
	flag.DurationVar(&o.during, "during", 20*time.Second, "time of overload")
	flag.DurationVar(&o.after, "after", 10*time.Second, "time without overload, afterwards")
	flag.Int64Var(&o.memory, "memory", 256, "limits.memory of the gateway, in `MiB`")
	flag.StringVar(&o.binary, "gateway", "", "the gateway's `program` (default: it is built from this repository)")
	flag.StringVar(&o.update, "update", "", "`document` to put the table in")
	flag.StringVar(&o.figure, "figure", "", "`file` for the plot, an SVG")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "overload:", err)
		os.Exit(1)
	}
}

// run measures, prints, and puts the results where the flags say.
func run(ctx context.Context, o *options) error {
	if o.times <= 0 || o.connections < 1 || o.probes < 1 {
		return errors.New("-times, -connections and -probes must be more than 0")
	}
	l, err := lab.New(o.binary)
	if err != nil {
		return err
	}
	defer l.Close()
	result := lab.Describe() + "\n"
	fmt.Println(result)
	m, err := measure(ctx, l, o)
	if err != nil {
		return err
	}
	table := m.table()
	fmt.Println(table)
	if o.figure != "" {
		if err := os.WriteFile(o.figure, []byte(plot.Draw(m.charts(), 1, 840)), 0o644); err != nil {
			return err
		}
	}
	if o.update == "" {
		return nil
	}
	return report.Update(o.update, "overload", result+"\n"+table)
}
