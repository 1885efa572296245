//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// memory measures how much memory idle connections take of gateways that have done
// nothing else: a line for dev, and one for serve.
func memory(ctx context.Context, l *lab.Lab, o *options) (string, error) {
	_, url, err := l.Backend(ctx)
	if err != nil {
		return "", err
	}
	dev, err := l.Dev(ctx, template, "--parameter", "Backend="+url)
	if err != nil {
		return "", err
	}
	defer dev.Stop()
	text, err := idle(ctx, o, "dev", dev, "/"+stage)
	if err != nil {
		return "", err
	}
	serve, err := l.Serve(ctx, "memory")
	if err != nil {
		return "", err
	}
	defer serve.Stop()
	defer serve.Plane.Close()
	path, err := serve.Deploy(ctx, template, stage, "--parameter", "Backend="+url)
	if err != nil {
		return "", err
	}
	more, err := idle(ctx, o, "serve", serve.Process, path)
	return text + "\n" + more, err
}

// idle measures one gateway.
func idle(ctx context.Context, o *options, name string, g *process.Process, path string) (string, error) {
	if err := lab.Await(ctx, g.Address, path); err != nil {
		return "", err
	}
	protocol := load.NewWebSocket(g.Address, path, callMessage)
	open := func(count int) (held, error) { return load.Open(g.Address, protocol, count) }
	fmt.Printf("Waiting until the memory of %s has not shrunk for %v, before and after %d connections\n", name, o.settle, o.idle)
	before, after, err := around(open, o.idle, func() (int64, error) { return g.Settled(ctx, o.settle) })
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, g.LogEnd())
	}
	return fmt.Sprintf("%s, %d idle connections: %.2f KiB of user memory each (%.1f MiB before, %.1f MiB with them).\n",
		name, o.idle, float64(after-before)/float64(o.idle)/(1<<10), report.Mebibytes(before), report.Mebibytes(after)), nil
}
