package server

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/otlptest"
)

const (
	clientRoot  = "Root=1-5759e988-bd862e3fe1be46a994272793"
	clientTrace = "5759e988bd862e3fe1be46a994272793"
)

// chat starts a gateway with a configuration, whose messages go to a backend that pushes
// each of them to its sender, by way of the trace that it was told of, and answers "done".
func chat(t *testing.T, configuration string) (*served, *gatewaytest.Backend) {
	t.Helper()
	var g *served
	backend := gatewaytest.NewBackend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		push, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, g.Public[0]+"/prod/@connections/"+url.PathEscape(r.Header.Get("X-Connection")), strings.NewReader(string(body)))
		push.Header.Set("Traceparent", r.Header.Get("Traceparent"))
		if answer, err := gatewaytest.HTTPClient.Do(push); err == nil {
			w.Header().Set("X-Push", answer.Header.Get("X-Amzn-Trace-Id"))
			_ = answer.Body.Close()
		}
		_, _ = io.WriteString(w, "done")
	})
	s := newSite(t)
	s.configure(configuration)
	s.fill(&apigw.Integration{
		IntegrationType: "HTTP", IntegrationMethod: "POST", IntegrationUri: backend.URL + "/hook?token=secret",
		RequestParameters: map[string]string{"integration.request.header.X-Connection": "context.connectionId"},
		RequestTemplates:  map[string]string{"application/json": `{"said":$input.json('$')}`}, TemplateSelectionExpression: "application/json",
		IntegrationResponses: []*apigw.IntegrationResponse{{IntegrationResponseId: "ir", IntegrationResponseKey: "$default"}},
	})
	g = s.start(Config{Open: true})
	return g, backend
}

// talk opens a connection with a header, has a message answered, and closes it.
func (g *served) talk(header http.Header) {
	g.t.Helper()
	conn, _, err := websocket.Dial(g.t.Context(), strings.Replace(g.Public[0], "http", "ws", 1)+"/prod", &websocket.DialOptions{HTTPClient: gatewaytest.HTTPClient, HTTPHeader: header})
	if err != nil {
		g.t.Fatal(err)
	}
	defer conn.CloseNow()
	gatewaytest.Send(g.t, conn, `"hello"`)
	if push, answer := gatewaytest.Receive(g.t, conn), gatewaytest.Receive(g.t, conn); push != `{"said":"hello"}` || answer != "done" {
		g.t.Errorf("the client got %s and %s; the log:\n%s", push, answer, &g.log)
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		g.t.Error(err)
	}
}

// found returns the only span of a name, once it is there.
func found(t *testing.T, c *otlptest.Collector, name string) (s otlptest.Span) {
	t.Helper()
	gatewaytest.Eventually(t, func() (err error) {
		s, err = c.Find(name)
		return err
	})
	return s
}

// The spans of a chat arrive by each protocol, and belong together: the handshake is in the
// client's trace, a message has a trace of its own with all that was done for it below it,
// and the push of the backend is below the call of that backend.
func TestTraces(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/protobuf", "http/json", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			collector := otlptest.New(t)
			endpoint := collector.HTTP
			if protocol == "grpc" {
				endpoint = collector.GRPC
			}
			g, backend := chat(t, fmt.Sprintf("telemetry:\n  otlp: {endpoint: %q, protocol: %s}\n  traces: {ratio: 1}\n", endpoint, protocol))
			g.talk(http.Header{"X-Amzn-Trace-Id": {clientRoot}})
			called := backend.Last(t).Header
			disconnect := found(t, collector, "$disconnect")
			if err := g.stop(); err != nil {
				t.Error(err)
			}
			if json := collector.Sent("application/json"); (json > 0) != (protocol == "http/json") {
				t.Errorf("%d requests were in JSON", json)
			}

			connect := found(t, collector, "GET /prod")
			if connect.TraceID != clientTrace || connect.Parent != "" || connect.Attributes["http.response.status_code"] != "101" || connect.Service != "stagedoor" {
				t.Errorf("the handshake's span is %+v", connect)
			}
			message := found(t, collector, "process $default")
			link := connect.TraceID + "/" + connect.SpanID
			if message.TraceID == clientTrace || message.Parent != "" || len(message.Links) != 1 || message.Links[0] != link || message.Error != "" {
				t.Errorf("the message's span is %+v", message)
			}
			if len(disconnect.Links) != 1 || disconnect.Links[0] != link || disconnect.TraceID == message.TraceID {
				t.Errorf("the span of the disconnect is %+v", disconnect)
			}
			call := found(t, collector, "POST")
			if call.Attributes["url.full"] != backend.URL+"/hook" || call.Attributes["http.response.status_code"] != "200" {
				t.Errorf("the span of the call is %+v", call)
			}
			for _, name := range []string{"map request", "POST"} {
				if s := found(t, collector, name); s.TraceID != message.TraceID || s.Parent != message.SpanID {
					t.Errorf("%s is not a child of the message: %+v", name, s)
				}
			}
			replies := map[string]bool{}
			for _, s := range collector.Spans() {
				if s.Name == "reply" {
					replies[s.Parent] = true
				}
			}
			if !replies[message.SpanID] || !replies[connect.SpanID] {
				t.Errorf("a reply is missing: %v", replies)
			}
			push := found(t, collector, "POST /prod/@connections/{connectionId}")
			if push.TraceID != message.TraceID || push.Parent != call.SpanID {
				t.Errorf("the push is not below the call: %+v", push)
			}
			if want := "00-" + message.TraceID + "-" + call.SpanID + "-01"; called.Get("Traceparent") != want {
				t.Errorf("the backend was told the traceparent %s, want %s", called.Get("Traceparent"), want)
			}
			if want := "Root=1-" + message.TraceID[:8] + "-" + message.TraceID[8:] + ";Parent=" + call.SpanID + ";Sampled=1"; called.Get("X-Amzn-Trace-Id") != want {
				t.Errorf("the backend was told X-Amzn-Trace-Id %s, want %s", called.Get("X-Amzn-Trace-Id"), want)
			}
		})
	}
}

// An endpoint alone traces nothing: no header tells of a trace that is not there. Metrics
// go to it.
func TestTracesAreOff(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	g, backend := chat(t, fmt.Sprintf("telemetry: {otlp: {endpoint: %q}}\n", collector.HTTP))
	g.talk(nil)
	called := backend.Last(t).Header
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	if id := called.Get("X-Amzn-Trace-Id"); called.Get("Traceparent") != "" || strings.Contains(id, ";") || !strings.HasPrefix(id, "Root=1-") {
		t.Errorf("the backend was told %s and %s", id, called.Get("Traceparent"))
	}
	if spans := collector.Spans(); len(spans) > 0 {
		t.Errorf("there are spans: %+v", spans)
	}
	if names := collector.Metrics(); !slices.Contains(names, "stagedoor_connections_open") {
		t.Errorf("the metrics that were sent are %q", names)
	}
}

// Who names a trace decides whether it is sampled; of other traces, a ratio does.
func TestTracesAreSampled(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	g, backend := chat(t, fmt.Sprintf("telemetry: {otlp: {endpoint: %q}, traces: {ratio: 0.0000000001}}\n", collector.HTTP))
	g.talk(http.Header{"X-Amzn-Trace-Id": {clientRoot + ";Parent=53995c3f42cd8ad8;Sampled=1"}})
	called := backend.Last(t).Header
	if id := called.Get("X-Amzn-Trace-Id"); !strings.HasSuffix(id, ";Sampled=0") || !strings.HasSuffix(called.Get("Traceparent"), "-00") {
		t.Errorf("the backend was told %s and %s", id, called.Get("Traceparent"))
	}
	g.talk(http.Header{"Traceparent": {"00-" + clientTrace + "-53995c3f42cd8ad8-00"}})
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	if connect := found(t, collector, "GET /prod"); connect.TraceID != clientTrace || connect.Parent != "53995c3f42cd8ad8" {
		t.Errorf("the handshake's span is %+v", connect)
	}
	for _, s := range collector.Spans() {
		if s.TraceID != clientTrace {
			t.Errorf("a span was sampled: %+v", s)
		}
	}
}
