package conformance

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// collect runs the receiver of the OpenTelemetry Collector on two ports, with the
// configuration that one has in the Collector's own file.
func collect(t *testing.T) (sink *consumertest.TracesSink, http, grpc string) {
	t.Helper()
	http, grpc = freeAddress(t), freeAddress(t)
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	err := confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"http": map[string]any{"endpoint": http}, "grpc": map[string]any{"endpoint": grpc},
	}}).Unmarshal(config)
	if err != nil {
		t.Fatal(err)
	}
	sink = new(consumertest.TracesSink)
	receiver, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(factory.Type()), config, sink)
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := receiver.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return sink, http, grpc
}

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// room is an HTTP backend that pushes each message to all connections, in the trace that
// it was told of, and answers nothing.
type room struct {
	api func() string // URL of @connections

	mu      sync.Mutex // guards members
	members map[string]bool
}

// ServeHTTP implements http.Handler.
func (r *room) ServeHTTP(_ http.ResponseWriter, request *http.Request) {
	text, _ := io.ReadAll(request.Body)
	id := request.Header.Get("X-Connection-Id")
	r.mu.Lock()
	defer r.mu.Unlock()
	switch request.Header.Get("X-Stagedoor-Event") {
	case "connect":
		r.members[id] = true
		return
	case "disconnect":
		delete(r.members, id)
		return
	}
	for member := range r.members {
		push, err := http.NewRequestWithContext(request.Context(), http.MethodPost, r.api()+member, strings.NewReader(string(text)))
		if err != nil {
			continue
		}
		push.Header.Set("Traceparent", request.Header.Get("Traceparent"))
		if answer, err := http.DefaultClient.Do(push); err == nil {
			_ = answer.Body.Close()
		}
	}
}

// spansOf returns all spans that were taken, by their names.
func spansOf(sink *consumertest.TracesSink) map[string][]ptrace.Span {
	spans := map[string][]ptrace.Span{}
	for _, batch := range sink.AllTraces() {
		for _, resource := range batch.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, s := range scope.Spans().All() {
					spans[s.Name()] = append(spans[s.Name()], s)
				}
			}
		}
	}
	return spans
}

// The OpenTelemetry Collector gets the spans of a chat by each protocol: the message of
// one member has the call of the backend below it, that has the pushes to both, and is
// linked to the handshake of who has sent it.
func TestCollector(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/protobuf", "http/json", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			sink, overHTTP, overGRPC := collect(t)
			endpoint := overHTTP
			if protocol == "grpc" {
				endpoint = overGRPC
			}
			members := &room{members: map[string]bool{}}
			backend := httptest.NewServer(members)
			defer backend.Close()
			g := serve(t, fmt.Sprintf("telemetry: {otlp: {endpoint: \"http://%s\", protocol: %s}, traces: {ratio: 1}}\napis: {chat: {routes: {$connect: %[3]q, $default: %[3]q, $disconnect: %[3]q}}}\n",
				endpoint, protocol, backend.URL), []string{"OTEL_BSP_SCHEDULE_DELAY=100"}, "--open")
			members.api = func() string { return g.Public + "/dev/@connections/" }

			var clients []*websocket.Conn
			for range 2 {
				c, _, err := websocket.Dial(t.Context(), strings.Replace(g.Public, "http", "ws", 1)+"/dev", nil)
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				clients = append(clients, c)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := clients[0].Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
				t.Fatal(err)
			}
			for _, c := range clients {
				if _, text, err := c.Read(ctx); err != nil || string(text) != "hello" {
					t.Fatalf("a member got %s, %v", text, err)
				}
			}

			const push = "POST /dev/@connections/{connectionId}"
			spans := spansOf(sink)
			for deadline := time.Now().Add(patience); len(spans["process $default"]) < 1 || len(spans[push]) < 2 || len(spans["GET /dev"]) < 2; spans = spansOf(sink) {
				if time.Now().After(deadline) {
					t.Fatalf("the Collector has only %d spans: %v", sink.SpanCount(), spans)
				}
				time.Sleep(20 * time.Millisecond)
			}
			message := spans["process $default"][0]
			var call ptrace.Span
			for _, s := range spans["POST"] {
				if s.ParentSpanID() == message.SpanID() {
					call = s
				}
			}
			if call == (ptrace.Span{}) || call.TraceID() != message.TraceID() {
				t.Fatalf("there is no call below the message: %v", spans)
			}
			for _, s := range spans[push] {
				if s.TraceID() != message.TraceID() || s.ParentSpanID() != call.SpanID() {
					t.Errorf("a push is in the trace %s below %s, want %s below %s", s.TraceID(), s.ParentSpanID(), message.TraceID(), call.SpanID())
				}
			}
			linked := false
			for _, s := range spans["GET /dev"] {
				linked = linked || message.Links().Len() == 1 && message.Links().At(0).SpanID() == s.SpanID() && message.Links().At(0).TraceID() == s.TraceID()
			}
			if !linked || message.TraceID() == spans["GET /dev"][0].TraceID() {
				t.Error("the message is not linked to the handshake of who has sent it")
			}
		})
	}
}
