package metrics_test

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/metrics"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// counting starts a gateway whose events are counted.
func counting(t *testing.T) (*gatewaytest.Gateway, *metrics.Metrics) {
	m := metrics.New(metrics.Options{})
	g := gatewaytest.NewFrom(t, websocket.Options{}, gateway.Options{
		Recorder: m, Answered: m.Answered, AuthorizerTook: m.Authorizer.Observe, Guards: gateway.Guards{Unsigned: true},
	})
	g.Count(m)
	return g, m
}

// scrape returns the numbers that a metrics port answers with, by their series as they
// stand in the answer.
func scrape(t *testing.T, m *metrics.Metrics) map[string]float64 {
	t.Helper()
	r := httptest.NewRequest("GET", metrics.Path, nil)
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	m.NewHandler(nil, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	numbers := map[string]float64{}
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		numbers[line[:at]] = value
	}
	return numbers
}

// six are the numbers of section K.3: connects, messages, ClientErrors, ExecutionErrors,
// IntegrationErrors, and how many latencies.
type six [6]float64

var sixNames = [...]string{
	"connect_total", "message_total", "client_error_total", "execution_error_total", "integration_error_total", "integration_latency_seconds_count",
}

// count waits until the routes of a stage have these numbers, and checks that there are
// no other routes.
func count(t *testing.T, m *metrics.Metrics, want map[string]six) {
	t.Helper()
	gatewaytest.Eventually(t, func() error {
		numbers, got := scrape(t, m), map[string]six{}
		for i, name := range sixNames {
			for series, value := range numbers {
				route, found := strings.CutPrefix(series, "stagedoor_"+name+`{api="testapi123",api_id="testapi123",route="`)
				if !found {
					continue
				}
				route = strings.TrimSuffix(route, `",stage="dev"}`)
				n := got[route]
				n[i] = value
				got[route] = n
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("got\n%s\nwant\n%s", shown(got), shown(want))
		}
		return nil
	})
}

func shown(routes map[string]six) string {
	var text strings.Builder
	for _, route := range slices.Sorted(maps.Keys(routes)) {
		fmt.Fprintf(&text, "%-40q %v\n", route, routes[route])
	}
	return text.String()
}

// none are the routes of a stage with detailed metrics that exist from its start.
func none(more ...string) map[string]six {
	routes := map[string]six{"": {}}
	for _, route := range append(more, "$connect", "$disconnect",
		"POST /@connections/{connectionId}", "GET /@connections/{connectionId}", "DELETE /@connections/{connectionId}") {
		routes[route] = six{}
	}
	return routes
}

// detailed is a stage with metrics for each route.
func detailed(routes map[string]*apigw.RouteSettings) *apigw.Stage {
	return &apigw.Stage{StageName: "dev", DefaultRouteSettings: &apigw.RouteSettings{DetailedMetricsEnabled: new(true)}, RouteSettings: routes}
}

// What API Gateway was seen to count (section K.3), event by event, under the routes of
// a stage with detailed metrics. A route's own false does not go before the stage's true.
func TestCountedLikeAPIGateway(t *testing.T) {
	t.Parallel()
	g, m := counting(t)
	g.Functions.Set("connect", gatewaytest.Returns(`{"statusCode":200}`))
	g.Functions.Set("refuse", gatewaytest.Returns(`{"statusCode":403}`))
	g.Functions.Set("answer", gatewaytest.Returns(`{"statusCode":200,"body":"yes"}`))
	g.Functions.Set("busy", gatewaytest.Returns(`{"statusCode":503,"body":"busy"}`))
	routes := []gatewaytest.Route{
		{Key: "one", Function: "answer"}, {Key: "two", Function: "answer", TwoWay: true},
		{Key: "busy", Function: "busy", TwoWay: true}, {Key: "alias", Function: "missing:alias", TwoWay: true},
	}
	stage := detailed(map[string]*apigw.RouteSettings{"two": {DetailedMetricsEnabled: new(false)}})
	g.Deploy(gatewaytest.API("testapi123", append(routes, gatewaytest.Route{Key: "$connect", Function: "refuse"})...), stage)

	// All series are there from the start.
	want := none("one", "two", "busy", "alias")
	count(t, m, want)

	// A function that refuses a connection: ConnectCount, MessageCount and ClientError.
	if c, _, err := g.TryDial("/dev"); err == nil {
		_ = c.CloseNow()
		t.Fatal("the connection was not refused")
	}
	want["$connect"] = six{1, 1, 1, 0, 0, 1}
	count(t, m, want)

	// One that is accepted.
	g.Deploy(gatewaytest.API("testapi123", append(routes, gatewaytest.Route{Key: "$connect", Function: "connect"})...), stage)
	c := g.Dial("/dev")
	want["$connect"] = six{2, 2, 1, 0, 0, 2}
	count(t, m, want)

	// A one-way message counts once, a two-way one twice.
	c.Send(`{"action":"one"}`)
	want["one"] = six{0, 1, 0, 0, 0, 1}
	count(t, m, want)
	gatewaytest.Ask(t, c.Conn, `{"action":"two"}`)
	want["two"] = six{0, 2, 0, 0, 0, 1}
	count(t, m, want)

	// A function's 503 and an alias that does not exist are ExecutionErrors.
	if got := gatewaytest.Ask(t, c.Conn, `{"action":"busy"}`); got != "busy" {
		t.Errorf("the client got %q", got)
	}
	want["busy"] = six{0, 2, 0, 1, 0, 1}
	count(t, m, want)
	gatewaytest.Ask(t, c.Conn, `{"action":"alias"}`)
	want["alias"] = six{0, 1, 0, 1, 0, 1}
	count(t, m, want)

	// A message that no route is for is a ClientError of the stage, and no message.
	gatewaytest.Ask(t, c.Conn, `{"action":"unknown"}`)
	want[""] = six{0, 0, 1, 0, 0, 0}
	count(t, m, want)

	// A push is one message, and has no latency. Who pushes to nobody is to blame.
	id := g.Functions.Wait(t, "connect", 1)[0].RequestContext.ConnectionID
	if answer, body := g.Do("POST", g.ConnectionURL(id), []byte("hello")); answer.StatusCode != 200 {
		t.Fatalf("push: %d %s", answer.StatusCode, body)
	}
	c.Receive()
	want["POST /@connections/{connectionId}"] = six{0, 1, 0, 0, 0, 0}
	count(t, m, want)

	// $disconnect counts although nothing is called for it.
	_ = c.Close(1000, "")
	want["$disconnect"] = six{0, 1, 0, 0, 0, 0}
	count(t, m, want)
	g.Do("POST", g.ConnectionURL(id), []byte("hello"))
	want["POST /@connections/{connectionId}"] = six{0, 1, 1, 0, 0, 0}
	count(t, m, want)
}

// An HTTP backend that answers with an error, or not at all, is an IntegrationError,
// whatever becomes of its answer.
func TestIntegrationErrors(t *testing.T) {
	t.Parallel()
	g, m := counting(t)
	backend := gatewaytest.NewBackend(t, func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Path[1:])
		w.WriteHeader(status)
	})
	proxy := func(url string) *apigw.Integration {
		return &apigw.Integration{IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: url}
	}
	mock := gatewaytest.Mock(`{"statusCode": 200}`)
	mock.IntegrationResponses = []*apigw.IntegrationResponse{{IntegrationResponseId: "ir", IntegrationResponseKey: "$default"}}
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	g.Deploy(gatewaytest.API("testapi123",
		gatewaytest.Route{Key: "good", Integration: proxy(backend.URL + "/200"), TwoWay: true},
		gatewaytest.Route{Key: "missing", Integration: proxy(backend.URL + "/404"), TwoWay: true},
		gatewaytest.Route{Key: "broken", Integration: proxy(backend.URL + "/500"), TwoWay: true},
		gatewaytest.Route{Key: "nobody", Integration: proxy(nobody.URL), TwoWay: true},
		gatewaytest.Route{Key: "mock", Integration: mock, TwoWay: true},
	), detailed(nil))
	c := g.Dial("/dev")
	want := none("good", "missing", "broken", "nobody", "mock")
	want["$connect"] = six{1, 1}
	want["good"] = six{0, 2, 0, 0, 0, 1}
	want["missing"] = six{0, 2, 0, 0, 1, 1}
	want["broken"] = six{0, 2, 0, 0, 1, 1}
	want["nobody"] = six{0, 1, 0, 0, 1, 1}
	want["mock"] = six{0, 2} // that called nothing
	for _, route := range []string{"good", "missing", "broken", "nobody", "mock"} {
		c.Send(`{"action":"` + route + `"}`)
	}
	count(t, m, want)
}

// Where detailed metrics are off, one series has all events of a stage; a route may have
// one of its own. A new plan goes on where the one before ended.
func TestOneSeriesForAnEvent(t *testing.T) {
	t.Parallel()
	g, m := counting(t)
	g.Functions.Set("answer", gatewaytest.Returns(`{"statusCode":200,"body":"yes"}`))
	api := gatewaytest.API("testapi123", gatewaytest.Route{Key: "a", Function: "answer", TwoWay: true}, gatewaytest.Route{Key: "b", Function: "answer", TwoWay: true})
	g.Deploy(api, &apigw.Stage{StageName: "dev"})
	count(t, m, map[string]six{"": {}})
	c := g.Dial("/dev")
	gatewaytest.Ask(t, c.Conn, `{"action":"a"}`)
	gatewaytest.Ask(t, c.Conn, `{"action":"b"}`)
	gatewaytest.Ask(t, c.Conn, `not JSON`)
	count(t, m, map[string]six{"": {1, 5, 1, 0, 0, 2}})
	g.Deploy(api, &apigw.Stage{StageName: "dev", RouteSettings: map[string]*apigw.RouteSettings{"b": {DetailedMetricsEnabled: new(true)}}})
	gatewaytest.Ask(t, c.Conn, `{"action":"a"}`)
	gatewaytest.Ask(t, c.Conn, `{"action":"b"}`)
	count(t, m, map[string]six{"": {1, 7, 1, 0, 0, 3}, "b": {0, 2, 0, 0, 0, 1}})
}
