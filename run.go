package stagedoor

import (
	"cmp"
	"context"
	"log/slog"
	"os"

	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/dev"
	"github.com/stagedoor/stagedoor/internal/lines"
	"github.com/stagedoor/stagedoor/internal/server"
)

// freePort is the address of a port that nobody else has.
const freePort = "127.0.0.1:0"

// maxUnwritten is how many bytes of lines wait for a log that stands still.
const maxUnwritten = 1 << 20

// application returns what runs an application from its template.
func (g *Gateway) application(c Config, handlers backends.Handlers) (func(context.Context) error, error) {
	var log *slog.Logger
	out := lines.New(c.Log, lines.Options{Limit: maxUnwritten, Lost: func(n int) { log.Warn("lines of the log were lost: it stood still", "lines", n) }})
	log = slog.New(slog.NewTextHandler(out, nil))
	o := dev.Config{
		Template: c.Template, Parameters: c.Parameters, CacheDir: c.CacheDir, Handlers: handlers,
		Listen: cmp.Or(c.Listen, freePort), Admin: cmp.Or(c.Admin, freePort), Reporter: &applicationReporter{g, log},
	}
	if _, err := dev.Check(o); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		defer out.Close()
		return dev.Run(ctx, o)
	}, nil
}

// applicationReporter hears of an application. It is a dev.Reporter.
type applicationReporter struct {
	gateway *Gateway
	log     *slog.Logger
}

// Ready implements dev.Reporter.
func (r *applicationReporter) Ready(ready dev.Ready) {
	r.tell(ready.Application)
	r.gateway.running.Store(&running{url: ready.Public, adminURL: ready.Admin, stages: stageURLs(ready.Application)})
	close(r.gateway.ready)
}

// Reloaded implements dev.Reporter.
func (r *applicationReporter) Reloaded(a dev.Application) {
	r.tell(a)
	facts := r.gateway.facts()
	facts.stages = stageURLs(a)
	r.gateway.running.Store(&facts)
}

// Rejected implements dev.Reporter.
func (r *applicationReporter) Rejected(err error) {
	r.log.Error("the template was not taken; what ran before goes on", "error", err)
}

// Record implements dev.Reporter. It tells what went wrong.
func (r *applicationReporter) Record(e *dev.Record) {
	if e.Error != "" {
		r.log.Error(e.Event, "stage", e.Stage, "route", e.RouteKey, "connection", e.ConnectionID, "error", e.Error)
	}
	for _, warning := range e.Warnings {
		r.log.Warn(e.Event, "stage", e.Stage, "route", e.RouteKey, "warning", warning)
	}
}

// Output implements dev.Reporter.
func (r *applicationReporter) Output(line dev.LogLine) {
	if line.Notice {
		r.log.Warn("function", "function", line.Function, "requestId", line.RequestID, "notice", line.Text)
		return
	}
	r.log.Info("function", "function", line.Function, "requestId", line.RequestID, "output", line.Text)
}

// tell says what of an application cannot work, or is probably not meant.
func (r *applicationReporter) tell(a dev.Application) {
	for _, problem := range a.Problems {
		r.log.Error("it cannot work as configured", "problem", problem)
	}
	for _, warning := range a.Warnings {
		r.log.Warn(warning)
	}
}

func stageURLs(a dev.Application) (urls []string) {
	for _, api := range a.APIs {
		urls = append(urls, api.URLs...)
	}
	return urls
}

// server returns what runs a gateway whose APIs are kept.
func (g *Gateway) server(c Config, handlers backends.Handlers) (func(context.Context) error, error) {
	o := server.Config{
		Source: config.Options{File: c.Configuration, Environ: os.Environ(), Flags: map[string]string{}},
		Open:   c.Open, InMemory: c.InMemory, Handlers: handlers, Log: c.Log, Reporter: serverReporter{g},
		Version: "embedded",
	}
	for key, address := range map[string]string{"listen": c.Listen, "admin.listen": c.Admin} {
		if address == "" && c.Configuration == "" {
			address = freePort
		}
		if address != "" {
			o.Source.Flags[key] = address
		}
	}
	s, err := server.New(o)
	if err != nil {
		return nil, err
	}
	return s.Run, nil
}

// serverReporter hears of a server. It is a server.Reporter.
type serverReporter struct{ gateway *Gateway }

// Ready implements server.Reporter.
func (r serverReporter) Ready(ready server.Ready) {
	r.gateway.running.Store(&running{url: ready.Public[0], adminURL: ready.Admin})
	close(r.gateway.ready)
}

// Reloading, Reloaded and Stopping implement server.Reporter.
func (serverReporter) Reloading() {}
func (serverReporter) Reloaded()  {}
func (serverReporter) Stopping()  {}
