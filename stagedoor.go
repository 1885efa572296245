package stagedoor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/backends"
)

// Config says what a Gateway runs: with a Template, an application, as "stagedoor
// dev" does; without, APIs that are kept, as "stagedoor serve" does.
type Config struct {
	// Template is a SAM or CloudFormation template, a stagedoor.yaml that has apis,
	// or a folder that holds one of them; or the URL of an HTTP backend that gets
	// every event. A file that changes is put into effect.
	Template string
	// Parameters are values for the template's Parameters.
	Parameters map[string]string

	// Configuration is the stagedoor.yaml of a gateway without a Template; "" stands
	// for the defaults. Variables of the environment win over it.
	Configuration string
	// InMemory keeps APIs as long as the gateway runs, and leaves no file. Without
	// it, and without a Template, they are kept in the configuration's data folder
	// or on its NATS servers.
	InMemory bool
	// Open lets everybody who reaches a port change APIs and push to connections,
	// without a signature. With a Template that is always so.
	Open bool

	// Listen is the address of WebSocket connections and @connections, host:port;
	// Admin that of the control plane and health checks. "" stands for the
	// Configuration's, and for a free port of 127.0.0.1 without one.
	Listen, Admin string

	// Functions are called in this process, by a function's name or by its logical
	// id in the Template: instead of a process of their own, or of AWS Lambda.
	Functions map[string]Handler
	// CacheDir holds what a Template's functions are built into; "" stands for
	// "stagedoor" in the user's cache folder.
	CacheDir string
	// Log takes what functions print, and what there is to say of the gateway. Nil
	// takes nothing.
	Log io.Writer
}

// Gateway is a gateway for WebSocket APIs in this process. Its methods may be called
// by any number of goroutines. Several gateways may run side by side.
type Gateway struct {
	run     func(context.Context) error
	began   atomic.Bool
	ready   chan struct{}
	running atomic.Pointer[running]
}

// running is what is known of a gateway while it serves. It is not changed.
type running struct {
	url, adminURL string
	stages        []string
}

// New makes a gateway. What is wrong with its files is an error that tells all
// mistakes, a line each. Nothing is opened before Run.
func New(c Config) (*Gateway, error) {
	if c.Template != "" && c.Configuration != "" {
		return nil, errors.New("a gateway has a Template or a Configuration, and both are set")
	}
	handlers := backends.Handlers{}
	for name, handler := range c.Functions {
		if handler == nil {
			return nil, fmt.Errorf("the function %s has no handler", name)
		}
		handlers[name] = func(ctx context.Context, event []byte) ([]byte, error) { return handler(ctx, event) }
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	g := &Gateway{ready: make(chan struct{})}
	var err error
	if c.Template != "" {
		g.run, err = g.application(c, handlers)
	} else {
		g.run, err = g.server(c, handlers)
	}
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Run serves until ctx ends. In the end connections are closed with 1001,
// $disconnect runs, and Run returns when all is gone. The error says why the
// gateway could not start; Ready is never closed then. Run is called once.
func (g *Gateway) Run(ctx context.Context) error {
	if g.began.Swap(true) {
		return errors.New("a gateway runs once")
	}
	return g.run(ctx)
}

// Ready is closed when the gateway serves.
func (g *Gateway) Ready() <-chan struct{} { return g.ready }

// URL is where clients connect, and where @connections are, without the stage:
// "http://127.0.0.1:49152". It is empty until the gateway is ready.
func (g *Gateway) URL() string { return g.facts().url }

// AdminURL is where the control plane of a gateway without a Template is; with one
// it has Lambda's Invoke operation. It is empty until the gateway is ready.
func (g *Gateway) AdminURL() string { return g.facts().adminURL }

// StageURLs are where clients connect to the stages of a Template as it is now,
// "ws://127.0.0.1:49152/dev". There are none for a gateway without a Template.
func (g *Gateway) StageURLs() []string { return slices.Clone(g.facts().stages) }

func (g *Gateway) facts() running {
	if facts := g.running.Load(); facts != nil {
		return *facts
	}
	return running{}
}
