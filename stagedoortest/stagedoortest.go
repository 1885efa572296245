// Package stagedoortest runs the application of a template in a test, on real
// sockets: a gateway on free ports, its functions as processes or as Go code of
// the test, and WebSocket clients.
//
//	func TestChat(t *testing.T) {
//		g := stagedoortest.Start(t, "template.yaml")
//		c := g.Connect("name=Ada")
//		c.Send(`{"action":"join","room":"lobby"}`)
//		c.Expect(`{"type":"joined","members":["Ada"]}`)
//	}
//
// All of it ends with the test. What functions print is in the test's log. What
// must happen has minutes, so that tests hold on a busy machine.
package stagedoortest

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor"
)

// deadline is how long what must happen may take; buildTime is how long a first
// handshake may, which waits until functions are built.
const (
	deadline  = 2 * time.Minute
	buildTime = 5 * time.Minute
)

// Gateway runs an application until its test ends. Its methods fail the test, and
// are called by the test's goroutine.
type Gateway struct {
	*stagedoor.Gateway
	t testing.TB
}

// Option changes what Start runs.
type Option func(*stagedoor.Config)

// Function has a function called in the test's process, by its name or its logical
// id in the template. The test's code may look at what it is called with.
func Function(name string, handler stagedoor.Handler) Option {
	return func(c *stagedoor.Config) {
		functions := map[string]stagedoor.Handler{name: handler}
		for other, known := range c.Functions {
			if other != name {
				functions[other] = known
			}
		}
		c.Functions = functions
	}
}

// Parameter gives one of the template's Parameters a value.
func Parameter(name, value string) Option {
	return func(c *stagedoor.Config) {
		parameters := map[string]string{name: value}
		for other, known := range c.Parameters {
			if other != name {
				parameters[other] = known
			}
		}
		c.Parameters = parameters
	}
}

// Start runs the application of a template, of a stagedoor.yaml with apis, or of a
// folder with one of them, until the test ends. It returns when the gateway serves,
// and fails the test when it cannot.
func Start(t testing.TB, template string, options ...Option) *Gateway {
	t.Helper()
	output := &testLog{t: t}
	config := stagedoor.Config{Template: template, Log: output}
	for _, option := range options {
		option(&config)
	}
	g, err := stagedoor.New(config)
	if err != nil {
		t.Fatalf("%s: %v", template, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = g.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if err != nil {
			t.Errorf("the gateway ended with an error: %v", err)
		}
		output.end()
	})
	select {
	case <-g.Ready():
	case <-ended:
		t.FailNow() // the clean-up says why
	case <-time.After(deadline):
		t.Fatalf("%s: the gateway is not ready after %v", template, deadline)
	}
	return &Gateway{g, t}
}

// StageURL is where clients connect to the application's stage, with the scheme ws.
// It fails the test where there are several, or none: those are the StageURLs.
func (g *Gateway) StageURL() string {
	g.t.Helper()
	urls := g.StageURLs()
	if len(urls) != 1 {
		g.t.Fatalf("the application has %d stages that clients can connect to, not one: %q", len(urls), urls)
	}
	return urls[0]
}

// testLog writes lines to the test's log, as long as the test runs.
type testLog struct {
	t testing.TB

	mu    sync.Mutex
	ended bool // guarded by mu
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		line := bytes.TrimSuffix(p, []byte("\n"))
		if _, after, found := bytes.Cut(line, []byte(" level=")); found && bytes.HasPrefix(line, []byte("time=")) {
			line = after // the test's log is read when all is over
		}
		l.t.Logf("%s", line)
	}
	return len(p), nil
}

func (l *testLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}
