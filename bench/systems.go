//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/peers"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// Names of what the others are compared with.
const (
	direct = "direct" // the load client calls the backend
	relay  = "relay"
	echo   = "echo" // the relay without a backend
)

// Of the API that the gateway runs.
const stage = "bench"

var template = filepath.Join("gateway", "template.yaml")

// systems are those that are measured.
type systems struct {
	calling   []rounds.System // answer with what the backend answers
	answering []rounds.System // answer themselves
	missing   string          // a line for each peer that could not be started
}

// start starts them.
func start(ctx context.Context, l *lab.Lab, o *options) (*systems, error) {
	backend, url, err := l.Backend(ctx)
	if err != nil {
		return nil, err
	}
	s := &systems{}
	s.calling = append(s.calling, rounds.System{Name: direct, Process: backend, Protocol: load.NewHTTP(backend.Address, lab.EchoPath, callMessage)})
	if err := s.startRelays(ctx, l, url); err != nil {
		return nil, err
	}
	if err := s.startGateways(ctx, l, o, url); err != nil {
		return nil, err
	}
	for _, name := range o.peers {
		peer, err := peers.Start(ctx, l, name, backend.Address, callMessage)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			s.missing += fmt.Sprintf("Not compared with %s: %v\n", name, err)
			continue
		}
		peer.Optional = true
		s.calling = append(s.calling, peer)
	}
	return s, nil
}

// callMessage is what all that call the backend are sent.
var callMessage = load.Message("call", "", 128)

func (s *systems) startRelays(ctx context.Context, l *lab.Lab, url string) error {
	p, err := l.Relay(ctx, url)
	if err != nil {
		return err
	}
	s.calling = append(s.calling, rounds.System{Name: relay, Process: p, Protocol: load.NewWebSocket(p.Address, "/", callMessage)})
	if p, err = l.Relay(ctx, ""); err != nil {
		return err
	}
	s.answering = append(s.answering, rounds.System{Name: echo, Process: p, Protocol: load.NewWebSocket(p.Address, "/", callMessage)})
	return nil
}

func (s *systems) startGateways(ctx context.Context, l *lab.Lab, o *options, url string) error {
	p, err := l.Dev(ctx, template, "--parameter", "Backend="+url)
	if err != nil {
		return err
	}
	if err := lab.Await(ctx, p.Address, "/"+stage); err != nil {
		return err
	}
	s.addGateway("dev", p, "/"+stage)
	if o.Before != "" {
		if p, err = l.DevOf(ctx, o.Before, template, "--parameter", "Backend="+url); err != nil {
			return err
		}
		s.addGateway("dev, before", p, "/"+stage)
	}
	g, err := l.Serve(ctx, "data")
	if err != nil {
		return err
	}
	path, err := g.Deploy(ctx, template, stage, "--parameter", "Backend="+url)
	if err != nil {
		return err
	}
	s.addGateway("serve", g.Process, path)
	return nil
}

// addGateway adds a gateway's integrations: HTTP_PROXY, and a mock without
// templates. Its status is what the message says, and its answer is empty.
func (s *systems) addGateway(name string, p *process.Process, path string) {
	s.calling = append(s.calling, rounds.System{Name: name, Process: p, Protocol: load.NewWebSocket(p.Address, path, callMessage)})
	mock := load.NewWebSocket(p.Address, path, load.Message("mock", `"statusCode":200,`, 128)).AnsweredBy(nil)
	s.answering = append(s.answering, rounds.System{Name: name + ", MOCK", Process: p, Protocol: mock})
}
