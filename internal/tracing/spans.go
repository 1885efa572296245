package tracing

import (
	"context"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// Record implements telemetry.Recorder: it makes the spans of an event that is sampled.
func (t *Tracer) Record(r *telemetry.Record) {
	if r.Trace != nil && r.Trace.Place.Sampled {
		t.trace(r)
	}
}

// trace makes the spans of an event. They wait in a bounded queue to be sent.
func (t *Tracer) trace(r *telemetry.Record) {
	place, end := &r.Trace.Place, r.Time.Add(r.Duration)
	ctx := context.Background()
	if place.Parent != (trace.SpanID{}) {
		ctx = oteltrace.ContextWithRemoteSpanContext(ctx, spanContext(place.TraceID, place.Parent))
	}
	var links []oteltrace.Link
	if place.Connect != nil {
		links = []oteltrace.Link{{SpanContext: spanContext(place.Connect.TraceID, place.Connect.Span)}}
	}
	about := describe(r)
	ctx, span := t.tracer.Start(withIDs(ctx, place.TraceID, place.Event), about.name,
		oteltrace.WithTimestamp(r.Time), oteltrace.WithSpanKind(about.kind), oteltrace.WithAttributes(about.attributes...), oteltrace.WithLinks(links...))
	t.children(ctx, r, end)
	about.finish(span, end)
}

// spanContext is that of a sampled span in this or another process.
func spanContext(traceID trace.TraceID, span trace.SpanID) oteltrace.SpanContext {
	return oteltrace.NewSpanContext(oteltrace.SpanContextConfig{
		TraceID: oteltrace.TraceID(traceID), SpanID: oteltrace.SpanID(span), TraceFlags: oteltrace.FlagsSampled, Remote: true,
	})
}

// children makes spans of the steps of an event. The context has the event's span.
func (t *Tracer) children(ctx context.Context, r *telemetry.Record, end time.Time) {
	call := withIDs(ctx, r.Trace.Place.TraceID, r.Trace.Place.Call)
	ctx = withIDs(ctx, r.Trace.Place.TraceID, trace.SpanID{})
	var request trace.Request
	for _, step := range r.Trace.Steps() {
		switch s := step.(type) {
		case trace.Access:
			t.child(ctx, describeAccess(&s), s.Began, s.Began.Add(s.Took))
		case trace.Template:
			t.child(ctx, describeTemplate(&s), s.Began, s.Began.Add(s.Took))
		case trace.Request:
			request = s
		case trace.Response:
			t.child(call, describeCall(&request, &s), s.Began, s.Began.Add(s.Took))
			call = ctx // one span alone has the id
		case trace.Reply:
			t.child(ctx, describeReply(&s), s.At, end)
		}
	}
}

func (t *Tracer) child(ctx context.Context, about description, began, end time.Time) {
	_, span := t.tracer.Start(ctx, about.name,
		oteltrace.WithTimestamp(began), oteltrace.WithSpanKind(about.kind), oteltrace.WithAttributes(about.attributes...))
	about.finish(span, end)
}

// description is what a span says.
type description struct {
	name       string
	kind       oteltrace.SpanKind
	attributes []attribute.KeyValue
	failed     bool
	failure    string // what went wrong
	errorType  string // its kind, one of few
}

// finish ends a span.
func (d *description) finish(span oteltrace.Span, end time.Time) {
	if d.failed {
		span.SetStatus(codes.Error, d.failure)
		if d.errorType == "" {
			d.errorType = "_OTHER"
		}
		span.SetAttributes(attribute.String("error.type", d.errorType))
	}
	span.End(oteltrace.WithTimestamp(end))
}

// fail has the span be one of something that failed.
func (d *description) fail(why, kind string) {
	d.failed, d.failure, d.errorType = true, validUTF8(why), kind
}

// add adds attributes. Those that are empty are left out.
func (d *description) add(attributes ...attribute.KeyValue) {
	for _, a := range attributes {
		if a.Value.Type() == attribute.STRING {
			text := a.Value.AsString()
			if text == "" {
				continue
			}
			a.Value = attribute.StringValue(validUTF8(text))
		}
		d.attributes = append(d.attributes, a)
	}
}

// validUTF8 is a text that may be sent: a client may have chosen it, and one that is no
// UTF-8 would keep the spans of others that are sent with it from being encoded.
func validUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// withoutSecrets is a URL without its query, and without a user's name and password.
func withoutSecrets(u *url.URL) string {
	rest := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return rest.String()
}
