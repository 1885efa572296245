//go:build linux

// Command growth measures how what a message costs, and what an open connection
// takes, grow with connections, the size of messages, routes and stages. README.md
// says how.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/plot"
	"github.com/stagedoor/stagedoor/bench/internal/report"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// options are the command's flags.
type options struct {
	rounds         rounds.Options
	settle         time.Duration // how long memory must not shrink to count as settled
	binary         string
	update, figure string
}

func main() {
	o := &options{}
	flag.IntVar(&o.rounds.Rounds, "rounds", 3, "how often each point is measured, after a round that is not counted")
	flag.DurationVar(&o.rounds.Warmup, "warmup", 200*time.Millisecond, "time before counting, each round")
	flag.DurationVar(&o.rounds.Duration, "duration", 700*time.Millisecond, "time of counting, each round")
	flag.DurationVar(&o.settle, "settle", 10*time.Second, "memory is read when it has not shrunk for this long")
	flag.StringVar(&o.binary, "gateway", "", "the gateway's `program` (default: it is built from this repository)")
	flag.StringVar(&o.update, "update", "", "`document` to put the table in")
	flag.StringVar(&o.figure, "figure", "", "`file` for the plot, an SVG")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

// run measures, prints, and puts the results where the flags say.
func run(ctx context.Context, o *options) error {
	if err := lab.RaiseFileLimit(uint64(len(points())*idle + 1000)); err != nil {
		return err
	}
	l, err := lab.New(o.binary)
	if err != nil {
		return err
	}
	defer l.Close()
	result := lab.Describe() + "\n"
	fmt.Println(result)
	list, err := measure(ctx, l, o)
	if err != nil {
		return err
	}
	table := table(list)
	fmt.Println("\n" + table)
	if o.figure != "" {
		if err := os.WriteFile(o.figure, []byte(plot.Draw(charts(list), 2, 420)), 0o644); err != nil {
			return err
		}
	}
	if o.update == "" {
		return nil
	}
	return report.Update(o.update, "growth", result+"\n"+table)
}
