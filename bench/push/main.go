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
	counts  []int // connections of the pusher
	sockets int   // WebSocket connections that are pushed to
	rounds  rounds.Options
	method  string
	size    int    // bytes of a push
	binary  string // of the gateway; empty: it is built
	before  string // another build of the gateway; empty: none
	update  string // document to put the result in
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == bareCommand {
		exit(runBare(os.Args[2]))
	}
	if len(os.Args) == 3 && os.Args[1] == floorCommand {
		exit(runFloor(os.Args[2]))
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
	fmt.Fprintln(os.Stderr, "push:", err)
	os.Exit(1)
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("push", flag.ContinueOnError)
	counts := flags.String("connections", "1,10,100", "numbers of keep-alive connections of the pusher, separated by commas")
	flags.IntVar(&o.sockets, "sockets", 1000, "open WebSocket connections, one of which each push goes to, by chance")
	flags.IntVar(&o.rounds.Rounds, "rounds", 7, "how often each point is measured, after a round that is not counted; the systems take turns")
	flags.DurationVar(&o.rounds.Warmup, "warmup", 200*time.Millisecond, "time before counting, each round")
	flags.DurationVar(&o.rounds.Duration, "duration", time.Second, "time of counting, each round")
	flags.StringVar(&o.method, "method", "POST", "of the requests: POST or GET")
	flags.IntVar(&o.size, "size", 128, "bytes of each push")
	flags.StringVar(&o.binary, "gateway", "", "the gateway's `program` (default: it is built from this repository)")
	flags.StringVar(&o.before, "before", "", "another build of the gateway, a `program` that takes turns with it")
	flags.StringVar(&o.update, "update", "", "`document` to put the result in")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.rounds.Rounds < 1 || o.rounds.Duration <= 0 || o.sockets < 1 || o.size < 1 {
		return nil, errors.New("-rounds, -sockets and -size must be at least 1, -duration more than 0")
	}
	if o.method != "POST" && o.method != "GET" {
		return nil, fmt.Errorf("-method: %q is neither POST nor GET", o.method)
	}
	for text := range strings.SplitSeq(*counts, ",") {
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
	if err := lab.RaiseFileLimit(uint64(4*o.sockets) + 1000); err != nil {
		return err
	}
	l, err := lab.New(o.binary)
	if err != nil {
		return err
	}
	defer l.Close()
	result := lab.Describe() + "\n"
	fmt.Println(result)
	systems, err := start(ctx, l, o)
	defer func() {
		for _, s := range systems {
			s.close()
		}
	}()
	if err != nil {
		return err
	}
	tables, err := contest(ctx, systems, o)
	fmt.Println("\n" + tables)
	if err != nil || o.update == "" {
		return err
	}
	return report.Update(o.update, "pushes", result+"\n"+tables)
}
