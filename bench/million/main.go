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
	"os/signal"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// options are the command's flags.
type options struct {
	connections int
	keep        time.Duration // how long they are kept once all are open
	rate        float64       // messages, and pushes, in a second, over all connections
	perProcess  int           // connections of a process at most; 0: nine tenths of its open files
	ping        string        // limits.ping of the gateways; empty: their own default
	settle      time.Duration // before memory is read
	binary      string        // of the gateway; empty: it is built
	update      string        // document to put the result in
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == holderCommand {
		exit(runHolder(os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:])
	if err == nil {
		err = run(ctx, o)
	}
	exit(err)
}

func exit(err error) {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, "million:", err)
	os.Exit(1)
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("million", flag.ContinueOnError)
	flags.IntVar(&o.connections, "connections", 50_000, "how many are opened")
	flags.DurationVar(&o.keep, "keep", time.Minute, "how long they are kept once all are open")
	flags.Float64Var(&o.rate, "rate", 20, "messages, each with an answer and a push behind it, in a second, over all connections")
	flags.IntVar(&o.perProcess, "per-process", 0, "connections of a gateway at most (default: nine tenths of the files that it may open)")
	flags.StringVar(&o.ping, "ping", "", "limits.ping of the gateways: a `time`, or none (default: theirs)")
	flags.DurationVar(&o.settle, "settle", 10*time.Second, "wait this long before memory is read")
	flags.StringVar(&o.binary, "gateway", "", "the gateway's `program` (default: it is built from this repository)")
	flags.StringVar(&o.update, "update", "", "`document` to put the result in")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.connections < 1 || o.keep < 0 || o.rate <= 0 || o.perProcess < 0 || flags.NArg() > 0 {
		return nil, errors.New("-connections must be at least 1, -rate more than 0, and there are no arguments")
	}
	return o, nil
}

// run opens the connections, keeps them, and prints what was measured.
func run(ctx context.Context, o *options) error {
	most, err := perProcess(o)
	if err != nil {
		return err
	}
	plan := split(o.connections, most)
	if err := enough(o.connections, len(plan)); err != nil {
		return err
	}
	head := lab.Describe()
	fmt.Printf("%s\n\n%s connections over %d gateways, and as many clients.\n", head, report.Thousands(float64(o.connections)), len(plan))
	f, err := startFleet(ctx, o, plan)
	if err != nil {
		return err
	}
	defer f.close()
	m, err := f.measure(ctx, o)
	if err != nil {
		return err
	}
	table := m.table()
	fmt.Println("\n" + table)
	if err := m.err(); err != nil {
		return err
	}
	if o.update == "" {
		return nil
	}
	return report.Update(o.update, "million", head+"\n\n"+table)
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
