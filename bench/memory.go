//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// memory measures how much memory idle connections take of a gateway that has
// done nothing else. Each connection has had a message answered before, so that
// memory that is allocated at first use is counted.
func (l *lab) memory(ctx context.Context, o *options) (string, error) {
	g, err := l.startGateway(ctx, "stagedoor", l.binary)
	if err != nil {
		return "", err
	}
	defer g.Stop()
	protocol := load.NewWebSocket(g.Address, stagePath, payload("call"))
	before, err := settled(ctx, g, o.settle)
	if err != nil {
		return "", err
	}
	conns, err := load.Open(g.Address, protocol, o.idle)
	if err != nil {
		return "", fmt.Errorf("%d idle connections: %w\n%s", o.idle, err, g.Log())
	}
	defer conns.Close()
	if err := conns.Exchange(); err != nil {
		return "", fmt.Errorf("a message on each of %d connections: %w", o.idle, err)
	}
	after, err := settled(ctx, g, o.settle)
	if err != nil {
		return "", err
	}
	// All connections must still be open, or the measurement is of fewer.
	if err := conns.Exchange(); err != nil {
		return "", fmt.Errorf("idle connections afterwards: %w", err)
	}
	return fmt.Sprintf("%d idle connections: %.2f KiB of user memory each (%.1f MiB before, %.1f MiB with them).\n",
		o.idle, float64(after-before)/float64(o.idle)/(1<<10), mebibytes(before), mebibytes(after)), nil
}

// settled waits until a process's memory has not shrunk for some time, which
// lets Go's runtime collect and return what is free, and returns it in bytes.
func settled(ctx context.Context, p *process.Process, still time.Duration) (int64, error) {
	fmt.Printf("Waiting until the memory of %s has not shrunk for %v\n", p.Name, still)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var least int64
	for since := time.Now(); ; {
		now, err := process.Memory(p.PID)
		if err != nil {
			return 0, err
		}
		// A page more or less does not count.
		if least == 0 || now < least-least/200 {
			least, since = now, time.Now()
		}
		if time.Since(since) >= still {
			return now, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
