//go:build linux

package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/peers"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// Names of what the gateway is compared with.
const (
	bare  = "Node.js server"
	cores = "Node.js server, a process a core"
)

// programs are those that are measured.
type programs struct {
	bare, cores, gateway *process.Process
	before               *process.Process // nil: there is none
	peer                 rounds.System    // its Process is nil where there is none
	missing              string           // why not
}

func start(ctx context.Context, l *lab.Lab, o *options) (*programs, error) {
	p := &programs{}
	var err error
	if p.bare, err = startServer(ctx, l, 1); err != nil {
		return nil, err
	}
	if p.cores, err = startServer(ctx, l, runtime.NumCPU()); err != nil {
		return nil, err
	}
	template, err := writeTemplate(l.Folder)
	if err != nil {
		return nil, err
	}
	if p.gateway, err = l.Dev(ctx, template); err != nil {
		return nil, err
	}
	if o.Before != "" {
		if p.before, err = l.DevOf(ctx, o.Before, template); err != nil {
			return nil, err
		}
	}
	if o.peer {
		if p.peer, err = peers.Start(ctx, l, "serverless-offline", p.bare.Address, nil); err != nil {
			p.missing = fmt.Sprintf("Not compared with serverless-offline: %v\n", err)
		}
	}
	return p, ctx.Err()
}

// startServer runs the handlers in Node.js without anything in between.
func startServer(ctx context.Context, l *lab.Lab, workers int) (*process.Process, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	return l.Start(ctx, process.Spec{
		Name: "server", Command: []string{node, filepath.Join("functions", "app", "node", "server.js")}, Address: address,
		Env: []string{"LISTEN=" + address, fmt.Sprint("WORKERS=", workers)},
	})
}

// systems are those that do a work.
func (p *programs) systems(work string) ([]rounds.System, error) {
	if !slices.Contains(works, work) {
		return nil, fmt.Errorf("-works: %q is none of %v", work, works)
	}
	message := load.Message(work, "", 128)
	systems := []rounds.System{{Name: bare, Process: p.bare, Protocol: load.NewHTTP(p.bare.Address, "/"+work, message)}}
	if work == compute {
		systems = append(systems, rounds.System{Name: cores, Process: p.cores, Protocol: load.NewHTTP(p.cores.Address, "/"+work, message)})
	}
	if p.peer.Process != nil {
		peer := p.peer
		peer.Optional, peer.Protocol = true, load.NewWebSocket(peer.Process.Address, "/", message)
		systems = append(systems, peer)
	}
	for _, l := range languages {
		message := load.Message(l.route(work), "", 128)
		add := func(name string, gateway *process.Process) {
			systems = append(systems, rounds.System{Name: name, Process: gateway, Protocol: load.NewWebSocket(gateway.Address, "/bench", message)})
		}
		add("dev, "+l.name, p.gateway)
		if p.before != nil {
			add("before, "+l.name, p.before)
		}
	}
	return systems, nil
}

// does says what handlers do with a work.
func (p *programs) does(work string) string {
	return map[string]string{
		echo:    "answer with the message",
		compute: "hash a mebibyte",
		wait:    "wait for 50 ms",
	}[work]
}
