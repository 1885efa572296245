package otlp_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/otlp"
	"github.com/stagedoor/stagedoor/internal/otlptest"
	"github.com/stagedoor/stagedoor/internal/outputtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, idle...) }

// idle are connections that the exporters for HTTP keep in a pool of the process.
var idle = []goleak.Option{
	goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
	goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"),
}

// options are those for an endpoint, without an environment.
func options(t *testing.T, endpoint, protocol string) (*otlp.Options, *outputtest.Buffer) {
	t.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	written := new(outputtest.Buffer)
	return &otlp.Options{
		Endpoint: to, Protocol: protocol, Headers: map[string]string{"x-test": "secret"}, Version: "v1",
		Getenv: func(string) string { return "" }, Log: slog.New(slog.NewTextHandler(written, nil)),
	}, written
}

// eachProtocol runs a test with a collector by each protocol.
func eachProtocol(t *testing.T, test func(t *testing.T, o *otlp.Options, c *otlptest.Collector)) {
	for _, protocol := range otlp.Protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			c := otlptest.New(t)
			endpoint := c.HTTP
			if protocol == otlp.GRPC {
				endpoint = c.GRPC
			}
			o, _ := options(t, endpoint, protocol)
			test(t, o, c)
			if got := c.Headers(); len(got) == 0 || slices.Contains(got, "") {
				t.Errorf("the header of the requests was %q", got)
			}
			if n := c.Sent("application/json"); (n > 0) != (protocol == otlp.JSON) {
				t.Errorf("%d requests were in JSON", n)
			}
		})
	}
}

// Lines of logs arrive by each protocol.
func TestLogs(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, o *otlp.Options, c *otlptest.Collector) {
		logs, err := o.NewLogs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer logs.Close(t.Context())
		err = logs.Export(t.Context(), logsink.Batch{Kind: logsink.KindAccess, Group: "group", Entries: []logsink.Entry{
			{Time: time.Now(), Line: []byte("one")}, {Time: time.Now(), Line: []byte("two \"quoted\"")},
		}})
		if want := []string{"one", "two \"quoted\""}; err != nil || !slices.Equal(c.Lines(), want) {
			t.Errorf("%v: the collector has %q", err, c.Lines())
		}
	})
}

// What a registry of Prometheus has arrives by each protocol, at the end at the latest.
func TestMetrics(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, o *otlp.Options, c *otlptest.Collector) {
		registry := prometheus.NewRegistry()
		counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "stagedoor_test_total"})
		histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "stagedoor_test_seconds", NativeHistogramBucketFactor: 1.1})
		registry.MustRegister(counter, histogram)
		counter.(prometheus.ExemplarAdder).AddWithExemplar(1, prometheus.Labels{"trace_id": "5759e988bd862e3fe1be46a994272793", "span_id": "53995c3f42cd8ad8"})
		histogram.Observe(1)
		end, err := o.SendMetrics(t.Context(), registry)
		if err != nil {
			t.Fatal(err)
		}
		end(t.Context())
		if got := c.Metrics(); len(got) != 2 {
			t.Errorf("the collector has %q", got)
		}
	})
}

// Lines that a collector refuses for good are not to be sent again, and others are.
func TestLogsRefused(t *testing.T) {
	t.Parallel()
	c := otlptest.New(t)
	o, _ := options(t, c.HTTP, otlp.Protobuf)
	logs, err := o.NewLogs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close(t.Context())
	again := logsink.Refused(nil)
	for status, want := range map[int]bool{http.StatusBadRequest: true, http.StatusUnauthorized: true, http.StatusServiceUnavailable: false, http.StatusTooManyRequests: false} {
		c.Refuse(status)
		err := logs.Export(t.Context(), logsink.Batch{Entries: []logsink.Entry{{Line: []byte("x")}}})
		if got := fmt.Sprintf("%T", err) == fmt.Sprintf("%T", again); err == nil || got != want {
			t.Errorf("%d: %v, for good: %t", status, err, got)
		}
	}
}

// A collector that refuses is told once, and once more when it is back. One that hangs
// costs no more than the time of an attempt.
func TestCollectorFails(t *testing.T) {
	t.Parallel()
	c := otlptest.New(t)
	o, written := options(t, c.HTTP, otlp.Protobuf)
	spans, err := o.Spans(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer spans.Shutdown(context.Background())
	send := func(ctx context.Context) {
		t.Helper()
		if err := spans.ExportSpans(ctx, tracetest.SpanStubs{{Name: "span"}}.Snapshots()); err != nil {
			t.Errorf("the exporter returned %v", err)
		}
	}
	c.Refuse(http.StatusForbidden)
	send(t.Context())
	send(t.Context())
	c.Refuse(0)
	send(t.Context())
	send(t.Context())
	text := written.String()
	if strings.Count(text, "are not taken") != 1 || strings.Count(text, "are taken again") != 1 || strings.Contains(text, "secret") || len(c.Spans()) != 2 {
		t.Errorf("%d spans were taken, and the log has:\n%s", len(c.Spans()), text)
	}
}

// A collector that accepts connections and says nothing holds nobody up: the end comes
// when it is to come.
func TestCollectorHangs(t *testing.T) {
	t.Parallel()
	for _, protocol := range otlp.Protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			silent, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()
			o, written := options(t, "http://"+silent.Addr().String(), protocol)
			spans, err := o.Spans(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans))
			_, span := provider.Tracer("test").Start(t.Context(), "span")
			span.End()
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				_ = provider.Shutdown(ctx)
				ended <- spans.Shutdown(ctx)
			}()
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				t.Fatal("the end does not come")
			}
			for deadline := time.Now().Add(30 * time.Second); !strings.Contains(written.String(), "are not taken"); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("nobody was told:\n%s", written)
				}
			}
		})
	}
}

// OTLP's JSON has ids in hexadecimal digits, and numbers for enumerations.
func TestJSON(t *testing.T) {
	t.Parallel()
	id, _ := hex.DecodeString("5759e988bd862e3fe1be46a994272793")
	text, err := otlp.MarshalJSON(&collector.ExportMetricsServiceRequest{ResourceMetrics: []*metricspb.ResourceMetrics{{ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: []*metricspb.Metric{{
		Name: "traceId", Data: &metricspb.Metric_Sum{Sum: &metricspb.Sum{
			AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
			DataPoints:             []*metricspb.NumberDataPoint{{Exemplars: []*metricspb.Exemplar{{TraceId: id, SpanId: id[:8]}}}},
		}},
	}}}}}}})
	for _, want := range []string{`"traceId":"5759e988bd862e3fe1be46a994272793"`, `"spanId":"5759e988bd862e3f"`, `"aggregationTemporality":2`, `"name":"traceId"`} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%v: %s is missing in %s", err, want, text)
		}
	}
}

// Headers are read as OTEL_EXPORTER_OTLP_HEADERS has them, and mistakes in them do not
// show them.
func TestParseHeaders(t *testing.T) {
	t.Parallel()
	got, err := otlp.ParseHeaders(" api-key = a%20b%3D , x=, ")
	if err != nil || len(got) != 2 || got["api-key"] != "a b=" || got["x"] != "" {
		t.Errorf("%q, %v", got, err)
	}
	for _, text := range []string{"secret", "=secret", "a=%zzsecret", "a b=secret", "a=secret%0d%0aB: c"} {
		if got, err := otlp.ParseHeaders(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// What the environment says holds where nothing is set.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	endpoint, _ := url.Parse("http://127.0.0.1:4318")
	tests := []struct {
		endpoint  *url.URL
		variables string
		want      bool // metrics are sent
	}{
		{nil, "", false},
		{endpoint, "", true},
		{nil, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318", true},
		{nil, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://127.0.0.1:4318", true},
		{nil, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:4318", false},
		{nil, "OTEL_METRICS_EXPORTER=otlp", true},
		{nil, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_METRICS_EXPORTER=none", false},
		{endpoint, "OTEL_METRICS_EXPORTER=none", true},
		{endpoint, "OTEL_SDK_DISABLED=true", false},
	}
	for _, test := range tests {
		o := otlp.Options{Endpoint: test.endpoint, Getenv: func(name string) string {
			for item := range strings.FieldsSeq(test.variables) {
				if value, found := strings.CutPrefix(item, name+"="); found {
					return value
				}
			}
			return ""
		}}
		if got := o.MetricsWanted(); got != test.want {
			t.Errorf("%v, %s: %t", test.endpoint, test.variables, got)
		}
	}
	wrong := otlp.Options{Getenv: func(name string) string { return map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/xml"}[name] }}
	if _, err := wrong.Spans(t.Context()); err == nil || !strings.Contains(err.Error(), `"http/xml"; it must be one of http/protobuf, http/json, grpc`) {
		t.Errorf("a protocol that does not exist: %v", err)
	}
}
