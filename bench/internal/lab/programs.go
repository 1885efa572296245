//go:build linux

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/plane"
	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// Backend runs the HTTP backend, with flags of ./backend, and returns it with the
// URL at which it answers requests with their bodies.
func (l *Lab) Backend(ctx context.Context, flags ...string) (p *process.Process, url string, err error) {
	p, err = l.own(ctx, "backend", flags...)
	if err != nil {
		return nil, "", err
	}
	return p, "http://" + p.Address + EchoPath, nil
}

// EchoPath is where the backend is called.
const EchoPath = "/echo"

// Relay runs the bare relay to a backend; without one, it sends messages back.
func (l *Lab) Relay(ctx context.Context, backend string) (*process.Process, error) {
	return l.own(ctx, "relay", "-backend", backend)
}

// own runs a program of this module that has the flag -listen.
func (l *Lab) own(ctx context.Context, name string, flags ...string) (*process.Process, error) {
	path, err := l.build(ctx, ".", "./"+name)
	if err != nil {
		return nil, err
	}
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	return l.Start(ctx, process.Spec{Name: name, Command: append([]string{path, "-listen", address}, flags...), Address: address})
}

// Dev runs "stagedoor dev" with a template and flags.
func (l *Lab) Dev(ctx context.Context, template string, flags ...string) (*process.Process, error) {
	path, err := l.Gateway(ctx)
	if err != nil {
		return nil, err
	}
	return l.DevOf(ctx, path, template, flags...)
}

// DevOf is Dev of another build of the gateway.
func (l *Lab) DevOf(ctx context.Context, gateway, template string, flags ...string) (*process.Process, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	command := []string{gateway, "dev", template, "--json", "--listen", address, "--admin", admin}
	return l.Start(ctx, process.Spec{
		Name: "stagedoor dev", Command: append(command, flags...), Address: address, Ready: "http://" + admin + "/readyz",
	})
}

// Await waits until clients are let in at a path of a gateway: "dev" accepts
// connections before it has all of a template.
func Await(ctx context.Context, address, path string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		socket, err := load.DialSocket(address, path)
		if err == nil {
			socket.Close()
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("no client is let in: %w", err)
		}
	}
}

// Gateway is a running "stagedoor serve".
type Gateway struct {
	*process.Process
	Public string        // host:port for clients
	Plane  *plane.Client // its control plane

	program, admin string
}

// Serve runs "stagedoor serve" without a check of signatures, on a data folder of
// the lab, with variables of the environment ("STAGEDOOR_…=…").
func (l *Lab) Serve(ctx context.Context, data string, env ...string) (*Gateway, error) {
	return l.ServeConfigured(ctx, data, "", env...)
}

// ServeConfigured is Serve with a configuration file; empty: none.
func (l *Lab) ServeConfigured(ctx context.Context, data, config string, env ...string) (*Gateway, error) {
	path, err := l.Gateway(ctx)
	if err != nil {
		return nil, err
	}
	command := []string{
		path, "serve", "--open", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--data", filepath.Join(l.Folder, data),
	}
	if config != "" {
		command = append(command, "--config", config)
	}
	p, err := l.Start(ctx, process.Spec{Name: "stagedoor serve", Env: env, Command: command})
	if err != nil {
		return nil, err
	}
	var ready struct{ Public, Admin string }
	if err := json.Unmarshal(p.ReadyLine, &ready); err != nil {
		p.Stop()
		return nil, fmt.Errorf("the ready line %q: %w", p.ReadyLine, err)
	}
	g := &Gateway{Process: p, Public: strings.TrimPrefix(ready.Public, "http://"), Plane: plane.New(ready.Admin), program: path, admin: ready.Admin}
	g.Address = g.Public
	return g, nil
}

// Tail is the end of the gateway's log, without what is not a warning.
func (g *Gateway) Tail() string {
	var lines []string
	for line := range strings.Lines(g.Log()) {
		if !strings.Contains(line, `"level":"INFO"`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-20):], "")
}

// Deploy puts the API of a template into the gateway, by "stagedoor deploy" with
// flags, and returns the path of one of its stages.
func (g *Gateway) Deploy(ctx context.Context, template, stage string, flags ...string) (string, error) {
	command := append([]string{"deploy", template, "--gateway", g.admin, "--yes"}, flags...)
	if output, err := exec.CommandContext(ctx, g.program, command...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("deploying %s: %w\n%s", template, err, output)
	}
	list, err := g.Plane.Call(ctx, http.MethodGet, "", nil)
	if err != nil {
		return "", err
	}
	items, _ := list["items"].([]any)
	if len(items) != 1 {
		return "", fmt.Errorf("the gateway has %d APIs, not one: %v", len(items), list)
	}
	api, _ := items[0].(map[string]any)
	return fmt.Sprintf("/_aws/execute-api/%v/%s", api["apiId"], stage), nil
}

// Admin is the URL of the gateway's admin port.
func (g *Gateway) Admin() string { return g.admin }
