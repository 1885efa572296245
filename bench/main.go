//go:build linux

// Command bench measures the gateway beside what it is compared with, in one
// run on one machine, and prints a table; "bench configuration" measures changes
// of its configuration, and its start. README.md says what they measure.
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

	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// options are the command's flags.
type options struct {
	counts   []int // connections
	rounds   int
	warmup   time.Duration
	duration time.Duration
	idle     int           // connections of the measurement of memory; 0: none
	settle   time.Duration // how long memory must not shrink to count as settled
	peer     bool
	binary   string // of the gateway; empty: it is built
	before   string // another build of the gateway, to compare with; empty: none
	update   string // document to put the result in
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == backendCommand {
		exit(runBackend(os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == configurationCommand {
		exit(runConfiguration(ctx, os.Args[2:]))
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
	flags.IntVar(&o.rounds, "rounds", 3, "how often each point is measured, after a round that is not counted; the systems take turns")
	flags.DurationVar(&o.warmup, "warmup", time.Second, "time before counting, each round")
	flags.DurationVar(&o.duration, "duration", 3*time.Second, "time of counting, each round")
	flags.IntVar(&o.idle, "idle", 18000, "idle connections whose memory is measured; 0 leaves it out")
	flags.DurationVar(&o.settle, "settle", 150*time.Second, "memory is read when it has not shrunk for this long (Go's periodic collection takes two minutes)")
	flags.BoolVar(&o.peer, "peer", true, "compare with serverless-offline; needs Node.js and npm")
	flags.StringVar(&o.binary, "gateway", "", "the gateway's `program` (default: it is built from this repository)")
	flags.StringVar(&o.before, "before", "", "another build of the gateway, a `program` that takes turns with it; the ratios are printed")
	flags.StringVar(&o.update, "update", "", "`document` to put the result in")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.rounds < 1 || o.duration <= 0 {
		return nil, errors.New("-rounds and -duration must be at least 1 and more than 0")
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
	if err := raiseFileLimit(uint64(o.idle) + 1000); err != nil {
		return err
	}
	l, err := newLab(ctx, o)
	if err != nil {
		return err
	}
	defer l.close()

	result := l.describe() + "\n"
	fmt.Println(result)
	rows, err := l.throughput(ctx, o)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Errors > 0 {
			err = errors.New("some messages failed: the measurements do not count")
		}
	}
	table := report.Table(rows, direct, peerCall)
	fmt.Println("\n" + table)
	result += "\n" + table
	if o.before != "" {
		fmt.Println(report.Ratios(rows, gateway, gatewayBefore))
	}
	if err != nil {
		return err
	}
	if o.idle > 0 {
		memory, err := l.memory(ctx, o)
		if err != nil {
			return err
		}
		fmt.Println(memory)
		result += "\n" + memory
	}
	if o.update != "" {
		return report.Update(o.update, "measurements", result)
	}
	return nil
}

// raiseFileLimit makes room for sockets; the programs that are started inherit
// it.
func raiseFileLimit(need uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	limit.Cur, limit.Max = max(limit.Cur, need), max(limit.Max, need)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%d open files are needed (ulimit -n), or fewer connections: %w", need, err)
	}
	return nil
}
