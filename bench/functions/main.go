//go:build linux

// Command functions measures messages to functions beside a bare HTTP server in
// Node.js and serverless-offline, which run the same handlers. README.md says how.
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
	"github.com/stagedoor/stagedoor/bench/internal/report"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// options are the command's flags.
type options struct {
	counts []int // connections
	works  []string
	rounds rounds.Options
	peer   bool
	binary string // of the gateway; empty: it is built
	before string // another build of the gateway; empty: none
	update string // document to put the result in
}

func main() {
	o, err := parse(os.Args[1:])
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = run(ctx, o)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "functions:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("functions", flag.ContinueOnError)
	counts := flags.String("connections", "1,10,100", "numbers of connections, separated by commas")
	list := flags.String("works", strings.Join(works, ","), "what the functions do, separated by commas")
	flags.IntVar(&o.rounds.Rounds, "rounds", 5, "how often each point is measured, after a round that is not counted; the systems take turns")
	flags.DurationVar(&o.rounds.Warmup, "warmup", time.Second, "time before counting, each round")
	flags.DurationVar(&o.rounds.Duration, "duration", 1500*time.Millisecond, "time of counting, each round")
	flags.BoolVar(&o.peer, "peer", true, "compare with serverless-offline, which is installed")
	flags.StringVar(&o.binary, "gateway", "", "the gateway's `program` (default: it is built from this repository)")
	flags.StringVar(&o.before, "before", "", "another build of the gateway, a `program` that takes turns with it")
	flags.StringVar(&o.update, "update", "", "`document` to put the result in")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.rounds.Rounds < 1 || o.rounds.Duration <= 0 {
		return nil, errors.New("-rounds and -duration must be at least 1 and more than 0")
	}
	for text := range strings.SplitSeq(*counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-connections: %q is not a number of connections", text)
		}
		o.counts = append(o.counts, n)
	}
	o.works = strings.Split(*list, ",")
	return o, nil
}

// run measures, prints, and puts the result where -update says.
func run(ctx context.Context, o *options) error {
	if err := lab.RaiseFileLimit(4000); err != nil {
		return err
	}
	l, err := lab.New(o.binary)
	if err != nil {
		return err
	}
	defer l.Close()
	p, err := start(ctx, l, o)
	if err != nil {
		return err
	}
	result := lab.Describe() + "\n" + p.missing
	fmt.Println(result)
	for _, work := range o.works {
		text, err := measure(ctx, o, p, work)
		fmt.Println("\n" + text)
		if err != nil {
			return err
		}
		result += "\n" + text
	}
	if o.update == "" {
		return nil
	}
	return report.Update(o.update, "functions", result)
}

// measure has all systems do one work at each number of connections.
func measure(ctx context.Context, o *options, p *programs, work string) (string, error) {
	systems, err := p.systems(work)
	if err != nil {
		return "", err
	}
	var results []rounds.Result
	for _, connections := range o.counts {
		point, err := rounds.Take(ctx, o.rounds, systems, connections)
		if err != nil {
			return "", err
		}
		for i := range point {
			fmt.Printf("%5d  %-8s %-34s %9s messages/s\n", connections, work, point[i].System, report.Thousands(point[i].Median().Rate))
		}
		results = append(results, point...)
	}
	told, err := rounds.Failed(results)
	return fmt.Sprintf("Handlers that %s:\n\n%s%s", p.does(work), rounds.Table(results, bare, ""), told), err
}
