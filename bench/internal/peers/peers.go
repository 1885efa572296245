//go:build linux

// Package peers installs and runs what the gateway is compared with. What it
// installs goes to the user's cache, at versions that are named here and in the
// folder peers.
package peers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// Names are the peers, as -peers takes them.
func Names() []string { return []string{"centrifugo", "ws", "serverless-offline", "pushpin"} }

// peer is a system that calls the backend for each message.
type peer struct {
	// install makes it ready in a folder, which may have it already, and returns its
	// program.
	install func(ctx context.Context, folder string) (program string, err error)
	// start runs it on an address, with requests to the backend. The folder is of
	// this run.
	start func(ctx context.Context, r *run) (rounds.System, error)
}

// run is what a peer is started with.
type run struct {
	*lab.Lab
	installed string // the folder of the install
	program   string
	address   string // to listen on
	backend   string // host:port
	message   []byte
}

// Start installs a peer and runs it. Where that cannot be done, the error says why.
func Start(ctx context.Context, l *lab.Lab, name, backend string, message []byte) (rounds.System, error) {
	p, known := map[string]peer{
		"centrifugo":         {installCentrifugo, startCentrifugo},
		"ws":                 {installNode("ws"), startWS},
		"serverless-offline": {installNode("serverless-offline"), startServerlessOffline},
		"pushpin":            {installPushpin, startPushpin},
	}[name]
	if !known {
		return rounds.System{}, fmt.Errorf("%q is no peer; there are %s", name, strings.Join(Names(), ", "))
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return rounds.System{}, err
	}
	r := &run{Lab: l, installed: filepath.Join(cache, "stagedoor-bench", name), backend: backend, message: message}
	if err := os.MkdirAll(r.installed, 0o700); err != nil {
		return rounds.System{}, err
	}
	if r.program, err = p.install(ctx, r.installed); err != nil {
		return rounds.System{}, err
	}
	if r.address, err = process.FreeAddress(); err != nil {
		return rounds.System{}, err
	}
	return p.start(ctx, r)
}

// command runs a program that installs something, and shows what it said where it
// fails. A program that is not there is named.
func command(ctx context.Context, folder string, env []string, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = folder
	c.Env = append(os.Environ(), env...)
	output, err := c.CombinedOutput()
	if err == nil {
		return nil
	}
	text := strings.TrimSpace(string(output))
	return fmt.Errorf("%s: %w %s", strings.Join(c.Args, " "), err, text[max(0, len(text)-500):])
}
