//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// memory measures how much memory idle connections take of a gateway that has
// done nothing else. Each connection has had a message answered before, so that
// memory that is allocated at first use is counted.
func memory(ctx context.Context, l *lab.Lab, o *options) (string, error) {
	_, url, err := l.Backend(ctx)
	if err != nil {
		return "", err
	}
	g, err := l.Dev(ctx, template, "--parameter", "Backend="+url)
	if err != nil {
		return "", err
	}
	defer g.Stop()
	protocol := load.NewWebSocket(g.Address, "/"+stage, callMessage)
	fmt.Printf("Waiting until memory has not shrunk for %v, before and after %d connections\n", o.settle, o.idle)
	before, err := g.Settled(ctx, o.settle)
	if err != nil {
		return "", err
	}
	conns, err := load.Open(g.Address, protocol, o.idle)
	if err != nil {
		return "", fmt.Errorf("%d idle connections: %w\n%s", o.idle, err, g.LogEnd())
	}
	defer conns.Close()
	if err := conns.Exchange(); err != nil {
		return "", fmt.Errorf("a message on each of %d connections: %w", o.idle, err)
	}
	after, err := g.Settled(ctx, o.settle)
	if err != nil {
		return "", err
	}
	// All connections must still be open, or the measurement is of fewer.
	if err := conns.Exchange(); err != nil {
		return "", fmt.Errorf("idle connections afterwards: %w", err)
	}
	return fmt.Sprintf("%d idle connections: %.2f KiB of user memory each (%.1f MiB before, %.1f MiB with them).\n",
		o.idle, float64(after-before)/float64(o.idle)/(1<<10), report.Mebibytes(before), report.Mebibytes(after)), nil
}
