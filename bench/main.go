//go:build linux

// Command bench measures the gateway beside a bare relay and beside what it is
// compared with, in one run on one machine, and prints a table; "bench
// configuration" measures changes of its configuration, and its start; "bench
// memory" what idle connections take, over TLS too. README.md
// says what they measure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/peers"
	"github.com/stagedoor/stagedoor/bench/internal/report"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// options are the command's flags.
type options struct {
	counts []int // connections
	rounds rounds.Options
	peers  []string
	idle   int           // connections of the measurement of memory; 0: none
	settle time.Duration // how long memory must not shrink to count as settled
	binary string        // of the gateway; empty: it is built
	before string        // another build of the gateway, to compare with; empty: none
	update string        // document to put the result in
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == configurationCommand {
		exit(runConfiguration(ctx, os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == memoryCommand {
		exit(runMemory(ctx, os.Args[2:]))
	}
	o, err := parse(os.Args[1:])
	if err != nil {
		exit(err)
	}
	exit(run(ctx, o))
}

func exit(err error) {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	counts := flags.String("connections", "1,10,100,1000", "numbers of connections, separated by commas")
	flags.IntVar(&o.rounds.Rounds, "rounds", 5, "how often each point is measured, after a round that is not counted; the systems take turns")
	flags.DurationVar(&o.rounds.Warmup, "warmup", 300*time.Millisecond, "time before counting, each round")
	flags.DurationVar(&o.rounds.Duration, "duration", 1500*time.Millisecond, "time of counting, each round")
	list := flags.String("peers", strings.Join(peers.Names(), ","), "what else to compare with, separated by commas, or none; what is not there is installed")
	flags.IntVar(&o.idle, "idle", 18000, "idle connections whose memory is measured; 0 leaves it out")
	flags.DurationVar(&o.settle, "settle", 15*time.Second, "memory is read when it has not shrunk for this long")
	flags.StringVar(&o.binary, "gateway", "", "the gateway's `program` (default: it is built from this repository)")
	flags.StringVar(&o.before, "before", "", "another build of the gateway, a `program` that takes turns with it")
	flags.StringVar(&o.update, "update", "", "`document` to put the result in")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.rounds.Rounds < 1 || o.rounds.Duration <= 0 {
		return nil, errors.New("-rounds and -duration must be at least 1 and more than 0")
	}
	if *list != "none" {
		o.peers = strings.Split(*list, ",")
	}
	for _, text := range strings.Split(*counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-connections: %q is not a number of connections", text)
		}
		o.counts = append(o.counts, n)
	}
	return o, nil
}

// run measures everything, prints it, and puts it where -update says.
func run(ctx context.Context, o *options) error {
	if err := lab.RaiseFileLimit(uint64(o.idle) + 1000); err != nil {
		return err
	}
	l, err := lab.New(o.binary)
	if err != nil {
		return err
	}
	defer l.Close()
	result := lab.Describe() + "\n"
	fmt.Println(result)
	table, err := messages(ctx, l, o)
	fmt.Println("\n" + table)
	if err != nil {
		return err
	}
	result += "\n" + table
	if o.idle > 0 {
		table, err := memory(ctx, l, o)
		if err != nil {
			return err
		}
		fmt.Println(table)
		result += "\n" + table
	}
	if o.update != "" {
		return report.Update(o.update, "measurements", result)
	}
	return nil
}
