package server

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/otlp"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/tracing"
)

// openTelemetry opens what sends traces and logs by OpenTelemetry's protocol. Metrics are sent
// by exportMetrics, when there are all of them.
func (s *Server) openTelemetry(ctx context.Context) (err error) {
	if s.otlp, err = s.newOTLP(); err != nil {
		return err
	}
	if s.otlp.LogsWanted() && logsUseOTLP(&s.config.Logs) {
		logs, err := s.otlp.NewLogs(ctx)
		if err != nil {
			return err
		}
		s.parts.Add(logs.Close)
		s.otlpLogs = logs
	}
	return s.openTraces(ctx)
}

// logsUseOTLP reports whether some logs go out by OTLP.
func logsUseOTLP(c *config.Logs) bool {
	return c.Execution.OTLP || slices.ContainsFunc(c.Access, func(r logsink.Rule) bool { return r.OTLP })
}

// newOTLP returns where OpenTelemetry's signals go, by the configuration and by the
// environment.
func (s *Server) newOTLP() (*otlp.Options, error) {
	c := s.config.Telemetry.OTLP
	o := &otlp.Options{Endpoint: c.Endpoint, Protocol: c.Protocol, Getenv: os.Getenv, Version: s.options.Version, Log: s.log}
	text, err := readSecret(c.Headers)
	if err != nil {
		return nil, fmt.Errorf("the headers of telemetry.otlp: %w", err)
	}
	if text != "" {
		if o.Headers, err = otlp.ParseHeaders(text); err != nil {
			return nil, fmt.Errorf("the variable %s of telemetry.otlp.headersEnv: %w", c.Headers.Env, err)
		}
	}
	return o, nil
}

// openTraces begins to send the spans of events, where the configuration or the environment
// asks for some. Without a tracer, nothing of it costs an event anything.
func (s *Server) openTraces(ctx context.Context) error {
	sampler, err := s.sampler()
	if err != nil {
		s.log.Warn(err.Error())
	}
	if sampler.Off() || s.otlp.TracesDisabled() {
		return nil
	}
	exporter, err := s.otlp.Spans(ctx)
	if err != nil {
		return err
	}
	about, err := s.otlp.Resource(ctx)
	if err != nil {
		return err
	}
	s.tracer = tracing.New(sampler, exporter, about)
	s.parts.Add(s.tracer.Close)
	return nil
}

// sampler returns what decides which traces are kept. After an error it keeps none.
func (s *Server) sampler() (tracing.Sampler, error) {
	ratio := s.config.Telemetry.Ratio
	switch {
	case ratio == nil:
		return tracing.FromEnvironment(os.Getenv)
	case *ratio == 0:
		return tracing.Sampler{}, nil
	}
	return tracing.Ratio(*ratio), nil
}

// traced has a gateway's events traced, where there is a tracer.
func (s *Server) traced(o gateway.Options) gateway.Options {
	if s.tracer == nil {
		return o
	}
	o.Recorder = telemetry.Join(o.Recorder, s.tracer)
	o.Watchers = append(o.Watchers, s.tracer)
	o.Requests = s.tracer
	return o
}
