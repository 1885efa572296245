package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/server"
)

// ServeCmd is "stagedoor serve".
type ServeCmd struct {
	Config string   `short:"c" placeholder:"FILE" type:"path" help:"Configuration, in YAML; without one, the defaults."`
	Listen string   `placeholder:"HOST:PORT" help:"Address of WebSocket connections and @connections; separate several with commas; port 0 picks a free one (:8080)."`
	Admin  string   `placeholder:"HOST:PORT" help:"Address of the control plane and of health checks (127.0.0.1:8081)."`
	Data   string   `placeholder:"DIR" type:"path" help:"Folder in which the configuration of the APIs is kept."`
	JSON   bool     `help:"Print the ready line and the log as JSON, an object per line."`
	Open   bool     `help:"Do not check signatures: everybody who can reach a port may do everything. For tests only."`
	Host   []string `placeholder:"NAME" help:"With --open: name by which the ports are reached, beside addresses, localhost and custom domains; may be repeated."`
	Repair bool     `help:"Restore a damaged data folder from its automatic backups; the damaged files are kept aside."`
}

// Help is the second half of "stagedoor serve --help".
func (ServeCmd) Help() string {
	return `Runs a gateway whose APIs are configured over the network, with the AWS CLI, the
AWS SDKs, Terraform or "stagedoor deploy". Flags override environment variables
(STAGEDOOR_LOG_LEVEL for log.level), and these override the configuration.

The ready line goes to standard output, the log to standard error. SIGTERM and
Ctrl-C stop the gateway in an orderly way, a second one at once; SIGHUP makes it
read the configuration again, and open the files of its logs anew.

Of a damaged data folder, everything that is whole is served, and the log names
the rest; --repair restores that from the automatic backups.

Exit codes: 0 stopped by a signal, 1 the configuration, the addresses or the
folder could not be used, 2 wrong flags.`
}

// Run runs until ctx ends.
func (c *ServeCmd) Run(ctx context.Context, p *process) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	service, err := newService(p.stderr)
	if err != nil {
		return err
	}
	defer service.close()
	defer p.reclaim(ctx)()
	defer outliveReaders()()
	err = server.Run(ctx, server.Config{
		Source:    c.source(p.environ),
		Open:      c.Open,
		Hosts:     c.Host,
		Repair:    c.Repair,
		Version:   version,
		Log:       p.stderr,
		Stdout:    p.stdout,
		Reporter:  &serveReporter{p: p, json: c.JSON, started: time.Now(), service: service},
		Reload:    onHangup(ctx),
		Listeners: service.listeners,
	})
	return p.reportMistakes(err)
}

// source returns where the configuration is read from, with the keys that flags
// set.
func (c *ServeCmd) source(environ []string) config.Options {
	source := config.Options{File: c.Config, Environ: environ, Flags: map[string]string{}, FlagNames: map[string]string{}}
	set := func(key, flag, value string) {
		if value != "" {
			source.Flags[key], source.FlagNames[key] = value, flag
		}
	}
	set("listen", "--listen", c.Listen)
	set("admin.listen", "--admin", c.Admin)
	set("data", "--data", c.Data)
	if c.JSON {
		set("log.format", "--json", config.LogJSON)
	}
	return source
}

// onHangup returns a channel that gets a value for every SIGHUP, until ctx
// ends.
func onHangup(ctx context.Context) <-chan struct{} {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	reload := make(chan struct{})
	go func() {
		defer signal.Stop(hangups)
		for {
			select {
			case <-hangups:
			case <-ctx.Done():
				return
			}
			select {
			case reload <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return reload
}

// reportMistakes prints the mistakes of a configuration, a line each. It
// returns any other error as it is.
func (p *process) reportMistakes(err error) error {
	var mistakes mistake.List
	if !errors.As(err, &mistakes) {
		return err
	}
	_, _ = fmt.Fprintf(p.stderr, "%s\nstagedoor: %s in the configuration\n", mistakes, count(len(mistakes), "mistake"))
	return &exitError{exitFailure, err}
}

// serveReporter prints the ready line and notifies the service manager.
type serveReporter struct {
	p       *process
	json    bool
	started time.Time
	service *service
}

// Ready prints the ready line.
func (r *serveReporter) Ready(ready server.Ready) {
	var text string
	if r.json {
		line, _ := json.Marshal(struct { // strings always marshal
			Event  string   `json:"event"`
			Public string   `json:"public"`
			Admin  string   `json:"admin"`
			Listen []string `json:"listen"`
			Open   bool     `json:"open,omitempty"`
		}{"ready", ready.Public[0], ready.Admin, ready.Public, ready.Open})
		text = string(line) + "\n"
	} else {
		text = r.text(ready)
	}
	_, _ = fmt.Fprint(r.p.stdout, text)
	r.service.ready(ready.Alive)
}

// text is the ready line for people.
func (r *serveReporter) text(ready server.Ready) string {
	paint := (&textReporter{color: r.p.color(r.p.stdout)}).paint
	file := "no configuration file: defaults"
	if ready.File != "" {
		file = shortPath(ready.File)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s  %s\n\n", paint(bold, "Stagedoor"), file)
	for _, url := range ready.Public {
		fmt.Fprintf(&b, "  %s  %s\n", paint(dim, "public"), paint(green, url))
	}
	fmt.Fprintf(&b, "  %s  %s\n", paint(dim, "admin "), ready.Admin)
	if ready.NATS != "" {
		fmt.Fprintf(&b, "  %s  %s\n", paint(dim, "nats  "), ready.NATS)
	} else {
		fmt.Fprintf(&b, "  %s  %s\n", paint(dim, "data  "), ready.Data)
	}
	if ready.Open {
		fmt.Fprintf(&b, "\n  %s\n", paint(red, "OPEN: no signatures are checked. Whoever reaches a port may do everything."))
	}
	fmt.Fprintf(&b, "\n  Ready in %d ms. Ctrl-C stops it.\n\n", time.Since(r.started).Milliseconds())
	return b.String()
}

func (r *serveReporter) Reloading() { r.service.reloading() } // Reloading tells the service manager.
func (r *serveReporter) Reloaded()  { r.service.reloaded() }  // Reloaded tells the service manager.
func (r *serveReporter) Stopping()  { r.service.stopping() }  // Stopping tells the service manager.
