// Package tracing makes spans of OpenTelemetry of events: one for the event, with children
// for what it went through. Whether an event has spans is decided when it begins, from what
// X-Amzn-Trace-Id says or by chance; they are made of its trace when it ends.
//
// The Root of X-Amzn-Trace-Id is the id of the trace. Each handshake, message and
// disconnect begins a trace, unless the client of a handshake names one; the spans of
// messages are linked to that of the handshake. A request to @connections is part of the
// trace that it names.
//
// Package server wires it where traces are configured. The gateway asks a Tracer about
// events that begin, as its Watcher, and records them with it.
package tracing

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// Tracer makes spans of events. It is a watcher of the gateway and of @connections, and a
// recorder.
type Tracer struct {
	sampler  Sampler
	exporter sdktrace.SpanExporter
	provider *sdktrace.TracerProvider
	tracer   oteltrace.Tracer
}

// New makes a tracer, which sends spans until Close. The resource says what sends them.
func New(s Sampler, to sdktrace.SpanExporter, about *resource.Resource) *Tracer {
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(to), sdktrace.WithResource(about), sdktrace.WithIDGenerator(generator{}),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), // an event that is not sampled gets no spans at all
	)
	return &Tracer{s, to, provider, provider.Tracer("github.com/stagedoor/stagedoor")}
}

// closeTime is how long the last spans may take to be sent.
const closeTime = 5 * time.Second

// Close sends the spans that wait, for a while, and ends.
func (t *Tracer) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	if t.provider.Shutdown(ctx) != nil { // an attempt to send is still under way: it is broken off
		_ = t.exporter.Shutdown(ctx)
	}
}

// Watch implements gateway.Watcher: it gives an event its place in a trace.
func (t *Tracer) Watch(e *event.Event, to *trace.Trace) bool {
	var parent trace.Remote
	if e.Type == event.Connect {
		parent = parentOf(e)
	}
	place := trace.NewPlace(parent, e.Time)
	place.Sampled = t.sampler.Sampled(parent.Decision, place.TraceID)
	e.TraceID, e.TraceParent = place.Headers()
	if !place.Sampled {
		return false
	}
	if e.Type == event.Connect {
		if e.Connection.Client == nil {
			e.Connection.Client = new(event.Client)
		}
		e.Connection.Client.Traced = &trace.Link{TraceID: place.TraceID, Span: place.Event}
	} else if e.Connection.Client != nil {
		place.Connect = e.Connection.Client.Traced
	}
	to.Place = place
	return true
}

// parentOf returns what the client of a handshake says about a trace.
func parentOf(e *event.Event) trace.Remote {
	if parent, ok := trace.ParseAmzn(e.TraceID); ok {
		return parent
	}
	for _, f := range e.Header {
		if strings.EqualFold(f.Name, "traceparent") {
			parent, _ := trace.ParseTraceparent(f.Value)
			return parent
		}
	}
	return trace.Remote{}
}

// WatchRequest implements connections.Watcher: it gives a request to @connections its place
// in the trace that it names, or in a new one.
func (t *Tracer) WatchRequest(header http.Header, at time.Time) (to *trace.Trace, traceID string) {
	parent, ok := trace.ParseAmzn(first(header["X-Amzn-Trace-Id"]))
	if !ok {
		parent, _ = trace.ParseTraceparent(first(header["Traceparent"]))
	}
	place := trace.NewPlace(parent, at)
	place.Call = place.Event // nothing else is called
	place.Sampled = t.sampler.Sampled(parent.Decision, place.TraceID)
	traceID, _ = place.Headers()
	if !place.Sampled {
		return nil, traceID
	}
	return &trace.Trace{Place: place}, traceID
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// generator gives spans the ids that were chosen when their event began.
type generator struct{}

// chosenKey is the key of the ids in a context: a chosen.
type chosenKey struct{}

type chosen struct {
	traceID trace.TraceID
	span    trace.SpanID
}

// withIDs has the next span have these ids.
func withIDs(ctx context.Context, traceID trace.TraceID, span trace.SpanID) context.Context {
	return context.WithValue(ctx, chosenKey{}, chosen{traceID, span})
}

// NewIDs implements sdktrace.IDGenerator, for spans without a parent.
func (generator) NewIDs(ctx context.Context) (oteltrace.TraceID, oteltrace.SpanID) {
	ids, _ := ctx.Value(chosenKey{}).(chosen)
	return oteltrace.TraceID(ids.traceID), oteltrace.SpanID(ids.span)
}

// NewSpanID implements sdktrace.IDGenerator.
func (generator) NewSpanID(ctx context.Context, _ oteltrace.TraceID) oteltrace.SpanID {
	if ids, ok := ctx.Value(chosenKey{}).(chosen); ok && ids.span != (trace.SpanID{}) {
		return oteltrace.SpanID(ids.span)
	}
	var id oteltrace.SpanID
	binary.BigEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}
