//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// measured is what was seen. Times are since the beginning.
type measured struct {
	*options
	capacity float64 // messages per second that the gateway can do
	answers  []answer
	samples  []sample
	flood    *load.Flood
	drained  time.Duration // when the last message of the overload was answered
}

// answer is one that another client has got.
type answer struct {
	at, took time.Duration
}

// sample is what there is at a time.
type sample struct {
	at       time.Duration
	memory   int64 // of the gateway, in bytes
	answered int64 // messages of the overload until then
}

const (
	sampled = 250 * time.Millisecond
	stage   = "bench"
)

// measure runs the gateway through all of it.
func measure(ctx context.Context, l *lab.Lab, o *options) (*measured, error) {
	backend, url, err := l.Backend(ctx)
	if err != nil {
		return nil, err
	}
	g, err := l.Serve(ctx, "data", fmt.Sprintf("STAGEDOOR_LIMITS_MEMORY=%dMiB", o.memory), "STAGEDOOR_LIMITS_PING=none")
	if err != nil {
		return nil, err
	}
	defer g.Plane.Close()
	path, err := g.Deploy(ctx, filepath.Join("gateway", "template.yaml"), stage, "--parameter", "Backend="+url)
	if err != nil {
		return nil, err
	}
	protocol := load.NewWebSocket(g.Public, path, load.Message("call", "", 128))
	m := &measured{options: o}
	if m.capacity, err = capacity(g.Public, protocol); err != nil {
		return nil, err
	}
	fmt.Printf("The gateway answers %.0f messages a second; it is sent %.0f for %v\n", m.capacity, m.capacity*o.times, o.during)
	if err := m.observe(ctx, g, path, protocol); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, g.Tail())
	}
	select {
	case <-g.Done():
		return nil, errors.New("the gateway has ended")
	case <-backend.Done():
		return nil, errors.New("the backend has ended")
	default:
		return m, nil
	}
}

// capacity is how many messages a second a gateway answers at 100 connections.
func capacity(address string, protocol load.Protocol) (float64, error) {
	result, err := load.Run(load.Options{
		Address: address, Protocol: protocol, Connections: 100,
		Warmup: time.Second, Duration: 3 * time.Second, Loops: runtime.NumCPU(),
	})
	if err == nil && len(result.Errors) > 0 {
		err = result.Errors[0]
	}
	return result.Rate(), err
}

// observe has clients ask all the time, and overload in the middle of it.
func (m *measured) observe(ctx context.Context, g *lab.Gateway, path string, protocol *load.WebSocket) error {
	flooders, err := load.Open(g.Public, protocol, m.connections)
	if err != nil {
		return err
	}
	defer flooders.Close()
	began := time.Now()
	end := began.Add(m.before + m.during + m.after)
	var clients sync.WaitGroup
	answers, failures := make([][]answer, m.probes), make([]error, m.probes)
	for i := range m.probes {
		clients.Go(func() { answers[i], failures[i] = probe(g.Public, path, began, end) })
	}
	err = m.overload(ctx, g.Process, flooders, protocol, began, end)
	clients.Wait()
	for _, list := range answers {
		m.answers = append(m.answers, list...)
	}
	return errors.Join(append(failures, err)...)
}

// overload sends, when it is time, and takes samples until the end.
func (m *measured) overload(ctx context.Context, g *process.Process, flooders *load.Connections, protocol *load.WebSocket, began, end time.Time) error {
	tick := time.NewTicker(sampled)
	defer tick.Stop()
	var sending sync.WaitGroup
	defer sending.Wait()
	for now := began; now.Before(end); {
		if m.flood == nil && now.Sub(began) >= m.before {
			var err error
			if m.flood, err = flooders.Flood(protocol, m.capacity*m.times, m.during, m.after); err != nil {
				return err
			}
			sending.Go(func() {
				m.flood.Wait()
				m.drained = time.Since(began)
			})
		}
		s := sample{at: now.Sub(began)}
		var err error
		if s.memory, err = process.Memory(g.PID); err != nil {
			return err
		}
		if m.flood != nil {
			s.answered = m.flood.Answered.Load()
		}
		m.samples = append(m.samples, s)
		select {
		case now = <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// probe asks again and again until end. That an answer is wrong, or the connection
// ends, is an error.
func probe(address, path string, began, end time.Time) ([]answer, error) {
	socket, err := load.DialSocket(address, path)
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	message := string(load.Message("call", "", 128))
	var list []answer
	for time.Now().Before(end) {
		sent := time.Now()
		got, err := socket.Ask(message)
		if err != nil {
			return list, fmt.Errorf("a client that does not overload the gateway, after %v: %w", sent.Sub(began), err)
		}
		if got != message {
			return list, fmt.Errorf("a client that does not overload the gateway is answered %q", got)
		}
		list = append(list, answer{at: sent.Sub(began), took: time.Since(sent)})
		time.Sleep(20 * time.Millisecond)
	}
	return list, nil
}
