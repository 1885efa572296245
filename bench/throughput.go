//go:build linux

package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// Names of the systems in the table.
const (
	direct  = "backend, called directly"
	gateway = "Stagedoor"
	// gatewayBefore is another build of it.
	gatewayBefore = "Stagedoor, before"
	peerCall      = "serverless-offline"
	peerEcho      = "serverless-offline, no backend"
)

// Where things are.
const (
	backendPath = "/echo"
	stagePath   = "/bench"
)

// payload is a message of 128 bytes. All systems get the same, except for the
// action, by which serverless-offline finds its function.
func payload(action string) []byte {
	head, tail := `{"action":"`+action+`","text":"`, `"}`
	return []byte(head + strings.Repeat("x", 128-len(head)-len(tail)) + tail)
}

// system is a system that answers messages.
type system struct {
	name     string
	process  *process.Process
	protocol load.Protocol
}

func (l *lab) systems() []system {
	webSocket := func(p *process.Process, path, action string) load.Protocol {
		return load.NewWebSocket(p.Address, path, payload(action))
	}
	systems := []system{
		{direct, l.backend, load.NewHTTP(l.backend.Address, backendPath, payload("call"))},
		{gateway, l.gateway, webSocket(l.gateway, stagePath, "call")},
	}
	if l.before != nil {
		systems = append(systems, system{gatewayBefore, l.before, webSocket(l.before, stagePath, "call")})
	}
	if l.peer != nil {
		systems = append(systems,
			system{peerCall, l.peer, webSocket(l.peer, "/", "call")},
			system{peerEcho, l.peer, webSocket(l.peer, "/", "echo")})
	}
	return systems
}

// throughput measures every system at every number of connections.
func (l *lab) throughput(ctx context.Context, o *options) ([]report.Row, error) {
	systems := l.systems()
	var rows []report.Row
	for _, connections := range o.counts {
		results, err := takeTurns(ctx, o, systems, connections)
		if err != nil {
			return nil, err
		}
		for i, s := range systems {
			row := s.row(connections, &results[i])
			fmt.Printf("%5d  %-32s %9.0f messages/s\n", row.Connections, row.System, row.Rate)
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// takeTurns measures the systems in rounds, so that other load of the machine
// affects all of them. Of the first round, which warms up pools and compilers,
// only the errors count.
func takeTurns(ctx context.Context, o *options, systems []system, connections int) ([]load.Result, error) {
	results := make([]load.Result, len(systems))
	for round := range o.rounds + 1 {
		for i, s := range systems {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			result, err := s.measure(o, connections)
			if err != nil {
				return nil, fmt.Errorf("%s, %d connections: %w\n%s", s.name, connections, err, s.process.Log())
			}
			for _, failure := range result.Errors[:min(3, len(result.Errors))] {
				fmt.Printf("%s, %d connections: %v\n", s.name, connections, failure)
			}
			if round == 0 {
				result = load.Result{Errors: result.Errors}
			}
			results[i].Add(result)
		}
	}
	return results, nil
}

// measure runs one round.
func (s *system) measure(o *options, connections int) (load.Result, error) {
	return load.Run(load.Options{
		Address: s.process.Address, Protocol: s.protocol, Connections: connections,
		Warmup: o.warmup, Duration: o.duration, Loops: runtime.NumCPU(),
		Meter: func() (time.Duration, error) { return process.ProcessorTime(s.process.PID) },
	})
}

func (s *system) row(connections int, r *load.Result) report.Row {
	messages := time.Duration(max(1, len(r.Latencies)))
	return report.Row{
		System: s.name, Connections: connections, Rate: r.Rate(),
		P50: report.Percentile(r.Latencies, 50), P99: report.Percentile(r.Latencies, 99),
		Client: r.CPU / messages, Server: r.Server / messages, Errors: len(r.Errors),
	}
}
