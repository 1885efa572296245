package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/eventloop"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

func httpProxy(url string) *apigw.Integration {
	return &apigw.Integration{IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: url}
}

// sendFragments sends a message in frames of 20 KB.
func sendFragments(t *testing.T, c *Client, message string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Timeout)
	defer cancel()
	w, err := c.Writer(ctx, coder.MessageText)
	for ; err == nil && len(message) > 0; message = message[min(len(message), 20<<10):] {
		_, err = io.WriteString(w, message[:min(len(message), 20<<10)])
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A route whose messages stay on the loop answers and records as one whose messages have goroutines does, and as a
// gateway without loops.
func TestLightAndHeavyRoutesAreAlike(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 100_000)
	backend := NewBackend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.Contains(string(body), "refuse"):
			w.WriteHeader(http.StatusTeapot)
		case strings.Contains(string(body), "large"):
			body = []byte(large)
		case strings.Contains(string(body), "too big"):
			body = []byte(strings.Repeat("x", 128<<10+1))
		case strings.Contains(string(body), "late"):
			<-r.Context().Done()
			return
		}
		_, _ = w.Write(append(body, r.Header.Get("X-Forwarded-For")...))
	})
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	hasty := httpProxy(backend.URL)
	hasty.TimeoutInMillis = 100
	integrations := map[string]*apigw.Integration{
		"proxy": httpProxy(backend.URL), "hasty": hasty, "gone": httpProxy("http://" + gone.Addr().String()),
		"http": {IntegrationType: apigw.IntegrationHTTP, IntegrationMethod: "POST", IntegrationUri: backend.URL, IntegrationResponses: passing},
		"mock": {IntegrationType: apigw.IntegrationMock, IntegrationResponses: passing},
	}
	messages := []string{
		`{"action":"proxy","say":"hello"}`, `{"action":"proxy","say":"refuse"}`, `{"action":"proxy","say":"large"}`,
		`{"action":"proxy","say":"too big"}`, `{"action":"proxy","say":"` + large + `"}`,
		`{"action":"hasty","say":"late"}`, `{"action":"gone"}`, `{"action":"http","say":"hello"}`, `{"action":"http","say":"refuse"}`,
		`{"action":"mock","statusCode":200}`, `{"action":"mock","statusCode":404}`, `{"action":"mock"}`, `{"action":"none"}`,
	}
	type outcome struct {
		Frame, Route, Error       string
		Status, Bytes, Unanswered int
	}
	answers := func(t *testing.T, driver websocket.Driver, heavy, twoWay bool) (all []outcome) {
		g := New(t, driver)
		var routes []Route
		for key, i := range integrations {
			routes = append(routes, Route{Key: key, TwoWay: twoWay, Integration: i})
		}
		api := API("testapi123", routes...)
		api.Models = []*apigw.Model{{ModelId: "any", Name: "Any", ContentType: "application/json", Schema: `{}`}}
		for _, r := range api.Routes {
			if heavy {
				r.ModelSelectionExpression, r.RequestModels = "any", map[string]string{"$default": "Any"}
			}
		}
		g.Deploy(api, &apigw.Stage{StageName: "dev"})
		c := g.Dial("/dev")
		for n, message := range messages {
			sendFragments(t, c, message)
			o := outcome{}
			if twoWay || strings.Contains(message, `"none"`) || strings.Contains(message, `"gone"`) || strings.Contains(message, "late") ||
				message == `{"action":"mock"}` {
				o.Frame = ids.ReplaceAllString(c.Receive(), "")
			}
			r := g.Records.Wait(t, telemetry.EventMessage, n+1)
			o.Route, o.Error, o.Status, o.Bytes, o.Unanswered = r.RouteKey, r.Error, r.Status, r.Bytes, r.Unanswered
			all = append(all, o)
		}
		return all
	}
	for _, twoWay := range []bool{true, false} {
		t.Run(fmt.Sprintf("two-way %t", twoWay), func(t *testing.T) {
			t.Parallel()
			light := answers(t, websocket.DriverAuto, false, twoWay)
			if !twoWay && light[0].Unanswered == 0 || twoWay && !strings.HasSuffix(light[0].Frame, `127.0.0.1`) {
				t.Errorf("the first: %+v", light[0])
			}
			if diff := cmp.Diff(light, answers(t, websocket.DriverAuto, true, twoWay)); diff != "" {
				t.Errorf("with a model:\n%s", diff)
			}
			if diff := cmp.Diff(light, answers(t, websocket.DriverGoroutine, false, twoWay)); diff != "" {
				t.Errorf("without a loop:\n%s", diff)
			}
		})
	}
}

// A shutdown waits for calls that were started; those that take longer end with it, and $disconnect is called.
func TestShutdownWithStartedCalls(t *testing.T) {
	t.Parallel()
	for _, inTime := range []bool{true, false} {
		t.Run(fmt.Sprintf("answered in time %t", inTime), func(t *testing.T) {
			t.Parallel()
			entered, leave := make(chan struct{}, 1), make(chan struct{})
			var once sync.Once
			release := func() { once.Do(func() { close(leave) }) }
			left := make(chan string, 10)
			backend := NewBackend(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if strings.Contains(string(body), "slow") {
					entered <- struct{}{}
					select {
					case <-leave:
					case <-r.Context().Done():
					}
					_, _ = io.WriteString(w, "at last")
					return
				}
				left <- string(body)
			})
			t.Cleanup(release)
			g := New(t, websocket.DriverAuto)
			g.DeployRoutes(Route{Key: "slow", TwoWay: true, Integration: httpProxy(backend.URL)}, Route{Key: "$disconnect", Integration: httpProxy(backend.URL)})
			c := g.Dial("/dev")
			c.Send(`{"action":"slow"}`)
			<-entered
			enough := 2 * time.Second
			if inTime {
				enough = Timeout
			}
			ctx, cancel := context.WithTimeout(t.Context(), enough)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- g.Shutdown(ctx) }()
			if code, _ := c.WaitClosed(); code != int(coder.StatusGoingAway) {
				t.Errorf("the client saw %d", code)
			}
			<-left
			if inTime {
				release()
			}
			if err := <-ended; (err == nil) != inTime {
				t.Errorf("shutdown: %v", err)
			}
			if r := g.Records.Wait(t, telemetry.EventMessage, 1); (r.Status == 200) != inTime || r.Error == "" {
				t.Errorf("%+v", r)
			}
			g.Records.Wait(t, telemetry.EventDisconnect, 1)
		})
	}
}

// defective is a backend with defects of ours.
type defective struct{ integration.Backend }

func (d defective) Start(loop *eventloop.Loop, _ context.Context, e *event.Event, to integration.Caller) { //nolint:revive // as in the interface
	answer := func() { to.Answer(&integration.Response{Status: 200, Body: []byte("late")}, nil) }
	switch body := string(e.Body); {
	case strings.Contains(body, "later"):
		loop.Post(answer) // which comes too late
		panic("a defect")
	case strings.Contains(body, "answered"):
		answer()
		panic("a defect")
	case strings.Contains(body, "never"):
		panic("a defect")
	default:
		loop.Post(answer)
	}
}

func (defective) Invoke(context.Context, *event.Event) (*integration.Response, *failure.Error) {
	panic("a defect")
}

// A panic of ours on a loop fails the event, and nothing else.
func TestDefectOnTheLoop(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := NewWith(t, websocket.Options{Driver: driver, Loops: 1}, gateway.Guards{Unsigned: true})
		p, _, err := (&plan.Compiler{Backends: g.Backends, Region: "us-east-1"}).Compile(
			&apigw.Deployment{API: API("testapi123", Route{Key: "$default", TwoWay: true, Integration: httpProxy("http://127.0.0.1:1")})},
			&apigw.Stage{ApiId: "testapi123", StageName: "dev"})
		if err != nil {
			t.Fatal(err)
		}
		p.Default.Backend, p.Default.Light = defective{}, defective{}
		g.Gateway.Deploy(p)
		loops := driver == websocket.DriverAuto
		c := g.Dial("/dev")
		for n, message := range []string{"never", "later", "answered", "fine"} {
			c.Send(message)
			got := c.Receive()
			r := g.Records.Wait(t, telemetry.EventMessage, n+1)
			if answered := loops && n > 1; answered && got != "late" || !answered && (describe(got) != internalFrame || !strings.Contains(r.Error, "defect in the gateway")) {
				t.Errorf("%s: received %q, error %q", message, got, r.Error)
			}
		}
	})
}
