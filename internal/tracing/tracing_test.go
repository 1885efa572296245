package tracing_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/trace"
	"github.com/stagedoor/stagedoor/internal/tracing"
)

// A ratio keeps the traces that OpenTelemetry's own sampler keeps, and a caller that has
// decided goes before it.
func TestSampler(t *testing.T) {
	t.Parallel()
	for _, ratio := range []float64{0, 0.01, 0.5, 1} {
		s, other := tracing.Ratio(ratio), sdktrace.TraceIDRatioBased(ratio)
		for range 10_000 {
			id := trace.NewPlace(trace.Remote{}, time.Now()).TraceID
			want := other.ShouldSample(sdktrace.SamplingParameters{TraceID: oteltrace.TraceID(id)}).Decision == sdktrace.RecordAndSample
			if got := s.Sampled(trace.Undecided, id); got != want {
				t.Fatalf("%v of %x: %t, want %t", ratio, id, got, want)
			}
			if !s.Sampled(trace.Sampled, id) || s.Sampled(trace.NotSampled, id) {
				t.Fatalf("%v of %x: a caller's decision does not count", ratio, id)
			}
		}
	}
}

// What OTEL_TRACES_SAMPLER may say, and what it must not.
func TestSamplerFromEnvironment(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, argument string
		want           tracing.Sampler
		wrong          bool
	}{
		{"", "", tracing.Sampler{}, false},
		{"", "0.5", tracing.Sampler{}, false},
		{"always_off", "", tracing.Sampler{}, false},
		{"parentbased_always_on", "", tracing.Ratio(1), false},
		{"parentbased_always_off", "", tracing.Ratio(0), false},
		{"parentbased_traceidratio", "0.25", tracing.Ratio(0.25), false},
		{"parentbased_traceidratio", "", tracing.Ratio(1), false},
		{"parentbased_traceidratio", "2", tracing.Sampler{}, true},
		{"parentbased_traceidratio", "NaN", tracing.Sampler{}, true},
		{"xray", "", tracing.Sampler{}, true},
	}
	for _, test := range tests {
		got, err := tracing.FromEnvironment(func(name string) string {
			return map[string]string{"OTEL_TRACES_SAMPLER": test.name, "OTEL_TRACES_SAMPLER_ARG": test.argument}[name]
		})
		if got != test.want || (err != nil) != test.wrong {
			t.Errorf("%s %s: %+v, %v", test.name, test.argument, got, err)
		}
	}
	on, _ := tracing.FromEnvironment(func(name string) string {
		return map[string]string{"OTEL_TRACES_SAMPLER": "always_on"}[name]
	})
	if on.Off() || !on.Sampled(trace.NotSampled, trace.TraceID{}) {
		t.Error("always_on does not keep all traces")
	}
}

// exporter keeps spans, also when it is shut down.
type exporter struct{ *tracetest.InMemoryExporter }

func (exporter) Shutdown(context.Context) error { return nil }

func newTracer(t testing.TB, ratio float64) (*tracing.Tracer, exporter) {
	t.Helper()
	exporter := exporter{tracetest.NewInMemoryExporter()}
	tracer := tracing.New(tracing.Ratio(ratio), exporter, resource.Empty())
	t.Cleanup(func() { tracer.Close(context.Background()) })
	return tracer, exporter
}

func message() event.Event {
	return event.New(&event.Connection{Endpoint: &event.Endpoint{}}, event.Message, time.Now(), nil)
}

// A message that is not sampled costs one allocation, the text of the headers that say so,
// and its record none.
func TestUnsampledAllocations(t *testing.T) { // not parallel: it counts those of the process
	tracer, _ := newTracer(t, 0.000001)
	e, steps, record := message(), trace.Trace{}, telemetry.Record{}
	allocations.AtMost(t, 1, func() {
		tracer.Watch(&e, &steps)
		tracer.Record(&record)
	})
}

// What becomes of a message that fails at every step: each span says so.
func TestFailures(t *testing.T) {
	t.Parallel()
	tracer, exporter := newTracer(t, 1)
	e, steps := message(), trace.Trace{}
	if !tracer.Watch(&e, &steps) {
		t.Fatal("the message is not sampled")
	}
	began := time.Now()
	steps.Add(trace.Access{Began: began, Name: "guard", Error: "no"})
	steps.Add(trace.Template{Began: began, Place: "request template a/b", Error: "no"})
	steps.Add(trace.Response{Began: began, Error: "no"})
	steps.Add(trace.Request{Began: began, Kind: trace.Lambda, URI: "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:chat:live/invocations"})
	steps.Add(trace.Response{Began: began, Status: 200, FunctionError: "no"})
	tracer.Record(&telemetry.Record{Event: telemetry.EventMessage, Time: began, Context: &e, Trace: &steps, Error: "no"})
	tracer.Close(t.Context())
	want := map[string]bool{"process": true, "authorize guard": true, "map request": true, "integration": true, "invoke chat": true}
	for _, s := range exporter.GetSpans() {
		if s.Status.Description != "no" || !want[s.Name] {
			t.Errorf("the span %s has the status %+v", s.Name, s.Status)
		}
		delete(want, s.Name)
		if s.Name == "invoke chat" && !slices.Contains(s.Attributes, attribute.String("faas.invoked_region", "eu-west-1")) {
			t.Errorf("its attributes are %v", s.Attributes)
		}
	}
	if len(want) > 0 {
		t.Errorf("there are no spans %v", want)
	}
}

// The span of a call has its URL without what may be secret in it.
func TestURLsHaveNoSecrets(t *testing.T) {
	t.Parallel()
	tracer, exporter := newTracer(t, 1)
	e, steps := message(), trace.Trace{}
	if !tracer.Watch(&e, &steps) {
		t.Fatal("the message is not sampled")
	}
	steps.Add(trace.Request{Began: e.Time, Method: "POST", URI: "http://user:secret@backend.example:81/a%2Fb/c?token=secret#secret"})
	steps.Add(trace.Response{Began: e.Time, Status: 200})
	tracer.Record(&telemetry.Record{Event: telemetry.EventMessage, Time: e.Time, Context: &e, Trace: &steps})
	tracer.Close(t.Context())
	want := attribute.String("url.full", "http://backend.example:81/a%2Fb/c")
	for _, s := range exporter.GetSpans() {
		if s.Name == "POST" {
			if !slices.Contains(s.Attributes, want) {
				t.Errorf("the attributes are %v, and should have %v", s.Attributes, want)
			}
			return
		}
	}
	t.Error("there is no span of the call")
}

// BenchmarkWatch is what traces cost a message that is not sampled.
// What a client sends that is no UTF-8 is sent as it can be: a span that cannot be encoded
// would take all others of its request with it.
func TestTextsAreUTF8(t *testing.T) {
	t.Parallel()
	tracer, exporter := newTracer(t, 1)
	c := &event.Connection{Endpoint: &event.Endpoint{}, UserAgent: "tester \xff"}
	e, steps := event.New(c, event.Connect, time.Now(), nil), trace.Trace{}
	if !tracer.Watch(&e, &steps) {
		t.Fatal("the handshake is not sampled")
	}
	tracer.Record(&telemetry.Record{Event: telemetry.EventConnect, Context: &e, Status: 500, Error: "because of \xff", ConnectionID: "\xff", Trace: &steps})
	tracer.Close(t.Context())
	spans := exporter.GetSpans()
	if len(spans) != 1 || spans[0].Status.Description != "because of \uFFFD" ||
		!slices.Contains(spans[0].Attributes, attribute.String("user_agent.original", "tester \uFFFD")) ||
		!slices.Contains(spans[0].Attributes, attribute.String("stagedoor.connection.id", "\uFFFD")) {
		t.Errorf("the spans are %+v", spans)
	}
}

func BenchmarkWatch(b *testing.B) {
	tracer, _ := newTracer(b, 0.000001)
	e, steps := message(), trace.Trace{}
	b.ReportAllocs()
	for b.Loop() {
		tracer.Watch(&e, &steps)
	}
}

// BenchmarkSampled is what the spans of a message cost that is sampled.
func BenchmarkSampled(b *testing.B) {
	tracer, _ := newTracer(b, 1)
	e := message()
	b.ReportAllocs()
	for b.Loop() {
		steps := trace.Trace{}
		tracer.Watch(&e, &steps)
		steps.Add(trace.Request{Began: e.Time, Method: "POST", URI: "http://127.0.0.1/x"})
		steps.Add(trace.Response{Began: e.Time, Status: 200})
		steps.Add(trace.Reply{At: e.Time})
		tracer.Record(&telemetry.Record{Event: telemetry.EventMessage, Time: e.Time, Context: &e, Trace: &steps})
	}
}
