package integration

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/eventloop"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/httpclient"
)

// caller takes the answer to a call that was started, copied.
type caller chan outcome

// outcome is what a call came to.
type outcome struct {
	status int
	body   string
	failed string
	event  event.Outcome
}

func (c caller) Answer(r *Response, err *failure.Error) { c <- outcomeOf(r, err) }

func outcomeOf(r *Response, err *failure.Error) (o outcome) {
	if err != nil {
		o.failed = fmt.Sprint(err.Kind, err)
		return o
	}
	o.status, o.body = r.Status, string(r.Body)
	return o
}

// newLoop starts an event loop, which ends with the test.
func newLoop(t *testing.T) *eventloop.Loop {
	t.Helper()
	loop, err := eventloop.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(loop.Close)
	return loop
}

// startedEvent is a message with a body.
func startedEvent(body string, twoWay bool) *event.Event {
	return &event.Event{
		Connection: &event.Connection{Endpoint: &event.Endpoint{APIID: "abc", Stage: "dev"}, SourceIP: "192.0.2.1", Port: 443, Secure: true},
		Type:       event.Message, Body: []byte(body), TwoWay: twoWay, TraceID: "Root=1",
	}
}

// build makes the backend of an integration.
func build(t *testing.T, client *httpclient.Client, i *apigw.Integration) Backend {
	t.Helper()
	b, err := (&Builder{HTTP: client}).Build(i, Place{APIID: "abc", Stage: "dev", RouteKey: "$default"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// recorded is a backend that answers as the path says, and tells what it was sent where
// it answers.
func recorded(t *testing.T) (url string, requests chan string) {
	t.Helper()
	requests = make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		fmt.Fprintf(&b, "%s %s %s\n", r.Method, r.RequestURI, r.Host)
		_ = r.Header.Write(&b)
		_, _ = io.Copy(&b, r.Body)
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
			return
		}
		requests <- b.String()
		if r.URL.Path == "/teapot" {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = io.WriteString(w, "answer")
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

// A call comes to the same, and is the same for its backend, whether it is started or made
// by a goroutine that waits.
func TestStartAsInvoke(t *testing.T) {
	t.Parallel()
	url, requests := recorded(t)
	client := httpclient.New(httpclient.Options{})
	t.Cleanup(client.Close)
	loop := newLoop(t)
	constant := map[string]string{"$default": `{"statusCode": 201}`}
	passing := []*apigw.IntegrationResponse{{IntegrationResponseKey: "$default"}}
	chosen := []*apigw.IntegrationResponse{
		{IntegrationResponseKey: "/4\\d\\d/", ResponseTemplates: map[string]string{"$default": "refused"}},
		{IntegrationResponseKey: "201", ResponseTemplates: map[string]string{"$default": "made"}},
	}
	const closed = "http://127.0.0.1:1/"
	for name, i := range map[string]*apigw.Integration{
		"proxy":              {IntegrationType: "HTTP_PROXY", IntegrationUri: url + "/a%20b?x=y z"},
		"proxy, put":         {IntegrationType: "HTTP_PROXY", IntegrationUri: url, IntegrationMethod: "PUT"},
		"proxy, an error":    {IntegrationType: "HTTP_PROXY", IntegrationUri: url + "/teapot"},
		"proxy, slow":        {IntegrationType: "HTTP_PROXY", IntegrationUri: url + "/slow", TimeoutInMillis: 50},
		"proxy, nobody":      {IntegrationType: "HTTP_PROXY", IntegrationUri: closed},
		"mapped":             {IntegrationType: "HTTP", IntegrationUri: url, IntegrationResponses: passing},
		"mapped, none":       {IntegrationType: "HTTP", IntegrationUri: url},
		"mapped, choice":     {IntegrationType: "HTTP", IntegrationUri: url + "/teapot", IntegrationResponses: chosen},
		"mapped, no choice":  {IntegrationType: "HTTP", IntegrationUri: url, IntegrationResponses: chosen},
		"mapped, constant":   {IntegrationType: "HTTP", IntegrationUri: url, RequestTemplates: constant, IntegrationResponses: passing},
		"mapped, nobody":     {IntegrationType: "HTTP", IntegrationUri: closed, IntegrationResponses: passing},
		"mock":               {IntegrationType: "MOCK", IntegrationResponses: passing},
		"mock, none":         {IntegrationType: "MOCK"},
		"mock, constant":     {IntegrationType: "MOCK", RequestTemplates: constant, IntegrationResponses: chosen},
		"mock, never":        {IntegrationType: "MOCK", PassthroughBehavior: "NEVER", IntegrationResponses: passing},
		"mock, no choice":    {IntegrationType: "MOCK", RequestTemplates: constant, IntegrationResponses: chosen[:1]},
		"mock, by selection": {IntegrationType: "MOCK", RequestTemplates: constant, TemplateSelectionExpression: "$request.body.kind"},
	} {
		backend := build(t, client, i)
		light := Light(backend)
		if light == nil {
			t.Errorf("%s is not light", name)
			continue
		}
		for _, body := range []string{`{"statusCode": 200, "kind": "x"}`, "no JSON", ""} {
			for _, twoWay := range []bool{true, false} {
				waits := startedEvent(body, twoWay)
				want := outcomeOf(backend.Invoke(t.Context(), waits))
				want.event = waits.Integration
				sent := request(requests)
				starts, c := startedEvent(body, twoWay), make(caller, 1)
				loop.Post(func() { light.Start(loop, t.Context(), starts, c) })
				got := c.next(t)
				got.event = starts.Integration
				if again := request(requests); again != sent {
					t.Errorf("%s, %q: the backend got\n%s\nby Invoke:\n%s", name, body, again, sent)
				}
				if (got.event.Latency == 0) != (want.event.Latency == 0) {
					t.Errorf("%s: latency %v, want %v", name, got.event.Latency, want.event.Latency)
				}
				got.event.Latency, want.event.Latency = 0, 0
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s, %q, two-way %v: %+v, want %+v", name, body, twoWay, got, want)
				}
			}
		}
	}
}

func (c caller) next(t *testing.T) outcome {
	t.Helper()
	select {
	case o := <-c:
		return o
	case <-time.After(time.Minute):
		t.Fatal("no answer")
		return outcome{}
	}
}

// request is what a backend was sent last, if it has answered.
func request(requests chan string) string {
	select {
	case r := <-requests:
		return r
	default:
		return ""
	}
}

// Whatever runs something of a user's, or may wait, is not light.
func TestLight(t *testing.T) {
	t.Parallel()
	client := httpclient.New(httpclient.Options{})
	t.Cleanup(client.Close)
	const url = "http://backend.example:8080/"
	template := map[string]string{"$default": "$input.body"}
	for name, i := range map[string]*apigw.Integration{
		"TLS":                {IntegrationType: "HTTP_PROXY", IntegrationUri: "https://backend.example/"},
		"mapped, TLS":        {IntegrationType: "HTTP", IntegrationUri: "https://backend.example/"},
		"parameters":         {IntegrationType: "HTTP_PROXY", IntegrationUri: url, RequestParameters: map[string]string{"integration.request.header.X": "route.request.body.x"}},
		"mapped, parameters": {IntegrationType: "HTTP", IntegrationUri: url, RequestParameters: map[string]string{"integration.request.header.X": "'x'"}},
		"a template":         {IntegrationType: "HTTP", IntegrationUri: url, RequestTemplates: template},
		"of a mock":          {IntegrationType: "MOCK", RequestTemplates: template},
		"content":            {IntegrationType: "HTTP", IntegrationUri: url, ContentHandlingStrategy: "CONVERT_TO_TEXT"},
		"of the answer":      {IntegrationType: "MOCK", IntegrationResponses: []*apigw.IntegrationResponse{{IntegrationResponseKey: "$default", ResponseTemplates: template}}},
		"content, answer":    {IntegrationType: "MOCK", IntegrationResponses: []*apigw.IntegrationResponse{{IntegrationResponseKey: "$default", ContentHandlingStrategy: "CONVERT_TO_BINARY"}}},
		"placeholders":       {IntegrationType: "HTTP_PROXY", IntegrationUri: url + "{x}", RequestParameters: map[string]string{"integration.request.path.x": "'x'"}},
		"a function":         {IntegrationType: "AWS_PROXY", IntegrationUri: "arn:aws:lambda:us-east-1:123456789012:function:f", IntegrationMethod: "POST"},
	} {
		if Light(build(t, client, i)) != nil {
			t.Errorf("%s is light", name)
		}
	}
	if Light(Broken(io.EOF)) != nil {
		t.Error("what is broken is light")
	}
}

// again is a caller that says that it has the answer.
type again struct{ done chan struct{} }

func (a *again) Answer(*Response, *failure.Error) { a.done <- struct{}{} }

// A started call takes no allocation.
func TestStartAllocations(t *testing.T) { // not parallel: it counts those of the process
	listener := talker(t)
	client := httpclient.New(httpclient.Options{})
	t.Cleanup(client.Close)
	for name, i := range map[string]*apigw.Integration{
		"proxy":  {IntegrationType: "HTTP_PROXY", IntegrationUri: listener},
		"mock":   {IntegrationType: "MOCK", IntegrationResponses: []*apigw.IntegrationResponse{{IntegrationResponseKey: "$default"}}},
		"mapped": {IntegrationType: "HTTP", IntegrationUri: listener},
	} {
		t.Run(name, func(t *testing.T) {
			loop, backend := newLoop(t), Light(build(t, client, i))
			e, a, ctx := startedEvent(`{"statusCode": 200}`, name != "mapped"), &again{make(chan struct{}, 1)}, context.Background() //nolint:usetesting // has no end
			start := func() { backend.Start(loop, ctx, e, a) }
			allocations.AtMost(t, 0, func() {
				loop.Post(start)
				<-a.done
			})
		})
	}
}

// talker is a backend that answers without allocating.
func talker(t *testing.T) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				room, answer := make([]byte, 8<<10), []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
				for {
					if _, err := c.Read(room); err != nil {
						return
					}
					_, _ = c.Write(answer)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}
