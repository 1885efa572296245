// Package otlptest is a collector for tests: it takes traces, metrics and logs by
// OpenTelemetry's protocol in all its forms, and keeps them.
package otlptest

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Span is a span that was taken. Ids are in hexadecimal digits.
type Span struct {
	TraceID, SpanID, Parent string
	Name                    string
	Kind                    int
	Links                   []string // the spans that it is linked to: trace id/span id
	Attributes              map[string]string
	Error                   string // why it failed
	Service                 string
}

// Collector is a collector that runs.
type Collector struct {
	HTTP string // its URL
	GRPC string // its URL for gRPC

	mu      sync.Mutex // guards what follows
	spans   []Span
	lines   []string
	metrics []string
	headers []string       // X-Test, of each request
	types   map[string]int // Content-Type of requests over HTTP
	status  int            // that is answered over HTTP; 0: what is sent is taken
}

// New starts a collector that ends with the test.
func New(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{types: map[string]int{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	collectortrace.RegisterTraceServiceServer(g, grpcTraces{c: c})
	collectormetrics.RegisterMetricsServiceServer(g, grpcMetrics{c: c})
	collectorlogs.RegisterLogsServiceServer(g, grpcLogs{c: c})
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = g.Serve(listener)
	}()
	t.Cleanup(func() {
		g.Stop()
		<-served
	})
	c.HTTP, c.GRPC = server.URL, "http://"+listener.Addr().String()
	return c
}

// Refuse has the collector answer requests over HTTP with a status, 0 for taking them.
func (c *Collector) Refuse(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// Spans returns the spans that were taken.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Lines returns the bodies of the log records that were taken.
func (c *Collector) Lines() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.lines...)
}

// Metrics returns the names of the metrics that were taken, each as often as it was.
func (c *Collector) Metrics() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.metrics...)
}

// Headers returns the header X-Test of each request.
func (c *Collector) Headers() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.headers...)
}

// Sent returns how many requests over HTTP had a Content-Type.
func (c *Collector) Sent(contentType string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.types[contentType]
}

// ServeHTTP implements http.Handler.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	status := c.status
	c.types[r.Header.Get("Content-Type")]++
	c.headers = append(c.headers, r.Header.Get("X-Test"))
	c.mu.Unlock()
	if status != 0 {
		http.Error(w, "refused", status)
		return
	}
	if err := c.take(r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	if r.Header.Get("Content-Type") == "application/json" {
		_, _ = io.WriteString(w, "{}")
	}
}

func (c *Collector) take(r *http.Request) error {
	var from io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return err
		}
		from = unzipped
	}
	body, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	read := func(m proto.Message) error { return proto.Unmarshal(body, m) }
	if r.Header.Get("Content-Type") == "application/json" {
		read = func(m proto.Message) error { return readJSON(body, m) }
	}
	switch r.URL.Path {
	case "/v1/traces":
		var request collectortrace.ExportTraceServiceRequest
		err = read(&request)
		c.takeTraces(&request)
	case "/v1/metrics":
		var request collectormetrics.ExportMetricsServiceRequest
		err = read(&request)
		c.takeMetrics(&request)
	case "/v1/logs":
		var request collectorlogs.ExportLogsServiceRequest
		err = read(&request)
		c.takeLogs(&request)
	default:
		return fmt.Errorf("no signal has the path %s", r.URL.Path)
	}
	return err
}

// readJSON reads OTLP's JSON, in which ids are in hexadecimal digits and enumerations are
// numbers.
func readJSON(text []byte, m proto.Message) error {
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	if err := bytesOfIDs(tree); err != nil {
		return err
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	return protojson.Unmarshal(text, m)
}

func bytesOfIDs(tree any) error {
	switch node := tree.(type) {
	case []any:
		for _, item := range node {
			if err := bytesOfIDs(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, item := range node {
			switch name {
			case "kind", "severityNumber", "aggregationTemporality":
				if _, isNumber := item.(float64); !isNumber {
					return fmt.Errorf("%s is %v, and no number", name, item)
				}
			case "traceId", "spanId", "parentSpanId":
				text, _ := item.(string)
				id, err := hex.DecodeString(text)
				if err != nil {
					return fmt.Errorf("%s is %v: %w", name, item, err)
				}
				node[name] = id // base64 again
				continue
			}
			if err := bytesOfIDs(item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Collector) takeTraces(request *collectortrace.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.ResourceSpans {
		service := attributes(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				taken := Span{
					TraceID: hex.EncodeToString(s.TraceId), SpanID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
					Name: s.Name, Kind: int(s.Kind), Attributes: attributes(s.Attributes), Error: s.GetStatus().GetMessage(), Service: service,
				}
				for _, l := range s.Links {
					taken.Links = append(taken.Links, hex.EncodeToString(l.TraceId)+"/"+hex.EncodeToString(l.SpanId))
				}
				c.spans = append(c.spans, taken)
			}
		}
	}
}

func attributes(list []*common.KeyValue) map[string]string {
	values := make(map[string]string, len(list))
	for _, a := range list {
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			values[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			values[a.Key] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_BoolValue:
			values[a.Key] = fmt.Sprint(v.BoolValue)
		default:
			values[a.Key] = a.GetValue().String()
		}
	}
	return values
}

func (c *Collector) takeMetrics(request *collectormetrics.ExportMetricsServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.ResourceMetrics {
		for _, scope := range resource.ScopeMetrics {
			for _, m := range scope.Metrics {
				c.metrics = append(c.metrics, m.Name)
			}
		}
	}
}

func (c *Collector) takeLogs(request *collectorlogs.ExportLogsServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.ResourceLogs {
		for _, scope := range resource.ScopeLogs {
			for _, r := range scope.LogRecords {
				c.lines = append(c.lines, r.GetBody().GetStringValue())
			}
		}
	}
}

// note keeps the header of a call by gRPC.
func (c *Collector) note(ctx context.Context) {
	from, _ := metadata.FromIncomingContext(ctx)
	value := ""
	if values := from.Get("x-test"); len(values) > 0 {
		value = values[0]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.headers = append(c.headers, value)
}

type grpcTraces struct {
	collectortrace.UnimplementedTraceServiceServer
	c *Collector
}

// Export implements the service of traces.
func (s grpcTraces) Export(ctx context.Context, request *collectortrace.ExportTraceServiceRequest) (*collectortrace.ExportTraceServiceResponse, error) {
	s.c.note(ctx)
	s.c.takeTraces(request)
	return &collectortrace.ExportTraceServiceResponse{}, nil
}

type grpcMetrics struct {
	collectormetrics.UnimplementedMetricsServiceServer
	c *Collector
}

// Export implements the service of metrics.
func (s grpcMetrics) Export(ctx context.Context, request *collectormetrics.ExportMetricsServiceRequest) (*collectormetrics.ExportMetricsServiceResponse, error) {
	s.c.note(ctx)
	s.c.takeMetrics(request)
	return &collectormetrics.ExportMetricsServiceResponse{}, nil
}

type grpcLogs struct {
	collectorlogs.UnimplementedLogsServiceServer
	c *Collector
}

// Export implements the service of logs.
func (s grpcLogs) Export(ctx context.Context, request *collectorlogs.ExportLogsServiceRequest) (*collectorlogs.ExportLogsServiceResponse, error) {
	s.c.note(ctx)
	s.c.takeLogs(request)
	return &collectorlogs.ExportLogsServiceResponse{}, nil
}

// errNoSpan is the error of Find.
var errNoSpan = errors.New("no such span was taken")

// Find returns the only span of a name.
func (c *Collector) Find(name string) (Span, error) {
	spans := c.Spans()
	var found []Span
	for _, s := range spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 0:
		return Span{}, fmt.Errorf("%s: %w: %+v", name, errNoSpan, spans)
	case 1:
		return found[0], nil
	}
	return Span{}, fmt.Errorf("there are %d spans %s: %+v", len(found), name, found)
}
