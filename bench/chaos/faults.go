//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/load"
)

// fault is a way of breaking something.
type fault struct {
	name   string
	target string // two faults at the same time have different targets
	// run breaks the target for a time, and repairs it.
	run func(ctx context.Context, length time.Duration) error
}

func (w *world) faults() []fault {
	stopped := func(p *program) func(context.Context, time.Duration) error {
		return func(ctx context.Context, length time.Duration) error {
			p.current.Load().Signal(syscall.SIGSTOP)
			pause(ctx, length)
			p.current.Load().Signal(syscall.SIGCONT)
			return nil
		}
	}
	killed := func(p *program) func(context.Context, time.Duration) error {
		return func(ctx context.Context, length time.Duration) error {
			p.kill()
			pause(ctx, length)
			return p.start()
		}
	}
	slowed := func(p *program) func(context.Context, time.Duration) error {
		return func(ctx context.Context, length time.Duration) error {
			if err := slow(p.spec.Address, 2000); err != nil {
				return err
			}
			pause(ctx, length)
			return slow(p.spec.Address, 0)
		}
	}
	all := []fault{
		{"gateway killed", "gateway", func(ctx context.Context, length time.Duration) error {
			w.checkLog()
			w.gateway.kill()
			w.log.Killed()
			pause(ctx, length/4)
			return w.gateway.start()
		}},
		{"gateway terminated", "gateway", w.terminate},
		{"gateway stopped", "gateway", stopped(w.gateway)},
		{"backend killed", "backend", killed(w.backend)},
		{"backend stopped", "backend", stopped(w.backend)},
		{"backend slowed", "backend", slowed(w.backend)},
		{"function killed", "function", killed(w.lambda)},
		{"function stopped", "function", stopped(w.lambda)},
		{"function slowed", "function", slowed(w.lambda)},
		{"clients that never read", "clients", w.flood},
		{"connections that say nothing", "clients", w.silence},
	}
	if !w.inside {
		all = append(all, fault{"NATS killed", "nats", killed(w.nats)}, fault{"NATS stopped", "nats", stopped(w.nats)})
	}
	if w.clocks.reason == nil {
		all = append(all, fault{"the gateway's clock set", "gateway's clock", w.stepped("the gateway's clock", w.clocks.gateway, 1)})
		if !w.inside {
			all = append(all, fault{"the clock of NATS set", "clock of NATS", w.stepped("the clock of NATS", w.clocks.nats, 2)})
		}
	}
	switch {
	case w.disk.reason != nil:
	case w.inside:
		all = append(all, fault{"disk filled", "disk", func(ctx context.Context, length time.Duration) error {
			if err := w.disk.fill(); err != nil {
				return err
			}
			pause(ctx, length)
			w.disk.empty()
			return nil
		}})
	default:
		all = append(all, fault{"disk of NATS filled", "nats", func(ctx context.Context, length time.Duration) error {
			if err := w.disk.fill(); err != nil {
				return err
			}
			pause(ctx, length)
			w.disk.empty()
			// A server that could not write keeps nothing more until it is started again.
			w.nats.kill()
			return w.nats.start()
		}})
	}
	if w.only != "" {
		var some []fault
		for _, f := range all {
			if strings.Contains(f.name, w.only) {
				some = append(some, f)
			}
		}
		return some
	}
	return all
}

// torment breaks one or two things at a time until the time is over, and checks
// in between that everything works.
func (w *world) torment(ctx context.Context) error {
	faults := w.faults()
	if len(faults) == 0 {
		return fmt.Errorf("nothing that can be broken is called %q", w.only)
	}
	if w.disk.reason != nil {
		w.say("left out: disks filled: %v", w.disk.reason)
	}
	if w.clocks.reason != nil {
		w.say("left out: clocks set: %v", w.clocks.reason)
	}
	chance := rand.New(rand.NewPCG(w.seed, 0))
	end := w.began.Add(w.time)
	if err := w.healthy(ctx); err != nil {
		return err
	}
	for told := 0; time.Now().Before(end) && ctx.Err() == nil; {
		chosen := []fault{faults[chance.IntN(len(faults))]}
		if second := faults[chance.IntN(len(faults))]; chance.IntN(3) == 0 && second.target != chosen[0].target {
			chosen = append(chosen, second)
		}
		var breaking sync.WaitGroup
		failed := make(chan error, len(chosen))
		for _, f := range chosen {
			length := time.Duration(500+chance.IntN(4500)) * time.Millisecond
			w.say("%s, for %.1f s", f.name, length.Seconds())
			breaking.Go(func() {
				if err := f.run(ctx, length); err != nil {
					failed <- fmt.Errorf("%s: %w", f.name, err)
				}
			})
		}
		breaking.Wait()
		close(failed)
		if err := <-failed; err != nil {
			return err
		}
		began := time.Now()
		if err := w.healthy(ctx); err != nil {
			return err
		}
		w.say("well again, after %.1f s; %+v", time.Since(began).Seconds(), w.log.Totals())
		violations := w.log.Violations()
		for _, violation := range violations[told:] {
			w.say("this must not be: %s", violation)
		}
		told = len(violations)
		pause(ctx, time.Duration(500+chance.IntN(2500))*time.Millisecond)
	}
	return ctx.Err()
}

// terminate stops the gateway in order and starts it again: every connection has
// its $disconnect before.
func (w *world) terminate(ctx context.Context, length time.Duration) error {
	w.gateway.broken.Store(true)
	running := w.gateway.current.Load()
	running.Signal(syscall.SIGTERM)
	select {
	case <-running.Done():
	case <-time.After(recovery):
		w.log.Violate("a gateway that was told to stop did not: %s", tail(running.Log()))
		running.Kill()
		w.log.Killed()
	}
	w.checkLog()
	pause(ctx, length/4)
	return w.gateway.start()
}

// slow sets the longest time that a backend takes, in milliseconds.
func slow(address string, milliseconds int) error {
	request, err := http.NewRequest(http.MethodPut, "http://"+address+"/slow", strings.NewReader(fmt.Sprint(milliseconds)))
	if err != nil {
		return err
	}
	answer, err := impatient.Do(request)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// flood makes clients send as fast as they can, and read nothing.
func (w *world) flood(ctx context.Context, length time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	w.floods++
	var clients sync.WaitGroup
	for i := range 50 {
		clients.Go(func() {
			socket, err := load.DialSocket(w.public, fmt.Sprintf("%s?key=f%d.%d", w.paths[0], w.floods, i))
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, socket.Close)
			defer stop()
			defer socket.Close()
			text := marshal(map[string]any{"action": actions[i%len(actions)], "id": "flood", "padding": strings.Repeat("x", 20_000)})
			for err == nil {
				err = socket.Send(text)
			}
		})
	}
	clients.Wait()
	return nil
}

// silence opens connections that send nothing, or that send and do not read.
func (w *world) silence(ctx context.Context, length time.Duration) error {
	var open []net.Conn
	defer func() {
		for _, conn := range open {
			conn.Close()
		}
	}()
	for i := range 500 {
		conn, err := net.DialTimeout("tcp4", w.public, time.Second)
		if err != nil {
			break
		}
		if open = append(open, conn); i%2 == 0 {
			_, _ = conn.Write([]byte(strings.Repeat("GET /none HTTP/1.1\r\nHost: x\r\n\r\n", 1000)))
		}
	}
	pause(ctx, length)
	return nil
}
