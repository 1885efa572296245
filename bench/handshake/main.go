//go:build linux

// Command handshake measures how many WebSocket handshakes a second the gateway
// accepts, and the processor time of each, beside programs that accept them with
// gorilla/websocket and with coder/websocket: without and with an HTTP backend that is
// asked first. The systems take turns in one run; what is printed are medians.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/report"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// options are the command's flags.
type options struct {
	counts []int // handshakes at a time
	rounds rounds.Options
	binary string // of the gateway; empty: it is built
	before string // another build of the gateway; empty: none
	update string // document to put the result in
}

func main() {
	if len(os.Args) == 5 && os.Args[1] == peerCommand {
		exit(runPeer(os.Args[2], os.Args[3], os.Args[4]))
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
	fmt.Fprintln(os.Stderr, "handshake:", err)
	os.Exit(1)
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("handshake", flag.ContinueOnError)
	counts := flags.String("concurrent", "1,16", "numbers of handshakes at a time, separated by commas")
	flags.IntVar(&o.rounds.Rounds, "rounds", 7, "how often each point is measured, after a round that is not counted; the systems take turns")
	flags.DurationVar(&o.rounds.Warmup, "warmup", 200*time.Millisecond, "time before counting, each round")
	flags.DurationVar(&o.rounds.Duration, "duration", time.Second, "time of counting, each round")
	flags.StringVar(&o.binary, "gateway", "", "the gateway's `program` (default: it is built from this repository)")
	flags.StringVar(&o.before, "before", "", "another build of the gateway, a `program` that takes turns with it")
	flags.StringVar(&o.update, "update", "", "`document` to put the result in")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.rounds.Rounds < 1 || o.rounds.Duration <= 0 {
		return nil, errors.New("-rounds must be at least 1, -duration more than 0")
	}
	for text := range strings.SplitSeq(*counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-concurrent: %q is not a number of handshakes", text)
		}
		o.counts = append(o.counts, n)
	}
	return o, nil
}

// run measures everything, prints it, and puts it where -update says.
func run(ctx context.Context, o *options) error {
	l, err := lab.New(o.binary)
	if err != nil {
		return err
	}
	defer l.Close()
	result := lab.Describe() + "\n"
	fmt.Println(result)
	plain, asking, err := start(ctx, l, o)
	if err != nil {
		return err
	}
	tables := ""
	for _, group := range []struct {
		title   string
		systems []system
	}{{"Handshakes that are accepted:", plain}, {"Handshakes that an HTTP backend accepts:", asking}} {
		table, err := contest(ctx, o, group.systems)
		if err != nil {
			return err
		}
		tables += group.title + "\n\n" + table + "\n"
	}
	fmt.Println("\n" + tables)
	if o.update == "" {
		return nil
	}
	return report.Update(o.update, "handshakes", result+"\n"+tables)
}

// system accepts handshakes.
type system struct {
	name    string
	process *process.Process
	path    string
}

// start starts all systems, those that accept all and those that ask a backend. The
// first of each is what the others are compared with.
func start(ctx context.Context, l *lab.Lab, o *options) (plain, asking []system, err error) {
	_, backend, err := l.Backend(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range []string{gorilla, coder} {
		for _, url := range []string{"", backend} {
			p, err := startPeer(ctx, l, name, url)
			if err != nil {
				return nil, nil, err
			}
			if url == "" {
				plain = append(plain, system{name, p, "/"})
			} else {
				asking = append(asking, system{name, p, "/"})
			}
		}
	}
	program, err := l.Gateway(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, build := range []struct{ name, program string }{{"Stagedoor dev", program}, {"Stagedoor dev, before", o.before}} {
		if build.program == "" {
			continue
		}
		p, err := l.DevOf(ctx, build.program, filepath.Join("handshake", "template.yaml"), "--parameter", "Backend="+backend)
		if err != nil {
			return nil, nil, err
		}
		plain = append(plain, system{build.name, p, "/plain"})
		asking = append(asking, system{build.name, p, "/asking"})
	}
	g, err := l.Serve(ctx, "data")
	if err != nil {
		return nil, nil, err
	}
	api, err := g.Plane.Create(ctx, 2)
	if err != nil {
		return nil, nil, err
	}
	return append(plain, system{"Stagedoor serve", g.Process, api.Path()}), asking, nil
}

// contest measures systems in rounds, in which they take turns, and returns a table.
func contest(ctx context.Context, o *options, systems []system) (string, error) {
	cells := [][]string{{"At a time", "System", "Handshakes/s", "Of " + systems[0].name, "p50", "p99", "CPU/handshake", "Of " + systems[0].name + "'s", "Load"}}
	for _, count := range o.counts {
		results := make([]rounds.Result, len(systems))
		for round := range o.rounds.Rounds + 1 {
			for i, s := range systems {
				if err := ctx.Err(); err != nil {
					return "", err
				}
				r, err := s.measure(o, count)
				if err == nil {
					err = errors.Join(r.Errors...)
				}
				if err != nil {
					return "", fmt.Errorf("%s, %d handshakes at a time: %w\n%s", s.name, count, err, s.process.LogEnd())
				}
				if round > 0 {
					results[i].Rounds = append(results[i].Rounds, rounds.RoundOf(&r))
				}
			}
		}
		for i := range results {
			m := results[i].Median()
			cells = append(cells, []string{
				fmt.Sprint(count), systems[i].name, report.Thousands(m.Rate), fmt.Sprintf("%.2f", results[i].Share(&results[0])),
				report.Duration(m.P50), report.Duration(m.P99), report.Duration(m.Server), fmt.Sprintf("%.2f", results[i].ServerShare(&results[0])), lab.Load(),
			})
		}
		fmt.Printf("%d at a time done, load %s\n", count, lab.Load())
	}
	return report.Table(cells), nil
}

// measure runs one round.
func (s *system) measure(o *options, count int) (load.Result, error) {
	return load.Handshakes(load.Options{
		Address: s.process.Address, Protocol: load.NewWebSocket(s.process.Address, s.path, nil), Connections: count,
		Warmup: o.rounds.Warmup, Duration: o.rounds.Duration,
		Meter: func() (time.Duration, error) { return process.ProcessorTime(s.process.PID) },
	})
}
