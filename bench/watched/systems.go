//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// Of the API.
const (
	stage = "bench"
	group = "arn:aws:logs:us-east-1:000000000000:log-group:bench"
)

// variant is a way to be watched.
type variant struct {
	name    string
	logs    bool     // it writes logs to files
	ratio   string   // of the events that are traced; empty: none
	flags   []string // parameters of the template
	scraped bool     // metrics are collected
}

var (
	access = []string{"--parameter", "Access=" + group}
	info   = []string{"--parameter", "Level=INFO"}
	data   = []string{"--parameter", "Level=INFO", "--parameter", "Data=true"}
)

// variants are all that are measured. The others are compared with the first.
var variants = []variant{
	{name: "unwatched"},
	{name: "metrics, collected each second", scraped: true},
	{name: "an access log", logs: true, flags: access},
	{name: "an execution log, INFO", logs: true, flags: info},
	{name: "the three of them", logs: true, flags: append(access[:2:2], info...), scraped: true},
	{name: "an execution log with data", logs: true, flags: data},
	{name: "traces of 1 %", ratio: "0.01"},
	{name: "traces of all", ratio: "1"},
}

// configuration is that of the gateway, with a folder for logs, and with where OTLP sends
// to.
func (v *variant) configuration(folder, collector string) string {
	text := ""
	if !v.scraped {
		text += "metrics: {enabled: false}\n"
	}
	if v.logs {
		text += fmt.Sprintf("logs:\n  access: [{destination: '*', file: '%[1]s/access.log'}]\n  execution: {file: '%[1]s/execution.log'}\n", folder)
	}
	if v.ratio != "" {
		text += fmt.Sprintf("telemetry:\n  otlp: {endpoint: '%s'}\n  traces: {ratio: %s}\n", collector, v.ratio)
	}
	return text
}

// watched has the systems, and what collects from them.
type watched struct {
	systems   []rounds.System
	collector *httptest.Server // takes what OTLP sends
	stop      context.CancelFunc
}

func (w *watched) close() {
	w.stop()
	w.collector.Close()
}

// start starts a gateway for each variant.
func start(ctx context.Context, l *lab.Lab) (*watched, error) {
	_, backend, err := l.Backend(ctx)
	if err != nil {
		return nil, err
	}
	w := &watched{collector: httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))}
	ctx, w.stop = context.WithCancel(ctx)
	for i := range variants {
		if err := w.start(ctx, l, i, &variants[i], backend); err != nil {
			w.close()
			return nil, fmt.Errorf("%s: %w", variants[i].name, err)
		}
	}
	return w, nil
}

func (w *watched) start(ctx context.Context, l *lab.Lab, number int, v *variant, backend string) error {
	folder := filepath.Join(l.Folder, fmt.Sprint("logs", number))
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	file := filepath.Join(folder, "stagedoor.yaml")
	if err := os.WriteFile(file, []byte(v.configuration(folder, w.collector.URL)), 0o644); err != nil {
		return err
	}
	g, err := l.ServeConfigured(ctx, fmt.Sprint("data", number), file)
	if err != nil {
		return err
	}
	path, err := g.Deploy(ctx, filepath.Join("watched", "template.yaml"), stage, append([]string{"--parameter", "Backend=" + backend}, v.flags...)...)
	if err != nil {
		return err
	}
	if v.scraped {
		go scrape(ctx, g.Admin()+"/metrics")
	}
	w.systems = append(w.systems, rounds.System{Name: v.name, Process: g.Process, Protocol: load.NewWebSocket(g.Public, path, load.Message("call", "", 128))})
	return nil
}

// scrape collects metrics, each second.
func scrape(ctx context.Context, url string) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		answer, err := http.Get(url)
		if err != nil {
			continue // the gateway is stopping
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}
