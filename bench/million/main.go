//go:build linux

// Command million holds many idle connections, a million if it is told so, over as
// many gateways as the limit of open files requires. It opens them, keeps them with
// a little traffic, and says what they cost and whether one was lost. ../README.md
// has its flags and what it needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// options are the command's flags.
type options struct {
	command.Options
	connections int
	keep        time.Duration // how long they are kept once all are open
	rate        float64       // messages, and pushes, in a second, over all connections
	perProcess  int           // connections of a process at most; 0: four fifths of its open files
	ping        string        // limits.ping of the gateways; empty: their own default
	settle      time.Duration // before memory is read
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == holderCommand {
		command.Exit("million", runHolder(os.Args[2]))
	}
	o := &options{}
	flag.IntVar(&o.connections, "connections", 50_000, "how many are opened")
	flag.DurationVar(&o.keep, "keep", time.Minute, "how long they are kept once all are open")
	flag.Float64Var(&o.rate, "rate", 20, "messages, each with an answer and a push behind it, in a second, over all connections")
	flag.IntVar(&o.perProcess, "per-process", 0, "connections of a gateway at most (default: four fifths of the files that it may open)")
	flag.StringVar(&o.ping, "ping", "", "limits.ping of the gateways: a `time`, or none (default: theirs)")
	flag.DurationVar(&o.settle, "settle", 10*time.Second, "wait this long before memory is read")
	o.GatewayFlag(flag.CommandLine)
	o.UpdateFlag(flag.CommandLine)
	command.Parse(flag.CommandLine, os.Args[1:])
	command.Main("million", func(ctx context.Context) error { return run(ctx, o) })
}

// run opens the connections, keeps them, and measures what they take.
func run(ctx context.Context, o *options) error {
	if o.connections < 1 || o.keep < 0 || o.rate <= 0 || o.perProcess < 0 {
		return errors.New("-connections must be at least 1, -rate more than 0, and -keep and -per-process not less than 0")
	}
	most, err := perProcess(o)
	if err != nil {
		return err
	}
	plan := split(o.connections, most)
	if err := enough(o.connections, len(plan)); err != nil {
		return err
	}
	return o.Run("million", func(l *lab.Lab) (string, error) {
		fmt.Printf("%s connections over %d gateways, and as many clients.\n", report.Thousands(float64(o.connections)), len(plan))
		f, err := startFleet(ctx, l, o, plan)
		if err != nil {
			return "", err
		}
		defer f.close()
		m, err := f.measure(ctx, o)
		if err != nil {
			return "", err
		}
		return m.table(), m.err()
	})
}

// split divides connections evenly over as few processes as can hold them.
func split(connections, most int) []int {
	processes := (connections + most - 1) / most
	parts := make([]int, processes)
	for i := range parts {
		parts[i] = connections / processes
		if i < connections%processes {
			parts[i]++
		}
	}
	return parts
}
