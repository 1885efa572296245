package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/outputtest"
)

// runPrometheus runs Debian's Prometheus, which collects the metrics of a gateway each
// second. It returns the URL of its API.
func runPrometheus(t *testing.T, g *served, flags ...string) string {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("there is no Prometheus: scripts/setup-tests.sh installs it")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	configuration := fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: stagedoor\n    static_configs: [{targets: [%q]}]\n",
		strings.TrimPrefix(g.Admin, "http://"))
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	var output outputtest.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, program, append(flags,
		"--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)...)
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait() // it was killed
	})
	gatewaytest.Eventually(t, func() error {
		if status, text := call(t, gatewaytest.HTTPClient, nil, "", "GET", "http://"+address+"/-/ready", ""); status != http.StatusOK {
			return fmt.Errorf("Prometheus is not ready: %d %s\n%s", status, text, &output)
		}
		return nil
	})
	return "http://" + address
}

// freeAddress is one that nobody listens on, for a program that does not tell which it
// took.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ask returns how many series a query has, or why it has none.
func ask(t *testing.T, prometheus, query string) (series int, err error) {
	t.Helper()
	status, text := call(t, gatewaytest.HTTPClient, nil, "", "GET", prometheus+"/api/v1/query?query="+url.QueryEscape(query), "")
	var answer struct {
		Data struct {
			Result []json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK {
		return 0, fmt.Errorf("%s: %d %s", query, status, text)
	}
	if len(answer.Data.Result) == 0 {
		return 0, fmt.Errorf("%s: nothing", query)
	}
	return len(answer.Data.Result), nil
}

// busyGateway is one that has something to show for every number: clients that come,
// talk, are refused and go, with a function and an HTTP backend.
func busyGateway(t *testing.T) *served {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no Node.js")
	}
	s := newSite(t)
	if err := os.Mkdir(filepath.Join(s.dir, "say"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.write("say/index.js", "exports.handler = async () => ({statusCode: 200, body: 'said'})")
	s.configure("apis:\n  chat:\n    routes:\n      say: {function: ./say, runtime: nodejs20.x, timeout: 29s, answer: true}\n      $default: " + saying(t, "one") + "\n")
	g := s.start(Config{})
	conn, err := g.dialStage("/dev")
	if err != nil {
		t.Fatal(err)
	}
	gatewaytest.Ask(t, conn, `{"action":"say"}`)
	gatewaytest.Ask(t, conn, `{"action":"other"}`)
	_ = conn.Close(websocket.StatusNormalClosure, "")
	if conn, err = g.dialStage("/dev"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return g
}

// placeholders stand in the dashboard's queries for what a person selects.
var placeholders = strings.NewReplacer("$__rate_interval", "30s", "$instance", ".*", "$api", ".*", "$job", "stagedoor")

// Prometheus collects the metrics of a gateway, and every query of the dashboard finds
// something in them.
func TestDashboard(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/grafana/stagedoor.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	api := runPrometheus(t, busyGateway(t))
	queries := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			queries++
			gatewaytest.Eventually(t, func() error {
				if _, err := ask(t, api, placeholders.Replace(target.Expr)); err != nil {
					return fmt.Errorf("panel %s: %w", panel.Title, err)
				}
				return nil
			})
		}
	}
	if queries < 30 {
		t.Errorf("the dashboard has %d queries", queries)
	}
}

// Prometheus that takes native histograms gets them.
func TestNativeHistograms(t *testing.T) {
	t.Parallel()
	api := runPrometheus(t, busyGateway(t), "--enable-feature=native-histograms")
	gatewaytest.Eventually(t, func() error {
		_, err := ask(t, api, `histogram_quantile(0.5, sum(stagedoor_integration_latency_seconds{api="chat"})) > 0`)
		return err
	})
}

// The alert rules say what they should, and ask for metrics that there are.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("there is no promtool: scripts/setup-tests.sh installs it, with Prometheus")
	}
	command := exec.CommandContext(t.Context(), promtool, "test", "rules", "stagedoor.test.yml")
	command.Dir = "../../deploy/prometheus"
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	rules, err := os.ReadFile("../../deploy/prometheus/stagedoor.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.fill(echo(t))
	s.configure("")
	g := s.start(Config{})
	for _, name := range regexp.MustCompile(`stagedoor_\w+`).FindAllString(string(rules), -1) {
		metricsAt(t, g.Admin+"/metrics", name)
	}
}

// What is exposed follows Prometheus' conventions, as promtool knows them.
func TestMetricsLint(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("there is no promtool: scripts/setup-tests.sh installs it, with Prometheus")
	}
	_, text := call(t, gatewaytest.HTTPClient, nil, "", "GET", busyGateway(t).Admin+"/metrics", "")
	command := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	command.Stdin = strings.NewReader(text)
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
