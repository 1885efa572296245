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
	"os"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/peers"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// options are the command's flags.
type options struct {
	command.Options
	counts command.Counts // connections
	rounds rounds.Options
	peers  []string
	idle   int           // connections of the measurement of memory; 0: none
	settle time.Duration // how long memory must not shrink to count as settled
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case configurationCommand:
			runConfiguration(os.Args[2:])
			return
		case memoryCommand:
			runMemory(os.Args[2:])
			return
		}
	}
	o := &options{
		counts: command.Counts{1, 10, 100, 1000},
		rounds: rounds.Options{Rounds: 5, Warmup: 300 * time.Millisecond, Duration: 1500 * time.Millisecond},
	}
	flag.Var(&o.counts, "connections", "`numbers` of connections, separated by commas")
	o.rounds.Flags(flag.CommandLine)
	list := flag.String("peers", strings.Join(peers.Names(), ","), "what else to compare with, separated by commas, or none; what is not there is installed")
	flag.IntVar(&o.idle, "idle", 18000, "idle connections whose memory is measured; 0 leaves it out")
	flag.DurationVar(&o.settle, "settle", 15*time.Second, "memory is read when it has not shrunk for this long")
	o.GatewayFlag(flag.CommandLine)
	o.BeforeFlag(flag.CommandLine)
	o.UpdateFlag(flag.CommandLine)
	command.Parse(flag.CommandLine, os.Args[1:])
	if *list != "none" {
		o.peers = strings.Split(*list, ",")
	}
	command.Main("bench", func(ctx context.Context) error { return run(ctx, o) })
}

// run measures messages, and memory.
func run(ctx context.Context, o *options) error {
	if err := errors.Join(o.rounds.Check(), lab.RaiseFileLimit(uint64(o.idle)+1000)); err != nil {
		return err
	}
	return o.Run("measurements", func(l *lab.Lab) (string, error) {
		table, err := messages(ctx, l, o)
		if err != nil || o.idle <= 0 {
			return table, err
		}
		text, err := memory(ctx, l, o)
		return table + "\n" + text, err
	})
}
