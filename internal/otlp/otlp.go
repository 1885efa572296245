// Package otlp sends traces, metrics and logs by OpenTelemetry's protocol, OTLP, with the
// exporters of OpenTelemetry's SDK. The configuration goes first; where it says nothing
// the OTEL_* variables of the specification hold.
//
// Nobody waits for a collector: queues and deadlines are bounded. One that refuses or
// hangs costs what was to be sent, is told once, and is used again when it answers.
package otlp

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Protocols.
const (
	Protobuf = "http/protobuf"
	JSON     = "http/json"
	GRPC     = "grpc"
)

// Protocols are all protocols.
var Protocols = []string{Protobuf, JSON, GRPC}

// Options say where telemetry goes. What is not set is taken from the environment.
type Options struct {
	Endpoint *url.URL          // without the path of a signal; nil: that of the environment, or of the protocol
	Protocol string            // one of Protocols; empty: that of the environment, or Protobuf
	Headers  map[string]string // nil: those of the environment
	// Getenv returns a variable of the environment. It is asked for what the exporters do
	// not know themselves.
	Getenv func(string) string
	// Version is the gateway's.
	Version string
	Log     *slog.Logger
}

// Signals, as the names of variables and of paths have them.
const (
	traces  = "traces"
	metrics = "metrics"
	logs    = "logs"
)

// enabled reports whether there is an endpoint for a signal, by the configuration or by
// the environment, and nothing in the environment that turns the signal off.
func (o *Options) enabled(signal string) bool {
	if o.disabled(signal) {
		return false
	}
	return o.Endpoint != nil || o.variable(signal, "ENDPOINT") != "" || strings.Contains(o.Getenv("OTEL_"+strings.ToUpper(signal)+"_EXPORTER"), "otlp")
}

// MetricsWanted reports whether metrics are to be sent: there is an endpoint for them.
func (o *Options) MetricsWanted() bool { return o.enabled(metrics) }

// disabled reports whether the environment turns a signal off.
func (o *Options) disabled(signal string) bool {
	return strings.EqualFold(o.Getenv("OTEL_SDK_DISABLED"), "true") ||
		o.Endpoint == nil && o.Getenv("OTEL_"+strings.ToUpper(signal)+"_EXPORTER") == "none"
}

// TracesDisabled reports whether the environment turns traces off.
func (o *Options) TracesDisabled() bool { return o.disabled(traces) }

// variable returns the exporters' variable of a signal, else that of all signals.
func (o *Options) variable(signal, name string) string {
	if value := strings.TrimSpace(o.Getenv("OTEL_EXPORTER_OTLP_" + strings.ToUpper(signal) + "_" + name)); value != "" {
		return value
	}
	return strings.TrimSpace(o.Getenv("OTEL_EXPORTER_OTLP_" + name))
}

// protocol returns the protocol of a signal. The error is for one that does not exist.
func (o *Options) protocol(signal string) (string, error) {
	protocol := o.Protocol
	if protocol == "" {
		protocol = o.variable(signal, "PROTOCOL")
	}
	switch protocol {
	case "":
		return Protobuf, nil
	case Protobuf, JSON, GRPC:
		return protocol, nil
	}
	return "", fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q; it must be one of %s", protocol, strings.Join(Protocols, ", "))
}

// endpoint returns the URL of a signal; empty where the exporter finds it.
func (o *Options) endpoint(signal, protocol string) string {
	switch {
	case o.Endpoint == nil:
		return ""
	case protocol == GRPC:
		return o.Endpoint.String()
	}
	return o.Endpoint.JoinPath("v1", signal).String()
}

// where names the place of a signal in the log.
func (o *Options) where(signal, protocol string) string {
	if o.Endpoint != nil {
		return o.Endpoint.Redacted()
	}
	if endpoint, err := url.Parse(o.variable(signal, "ENDPOINT")); err == nil && endpoint.Host != "" {
		return endpoint.Redacted()
	}
	if protocol == GRPC {
		return "localhost:4317"
	}
	return "localhost:4318"
}

// ParseHeaders reads headers as OTEL_EXPORTER_OTLP_HEADERS has them: name=value, with
// commas in between, percent-encoded.
func ParseHeaders(text string) (map[string]string, error) {
	headers := map[string]string{}
	for item := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		name, value, found := strings.Cut(item, "=")
		name = strings.TrimSpace(name)
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || name == "" || err != nil || strings.ContainsAny(name, " \t\r\n:") || strings.ContainsAny(decoded, "\r\n") {
			return nil, fmt.Errorf("headers are written as name=value,name=value, percent-encoded") // without the text: it is a secret
		}
		headers[name] = decoded
	}
	return headers, nil
}

// sendTime is how long one attempt to send may take, and closeTime how long what waits may
// take to be sent at the end.
const (
	sendTime  = 10 * time.Second
	closeTime = 5 * time.Second
)

// bounded returns a context that ends with ctx, or after closeTime.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, closeTime)
}

// outcome tells the log when sending a signal begins to fail, and when that is over.
type outcome struct {
	log            *slog.Logger
	signal, where  string
	mu             sync.Mutex // guards failing
	failing        bool
	lost, returned string // what is logged
}

func (o *Options) outcome(signal, protocol string) *outcome {
	return &outcome{
		log: o.Log, signal: signal, where: o.where(signal, protocol),
		lost:     "OTLP: " + signal + " are not taken; until they are, they are dropped",
		returned: "OTLP: " + signal + " are taken again",
	}
}

// note takes how an attempt ended. Of several failures in a row the first is logged.
func (t *outcome) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil && !t.failing:
		t.log.Warn(t.lost, "endpoint", t.where, "error", err)
	case err == nil && t.failing:
		t.log.Info(t.returned, "endpoint", t.where)
	}
	t.failing = err != nil
}
