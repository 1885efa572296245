package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/otlptest"
)

// metricsAt waits until a metrics port answers with all lines.
func metricsAt(t *testing.T, url string, lines ...string) {
	t.Helper()
	gatewaytest.Eventually(t, func() error {
		status, text := call(t, gatewaytest.HTTPClient, nil, "", "GET", url, "")
		if status != http.StatusOK {
			return fmt.Errorf("%d %s", status, text)
		}
		for _, line := range lines {
			if !strings.Contains("\n"+text, "\n"+line) {
				own := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return !strings.HasPrefix(line, "stagedoor_") })
				return fmt.Errorf("%q is missing in\n%s", line, strings.Join(own, "\n"))
			}
		}
		return nil
	})
}

// Whoever looks at a gateway sees what its clients do.
func TestServeMetrics(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	s.configure("")
	g := s.start(Config{Version: "v1.2.3"})
	const stage = `{api="test",api_id="testapi123",route="",stage="prod"} `
	metricsAt(t, g.Admin+"/metrics",
		"stagedoor_connect_total"+stage+"0", "stagedoor_integration_latency_seconds_count"+stage+"0", "stagedoor_connections_open 0",
		`stagedoor_handshakes_total{status="101"} 0`, "stagedoor_store_up 1", "go_goroutines ")
	c := g.dial()
	if got := gatewaytest.Ask(t, c, "hello"); got != "hello" {
		t.Errorf("the answer is %q", got)
	}
	metricsAt(t, g.Admin+"/metrics",
		"stagedoor_connect_total"+stage+"1", "stagedoor_message_total"+stage+"3", "stagedoor_client_error_total"+stage+"0",
		"stagedoor_integration_latency_seconds_count"+stage+"1", "stagedoor_connections_open 1",
		"stagedoor_received_frames_total 1", "stagedoor_received_bytes_total 11", "stagedoor_sent_frames_total 1", "stagedoor_sent_bytes_total 7",
		"stagedoor_messages_in_flight 0", "stagedoor_messages_waiting 0", "stagedoor_push_queue_bytes 0", "stagedoor_backend_sockets 1",
		"stagedoor_backend_wait_seconds_count 0", `stagedoor_log_dropped_total{sink="log"} 0`, "stagedoor_authorizer_latency_seconds_count 0",
		`stagedoor_handshakes_total{status="101"} 1`,
	)
	_ = c.Close(websocket.StatusCode(4321), "")
	if status, _ := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Public[0]+"/prod", ""); status != http.StatusUpgradeRequired {
		t.Errorf("a request that is no handshake: %d", status)
	}
	metricsAt(t, g.Admin+"/metrics",
		"stagedoor_message_total"+stage+"4", "stagedoor_connections_open 0", `stagedoor_closes_total{code="4xxx"} 1`,
		`stagedoor_handshakes_total{status="426"} 1`, `stagedoor_build_info{goarch=`, `stagedoor_pushes_total{result="delivered"} 0`,
		`stagedoor_throttled_total{level="route"} 0`,
	)
	if status, text := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Public[0]+"/metrics", ""); status != http.StatusForbidden {
		t.Errorf("the public port answers %d %s", status, text)
	}
}

// Metrics can have a port of their own, or be off.
func TestServeMetricsElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	s.write("token", "secret\n")
	s.configure("metrics: {listen: 127.0.0.1:0, tokenFile: token}")
	g := s.start(Config{})
	g.logged("metrics have a port of their own")
	_, rest, _ := strings.Cut(g.log.String(), `msg="metrics have a port of their own" url=`)
	url := strings.Fields(rest)[0]
	metricsAt(t, url, "stagedoor_connections_open 0")
	if status, text := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Admin+"/metrics", ""); status == http.StatusOK {
		t.Errorf("the admin port still answers: %s", text)
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}

	s.configure("metrics: {enabled: false}")
	g = s.start(Config{})
	if status, text := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Admin+"/metrics", ""); status == http.StatusOK {
		t.Errorf("metrics that are off are answered: %s", text)
	}
	if got := gatewaytest.Ask(t, g.dial(), "hello"); got != "hello" {
		t.Errorf("the answer is %q", got)
	}
}

// What was counted goes to CloudWatch, at the latest when the gateway stops.
func TestServeCloudWatch(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	forms := make(chan string, 100)
	cloudWatch := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		form, _ := io.ReadAll(r.Body)
		forms <- r.Header.Get("Authorization") + " " + string(form)
	}))
	t.Cleanup(cloudWatch.Close)
	s := newSite(t)
	s.fill(echo(t))
	s.configure("metrics: {cloudwatch: true}\nendpoints: {monitoring: " + cloudWatch.URL + "}")
	g := s.start(Config{})
	gatewaytest.Ask(t, g.dial(), "hello")
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	select {
	case form := <-forms:
		for _, want := range []string{"/us-east-1/monitoring/aws4_request", "Action=PutMetricData", "Namespace=AWS%2FApiGateway", "Value=testapi123", "MetricName=MessageCount"} {
			if !strings.Contains(form, want) {
				t.Errorf("%q is missing in %s", want, form)
			}
		}
	default:
		t.Errorf("nothing was sent; the log:\n%s", &g.log)
	}
}

// What is counted goes out by OTLP where there is an endpoint, every minute, and once more when
// the gateway stops. Where metrics are off, nothing does.
func TestServeOTLPMetrics(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	s := newSite(t)
	s.fill(echo(t))
	s.configure("metrics: {enabled: false}\ntelemetry: {otlp: {endpoint: " + collector.HTTP + "}}")
	if err := s.start(Config{}).stop(); err != nil {
		t.Fatal(err)
	}
	if names := collector.Metrics(); len(names) > 0 {
		t.Errorf("metrics that are off were sent: %q", names)
	}

	s.configure("telemetry: {otlp: {endpoint: " + collector.HTTP + "}}")
	began := time.Now()
	g := s.start(Config{})
	gatewaytest.Ask(t, g.dial(), "hello")
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"stagedoor_message_total", "stagedoor_integration_latency_seconds", "stagedoor_connections_open"} {
		if !slices.Contains(collector.Metrics(), name) {
			t.Errorf("%s is not among %q; the log:\n%s", name, collector.Metrics(), &g.log)
		}
	}
	times := 0
	for _, name := range collector.Metrics() {
		if name == "stagedoor_build_info" {
			times++
		}
	}
	if most := 1 + int(time.Since(began)/time.Minute); times > most {
		t.Errorf("all metrics were sent %d times, want %d at most", times, most)
	}
}

// A client behind a trusted proxy needs the token, which can be changed without a restart.
func TestServeMetricsToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	s.write("token", "first\n")
	s.configure("metrics: {tokenFile: token}\nproxies: {trusted: [127.0.0.1]}")
	g := s.start(Config{})
	ask := func(token string) int {
		answer, _ := gatewaytest.Do(t, "GET", g.Admin+"/metrics", nil, "X-Forwarded-For", "192.0.2.1", "Authorization", "Bearer "+token)
		return answer.StatusCode
	}
	if first, other := ask("first"), ask("second"); first != http.StatusOK || other != http.StatusForbidden {
		t.Errorf("with the token %d, with another %d", first, other)
	}
	s.write("token", "second\n")
	g.reloads()
	if first, second := ask("first"), ask("second"); first != http.StatusForbidden || second != http.StatusOK {
		t.Errorf("with the old token %d, with the new one %d", first, second)
	}
	s.write("token", "")
	g.reload <- struct{}{}
	g.logged("the token of metrics was not taken; the one from before stays")
	if second := ask("second"); second != http.StatusOK {
		t.Errorf("after a change with a mistake: %d", second)
	}
}
