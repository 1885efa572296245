//go:build linux

// Command chaos breaks a gateway, and the systems that it depends on, while
// clients use it, and checks the history that they see. A seed, which it
// prints, determines what it does. ../README.md has what must hold.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/history"
)

// options are the command's flags.
type options struct {
	time    time.Duration
	clients int
	rate    int // messages of all clients in a second
	memory  int // MiB that the gateway may take
	seed    uint64
	binary  string // of the gateway; empty: it is built
	only    string // a kind of fault; empty: all
	inside  bool   // the configuration is kept in the gateway, and not on NATS servers
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == backendCommand {
		fail(runBackend(os.Args[2]))
	}
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	fail(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fail(run(ctx, o))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.DurationVar(&o.time, "time", 15*time.Minute, "how long things are broken")
	flags.IntVar(&o.clients, "clients", 0, "clients at a time; 0: 2000, or 300 where it is no more than two minutes")
	flags.IntVar(&o.rate, "rate", 500, "messages of all clients in a second")
	flags.IntVar(&o.memory, "memory", 1024, "memory that the gateway may take, in MiB")
	flags.Uint64Var(&o.seed, "seed", 0, "what is broken, and when; 0: by chance")
	flags.StringVar(&o.binary, "gateway", "", "the gateway's `program` (default: it is built from this repository)")
	flags.BoolVar(&o.inside, "embedded", false, "the gateway keeps the configuration itself, without NATS servers")
	flags.StringVar(&o.only, "only", "", "break nothing but what has this `name`")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.time <= 0 || o.clients < 0 || o.rate < 1 {
		return nil, errors.New("-time and -rate are more than nothing, and -clients are not less")
	}
	switch {
	case o.clients > 0:
	case o.time <= 2*time.Minute:
		o.clients = 300
	default:
		o.clients = 2000
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	return o, nil
}

// run breaks things until the time is over, and then checks the result.
func run(ctx context.Context, o *options) error {
	fmt.Printf("chaos: seed %d, %v, %d clients (again with -seed %d)\n", o.seed, o.time, o.clients, o.seed)
	w := &world{options: o, log: &history.Log{}}
	defer w.close()
	if err := w.start(ctx); err != nil {
		return err
	}
	w.began = time.Now()
	crowd := w.enter(ctx)
	err := w.torment(ctx)
	crowd.leave()
	if err == nil {
		err = w.settle(ctx)
	}
	totals := w.log.Totals()
	fmt.Printf("%d connections, %d messages, %d answers, %d error frames, %d pushes, %d of them delivered, %d writes answered, %d kills of the gateway, at most %d MiB\n",
		totals.Connections, totals.Sent, totals.Answered, totals.Errors, totals.Pushed, totals.Delivered, w.writer.answered(), totals.Kills, w.most.Load()>>20)
	if err == nil && (totals.Answered == 0 || totals.Delivered == 0 || w.writer.answered() == 0) {
		err = errors.New("too little happened to say anything")
	}
	if violations := w.log.Violations(); len(violations) > 0 {
		return errors.Join(err, fmt.Errorf("with the seed %d, this must not be:\n  %s\nThe logs are in %s", o.seed, strings.Join(violations, "\n  "), w.keep()))
	}
	if err != nil {
		return fmt.Errorf("with the seed %d: %w\nThe logs are in %s", o.seed, err, w.keep())
	}
	fmt.Println("chaos: all that must hold has held")
	return nil
}
