//go:build linux

// Command handshake measures how many WebSocket handshakes a second the gateway
// accepts, and the processor time of each, beside programs that accept them with
// gorilla/websocket and with coder/websocket: without and with an HTTP backend that is
// asked first. The systems take turns in one run; what is printed are medians.
package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
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
		accepted, err := rounds.Handshakes.Contest(ctx, o.rounds, plain, o.counts)
		if err != nil {
			return "", err
		}
		asked, err := rounds.Handshakes.Contest(ctx, o.rounds, asking, o.counts)
		return "Handshakes that are accepted:\n\n" + accepted + "\nHandshakes that an HTTP backend accepts:\n\n" + asked, err
	})
}

// start starts all systems, those that accept all and those that ask a backend. The
// first of each is what the others are compared with.
func start(ctx context.Context, l *lab.Lab, o *options) (plain, asking []rounds.System, err error) {
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
				plain = append(plain, system(name, p, "/"))
			} else {
				asking = append(asking, system(name, p, "/"))
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
		plain = append(plain, system(build.name, p, "/plain"))
		asking = append(asking, system(build.name, p, "/asking"))
	}
	g, err := l.Serve(ctx, "data")
	if err != nil {
		return nil, nil, err
	}
	api, err := g.Plane.Create(ctx, 2)
	if err != nil {
		return nil, nil, err
	}
	return append(plain, system("Stagedoor serve", g.Process, api.Path())), asking, nil
}

// system accepts handshakes at a path.
func system(name string, p *process.Process, path string) rounds.System {
	return rounds.System{Name: name, Process: p, Protocol: load.NewWebSocket(p.Address, path, nil), Run: load.Handshakes}
}
