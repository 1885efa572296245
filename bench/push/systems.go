//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/plane"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// Names of the systems in the tables.
const (
	bare  = "net/http"
	least = "bare push"
	dev   = "Stagedoor dev"
	serve = "Stagedoor serve"
)

// The key of the pusher in serve.
var pusher = &plane.Signer{AccessKeyID: "AKIDPUSHER", Secret: "a secret of sixteen characters or more", Now: time.Now}

// system answers requests.
type system struct {
	name     string
	signed   bool // the requests are
	process  *process.Process
	requests func() [][]byte // for connections that are open; signed ones are good for five minutes

	clients *load.Connections // WebSockets; nil: it has none
	drain   *load.Drain
}

// start starts all systems, with the clients that are pushed to. Those that it
// returns have to be closed, after an error as well.
func start(ctx context.Context, l *lab.Lab, o *options) (list []*system, err error) {
	program, err := l.Gateway(ctx)
	if err != nil {
		return nil, err
	}
	builds := []struct{ suffix, program string }{{"", program}}
	if o.Before != "" {
		builds = append(builds, struct{ suffix, program string }{", before", o.Before})
	}
	for _, build := range builds {
		s, err := startDev(ctx, l, build.program)
		if err != nil {
			return list, err
		}
		s.name = dev + build.suffix
		list = append(list, s)
		if err := s.connect(o, "/prod", nil); err != nil {
			return list, err
		}
		s, stage, err := startServe(ctx, l, build.program)
		if err != nil {
			return list, err
		}
		s.name, s.signed = serve+build.suffix, true
		list = append(list, s)
		if err := s.connect(o, stage, pusher); err != nil {
			return list, err
		}
	}
	p, err := startOwn(ctx, l, bareCommand)
	if err != nil {
		return list, err
	}
	s, err := startFloor(ctx, l, o)
	if err != nil {
		return list, err
	}
	// The bare server gets the requests of the first of each kind.
	bases := []*system{{name: bare, process: p, requests: list[0].requests}, {name: bare, signed: true, process: p, requests: list[1].requests}}
	if o.method == http.MethodPost {
		bases = append(bases, s, &system{name: least, signed: true, process: s.process, requests: list[1].requests, drain: s.drain})
	}
	return append(bases, list...), nil
}

// startFloor starts the floor with its clients.
func startFloor(ctx context.Context, l *lab.Lab, o *options) (*system, error) {
	p, err := startOwn(ctx, l, floorCommand)
	if err != nil {
		return nil, err
	}
	s := &system{name: least, process: p}
	if s.clients, err = load.Open(p.Address, load.NewWebSocket(p.Address, "/", nil), o.sockets); err != nil {
		return nil, err
	}
	if s.drain, err = s.clients.Drain(); err != nil {
		return nil, err
	}
	s.requests = func() [][]byte {
		return [][]byte{request(o.method, p.Address, "/prod/@connections/L0SM9cOFvHcCIhw=", bytes.Repeat([]byte("x"), o.size), nil)}
	}
	return s, nil
}

// startOwn starts this program with a command.
func startOwn(ctx context.Context, l *lab.Lab, command string) (*process.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	return l.Start(ctx, process.Spec{Name: command, Command: []string{self, command, address}, Address: address})
}

func startDev(ctx context.Context, l *lab.Lab, program string) (*system, error) {
	p, err := l.DevOf(ctx, program, filepath.Join("push", "template.yaml"))
	return &system{process: p}, err
}

// startServe returns the path of a stage as well.
func startServe(ctx context.Context, l *lab.Lab, program string) (s *system, stage string, err error) {
	folder, err := os.MkdirTemp(l.Folder, "serve-")
	if err != nil {
		return nil, "", err
	}
	configuration := filepath.Join(folder, "stagedoor.yaml")
	text := fmt.Sprintf(`listen: 127.0.0.1:0
admin: {listen: "127.0.0.1:0"}
data: %q
credentials:
  - user: pusher
    accessKeyId: %s
    secretAccessKeyEnv: PUSHER_SECRET
    policies: [{Version: 2012-10-17, Statement: {Effect: Allow, Action: "*", Resource: "*"}}]
`, filepath.Join(folder, "data"), pusher.AccessKeyID)
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		return nil, "", err
	}
	p, err := l.Start(ctx, process.Spec{
		Name: "stagedoor serve", Command: []string{program, "serve", "--json", "--config", configuration},
		Env: []string{"PUSHER_SECRET=" + pusher.Secret, "STAGEDOOR_LIMITS_REQUESTS=none", "STAGEDOOR_LIMITS_CONNECTS=none"},
	})
	if err != nil {
		return nil, "", err
	}
	var ready struct{ Public, Admin string }
	if err := json.Unmarshal(p.ReadyLine, &ready); err != nil {
		return nil, "", fmt.Errorf("the ready line %q: %w", p.ReadyLine, err)
	}
	p.Address = strings.TrimPrefix(ready.Public, "http://")
	client := plane.NewSigned(ready.Admin, pusher)
	defer client.Close()
	api, err := client.Create(ctx, 2)
	if err != nil {
		return nil, "", err
	}
	if err := api.SetAnswer(ctx, "$context.connectionId"); err != nil {
		return nil, "", err
	}
	return &system{process: p}, api.Path(), api.Deploy(ctx)
}

// connect opens the WebSocket connections of a stage, and makes the requests to
// them.
func (s *system) connect(o *options, stage string, signer *plane.Signer) (err error) {
	address := s.process.Address
	s.clients, err = load.Open(address, load.NewWebSocket(address, stage, nil), o.sockets)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", s.name, err, s.process.Log())
	}
	ids, err := s.clients.Ask("{}")
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", s.name, err, s.process.Log())
	}
	if s.drain, err = s.clients.Drain(); err != nil {
		return err
	}
	var body []byte
	if o.method == http.MethodPost {
		body = bytes.Repeat([]byte("x"), o.size)
	}
	s.requests = func() [][]byte {
		requests := make([][]byte, len(ids))
		for i, id := range ids {
			requests[i] = request(o.method, address, stage+"/@connections/"+url.PathEscape(id), body, signer)
		}
		return requests
	}
	return nil
}

// request is a request with the header lines that an AWS SDK sends.
func request(method, host, path string, body []byte, signer *plane.Signer) []byte {
	lines := "User-Agent: aws-sdk-go-v2/1.30.3 os/linux lang/go#1.26 md/GOOS#linux md/GOARCH#amd64 api/apigatewaymanagementapi#1.22.3\r\n" +
		"Accept-Encoding: identity\r\n"
	if len(body) > 0 {
		lines += "Content-Type: application/octet-stream\r\n"
	}
	if signer != nil {
		r, _ := http.NewRequest(method, "http://"+host+path, nil) // always a good URL
		signer.Sign(r, body, plane.Connections)
		for name := range r.Header {
			lines += name + ": " + r.Header.Get(name) + "\r\n"
		}
	}
	return load.HTTPRequest(method, host, path, lines, body)
}

func (s *system) close() {
	if s.clients == nil {
		return
	}
	if s.drain != nil {
		_ = s.drain.Stop() // what matters was checked when it was measured
	}
	s.clients.Close()
}

// contest measures the systems in rounds, in which they take turns, and returns the
// tables: one for requests that are not signed, and one for those that are.
func contest(ctx context.Context, systems []*system, o *options) (tables string, err error) {
	var unsigned, signed []rounds.Result
	for _, connections := range o.counts {
		came := make([]int64, len(systems))
		list := make([]rounds.System, len(systems))
		for i, s := range systems {
			list[i] = rounds.System{Name: s.name, Process: s.process, Protocol: load.NewCalls(s.requests())}
			came[i] = s.came()
		}
		results, err := rounds.Take(ctx, o.rounds, list, connections)
		if err != nil {
			return "", err
		}
		for i, s := range systems {
			if s.signed {
				signed = append(signed, results[i])
			} else {
				unsigned = append(unsigned, results[i])
			}
			if s.drain != nil && s.came() == came[i] && o.method == http.MethodPost {
				return "", fmt.Errorf("%s: nothing of what was pushed came to the clients", s.name)
			}
		}
		fmt.Printf("%d connections done, load %s\n", connections, lab.Load())
	}
	_, err = rounds.Failed(append(slices.Clone(unsigned), signed...))
	return "Requests without a signature:\n\n" + rounds.Messages.Table(unsigned, bare, least) + "\nSigned requests:\n\n" + rounds.Messages.Table(signed, bare, least), err
}

// came is how many bytes have come to the clients.
func (s *system) came() int64 {
	if s.drain == nil {
		return 0
	}
	return s.drain.Bytes()
}
