//go:build linux

// Command push measures how many @connections requests a second the gateway
// answers, in dev (unsigned) and in serve (signed), beside a bare net/http server
// that reads the same requests and answers 200 with nothing, and a program that has no
// HTTP server, and does nothing but what every push takes: it reads, writes a frame to a
// client, and answers. The systems take turns in one run; what is printed are medians.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// options are the command's flags.
type options struct {
	command.Options
	counts  command.Counts // connections of the pusher
	sockets int            // WebSocket connections that are pushed to
	rounds  rounds.Options
	method  string
	size    int // bytes of a push
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == bareCommand {
		command.Exit("push", runBare(os.Args[2]))
	}
	if len(os.Args) == 3 && os.Args[1] == floorCommand {
		command.Exit("push", runFloor(os.Args[2]))
	}
	o := &options{
		counts: command.Counts{1, 10, 100},
		rounds: rounds.Options{Rounds: 7, Warmup: 200 * time.Millisecond, Duration: time.Second},
	}
	flag.Var(&o.counts, "connections", "`numbers` of keep-alive connections of the pusher, separated by commas")
	flag.IntVar(&o.sockets, "sockets", 1000, "open WebSocket connections, one of which each push goes to, by chance")
	o.rounds.Flags(flag.CommandLine)
	flag.StringVar(&o.method, "method", http.MethodPost, "of the requests: POST or GET")
	flag.IntVar(&o.size, "size", 128, "bytes of each push")
	o.GatewayFlag(flag.CommandLine)
	o.BeforeFlag(flag.CommandLine)
	o.UpdateFlag(flag.CommandLine)
	command.Parse(flag.CommandLine, os.Args[1:])
	command.Main("push", func(ctx context.Context) error { return run(ctx, o) })
}

func (o *options) check() error {
	if o.sockets < 1 || o.size < 1 {
		return errors.New("-sockets and -size must be at least 1")
	}
	if o.method != http.MethodPost && o.method != http.MethodGet {
		return fmt.Errorf("-method: %q is neither POST nor GET", o.method)
	}
	return o.rounds.Check()
}

// run measures all systems.
func run(ctx context.Context, o *options) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := lab.RaiseFileLimit(uint64(4*o.sockets) + 1000); err != nil {
		return err
	}
	return o.Run("pushes", func(l *lab.Lab) (string, error) {
		systems, err := start(ctx, l, o)
		defer func() {
			for _, s := range systems {
				s.close()
			}
		}()
		if err != nil {
			return "", err
		}
		return contest(ctx, systems, o)
	})
}
