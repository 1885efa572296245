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
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// options are the command's flags.
type options struct {
	command.Options
	counts command.Counts // connections
	works  []string
	rounds rounds.Options
	peer   bool
}

func main() {
	o := &options{
		counts: command.Counts{1, 10, 100},
		rounds: rounds.Options{Rounds: 5, Warmup: time.Second, Duration: 1500 * time.Millisecond},
	}
	flag.Var(&o.counts, "connections", "`numbers` of connections, separated by commas")
	list := flag.String("works", strings.Join(works, ","), "what the functions do, separated by commas")
	o.rounds.Flags(flag.CommandLine)
	flag.BoolVar(&o.peer, "peer", true, "compare with serverless-offline, which is installed")
	o.GatewayFlag(flag.CommandLine)
	o.BeforeFlag(flag.CommandLine)
	o.UpdateFlag(flag.CommandLine)
	command.Parse(flag.CommandLine, os.Args[1:])
	o.works = strings.Split(*list, ",")
	command.Main("functions", func(ctx context.Context) error { return run(ctx, o) })
}

// run measures each work.
func run(ctx context.Context, o *options) error {
	if err := errors.Join(o.rounds.Check(), lab.RaiseFileLimit(4000)); err != nil {
		return err
	}
	return o.Run("functions", func(l *lab.Lab) (string, error) {
		p, err := start(ctx, l, o)
		if err != nil {
			return "", err
		}
		var tables []string
		if p.missing != "" {
			tables = append(tables, p.missing)
		}
		for _, work := range o.works {
			table, err := measure(ctx, o, p, work)
			tables = append(tables, table)
			if err != nil {
				return strings.Join(tables, "\n"), err
			}
		}
		return strings.Join(tables, "\n"), nil
	})
}

// measure has all systems do one work at each number of connections.
func measure(ctx context.Context, o *options, p *programs, work string) (string, error) {
	systems, err := p.systems(work)
	if err != nil {
		return "", err
	}
	fmt.Println("Handlers that " + p.does(work) + ":")
	results, told, err := rounds.TakeAll(ctx, o.rounds, systems, o.counts)
	return fmt.Sprintf("Handlers that %s:\n\n%s%s", p.does(work), rounds.Messages.Table(results, bare, ""), told), err
}
