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
	"path/filepath"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/report"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// options are the command's flags.
type options struct {
	command.Options
	counts command.Counts // handshakes at a time
	rounds rounds.Options
}

func main() {
	if len(os.Args) == 5 && os.Args[1] == peerCommand {
		command.Exit("handshake", runPeer(os.Args[2], os.Args[3], os.Args[4]))
	}
	o := &options{
		counts: command.Counts{1, 16},
		rounds: rounds.Options{Rounds: 7, Warmup: 200 * time.Millisecond, Duration: time.Second},
	}
	flag.Var(&o.counts, "concurrent", "`numbers` of handshakes at a time, separated by commas")
	o.rounds.Flags(flag.CommandLine)
	o.GatewayFlag(flag.CommandLine)
	o.BeforeFlag(flag.CommandLine)
	o.UpdateFlag(flag.CommandLine)
	command.Parse(flag.CommandLine, os.Args[1:])
	command.Main("handshake", func(ctx context.Context) error { return run(ctx, o) })
}

// run measures both kinds of handshakes.
func run(ctx context.Context, o *options) error {
	if err := o.rounds.Check(); err != nil {
		return err
	}
	return o.Run("handshakes", func(l *lab.Lab) (string, error) {
		plain, asking, err := start(ctx, l, o)
		if err != nil {
			return "", err
		}
		accepted, err := contest(ctx, o, plain)
		if err != nil {
			return "", err
		}
		asked, err := contest(ctx, o, asking)
		return "Handshakes that are accepted:\n\n" + accepted + "\nHandshakes that an HTTP backend accepts:\n\n" + asked, err
	})
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
	for _, build := range []struct{ name, program string }{{"Stagedoor dev", program}, {"Stagedoor dev, before", o.Before}} {
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
