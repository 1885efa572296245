//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// measured is a point with what it costs.
type measured struct {
	*point
	cpu, relay time.Duration // per message: of the gateway, and of the relay for the same messages
	share      float64       // the median of what the one is in parts of the other
	held       int           // connections whose memory was read
	memory     int64         // bytes of each
}

// measure measures all points.
func measure(ctx context.Context, l *lab.Lab, o *options) ([]*measured, error) {
	_, backend, err := l.Backend(ctx)
	if err != nil {
		return nil, err
	}
	relay, err := l.Relay(ctx, backend)
	if err != nil {
		return nil, err
	}
	var list []*measured
	for _, p := range points() {
		m := &measured{point: p}
		if err := m.messages(ctx, l, o, backend, relay); err != nil {
			return nil, fmt.Errorf("%v: %w", p, err)
		}
		fmt.Printf("%7d %-12s %8v per message\n", p.value(), p.grows.name, m.cpu.Round(100*time.Nanosecond))
		list = append(list, m)
	}
	return list, memory(ctx, l, list, backend, o.settle)
}

func (p *point) start(ctx context.Context, l *lab.Lab, backend string) (*process.Process, error) {
	file := filepath.Join(l.Folder, fmt.Sprint(p.grows.name, p.value(), ".yaml"))
	if err := os.WriteFile(file, []byte(p.template(backend)), 0o600); err != nil {
		return nil, err
	}
	g, err := l.Dev(ctx, file)
	if err != nil {
		return nil, err
	}
	return g, lab.Await(ctx, g.Address, fmt.Sprint("/stage", p.stages-1))
}

// messages measures a gateway and the relay in turns.
func (m *measured) messages(ctx context.Context, l *lab.Lab, o *options, backend string, relay *process.Process) error {
	g, err := m.start(ctx, l, backend)
	if err != nil {
		return err
	}
	defer g.Stop()
	results, err := rounds.Take(ctx, o.rounds, []rounds.System{
		{Name: "dev", Process: g, Protocol: m.protocol(g.Address)},
		{Name: "relay", Process: relay, Protocol: load.NewWebSocket(relay.Address, "/", m.message())},
	}, m.connections)
	if err != nil {
		return err
	}
	m.cpu, m.relay = results[0].Median().Server, results[1].Median().Server
	m.share = results[0].ServerShare(&results[1])
	_, err = rounds.Failed(results)
	return err
}
