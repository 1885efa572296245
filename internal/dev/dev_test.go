package dev

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/mistake"
)

// watcher is a Reporter that a test waits on.
type watcher struct {
	mu       sync.Mutex
	ready    *Ready        // guarded by mu
	reloaded []Application // guarded by mu
	rejected []error       // guarded by mu
	records  []Record      // guarded by mu
	output   []LogLine     // guarded by mu
}

func (w *watcher) do(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *watcher) Ready(r Ready)          { w.do(func() { w.ready = &r }) }
func (w *watcher) Reloaded(a Application) { w.do(func() { w.reloaded = append(w.reloaded, a) }) }
func (w *watcher) Rejected(err error)     { w.do(func() { w.rejected = append(w.rejected, err) }) }
func (w *watcher) Record(r *Record)       { w.do(func() { w.records = append(w.records, *r) }) }
func (w *watcher) Output(l LogLine)       { w.do(func() { w.output = append(w.output, l) }) }

// eventually waits until a condition on what was reported holds.
func (w *watcher) eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	gatewaytest.Eventually(t, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !condition() {
			return fmt.Errorf("%s; reported was: %d reloads, rejected %v, records %+v, output %+v",
				what, len(w.reloaded), w.rejected, w.records, w.output)
		}
		return nil
	})
}

// app is a running application of a test.
type app struct {
	*watcher
	Ready
	folder string
	stop   func() error
}

// start runs the template in a folder of its own, and ends it with the test.
func start(t *testing.T, template string, change ...func(*Config)) *app {
	t.Helper()
	a := &app{watcher: &watcher{}, folder: t.TempDir()}
	a.write(t, "template.yaml", template)
	config := Config{Template: a.folder, CacheDir: filepath.Join(a.folder, "cache")}
	for _, c := range change {
		c(&config)
	}
	a.run(t, config)
	return a
}

// run runs what is configured on ports of its own, and ends it with the test.
func (a *app) run(t *testing.T, config Config) {
	t.Helper()
	config.Listen, config.Admin, config.Reporter = "127.0.0.1:0", "127.0.0.1:0", a.watcher
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, config) }()
	a.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = a.stop() })
	gatewaytest.Eventually(t, func() error {
		select {
		case err := <-done:
			done <- err
			t.Fatalf("Run: %v", err)
		default:
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.watcher.ready == nil {
			return fmt.Errorf("not ready; its output: %+v", a.output)
		}
		return nil
	})
	a.Ready = *a.watcher.ready
}

func (a *app) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(a.folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// dial connects to a path of the public listener.
func (a *app) dial(t *testing.T, path string) *websocket.Conn {
	t.Helper()
	c, _, err := try(t, a, path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// request sends a request, with header lines, and gives status, kind of error and text of the answer.
func request(t *testing.T, method, url, body string, header ...string) (status int, kind, text string) {
	t.Helper()
	answer, text := gatewaytest.Do(t, method, url, []byte(body), header...)
	return answer.StatusCode, answer.Header.Get("x-amzn-ErrorType"), text
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	status, _, text := request(t, "GET", url, "")
	return status, text
}

// mocks is the template of an API of mocks and HTTP backends, which needs no interpreter.
func mocks(routes ...string) string {
	var b strings.Builder
	b.WriteString(`
Parameters:
  Backend: {Type: String, Default: "http://127.0.0.1:1"}
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: mocks, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: dev, AutoDeploy: true}
  Mock:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: MOCK
      TemplateSelectionExpression: "200"
      RequestTemplates: {"200": '{"statusCode": 200}'}
  MockResponse:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties: {ApiId: !Ref Api, IntegrationId: !Ref Mock, IntegrationResponseKey: $default}
  Http:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: HTTP_PROXY, IntegrationMethod: POST, IntegrationUri: !Ref Backend}
`)
	for i, route := range routes {
		key, integration, _ := strings.Cut(route, "=")
		fmt.Fprintf(&b, `
  Route%d:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: %s, Target: !Sub "integrations/${%s}"}
  Response%d:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Route%d, RouteResponseKey: $default}
`, i, key, integration, i, i)
	}
	return b.String()
}

func TestDev(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock", "bad=Http"))
	if len(a.APIs) != 1 || a.APIs[0].Name != "mocks" || !slices.Equal(a.APIs[0].Stages, []string{"dev"}) || len(a.APIs[0].Routes) != 2 {
		t.Errorf("ready with %+v", a.APIs)
	}
	c := a.dial(t, "/dev")
	if got := gatewaytest.Ask(t, c, `{"action":"hello"}`); got != "" {
		t.Errorf("the mock answered %q", got)
	}
	if got := gatewaytest.Ask(t, c, `{"action":"bad"}`); !strings.Contains(got, "Internal server error") {
		t.Errorf("an unreachable backend answered %q", got)
	}
	if status, body := get(t, a.Public+"/"); status != 200 || !strings.Contains(body, "/dev") {
		t.Errorf("the page: %d %s", status, body)
	}
	if status, body := get(t, a.Admin+"/"); status != 200 || !strings.Contains(body, "admin port of \"stagedoor dev\"") {
		t.Errorf("the admin port's root: %d %s", status, body)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := get(t, a.Admin+path); status != 200 || body != "ok\n" {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if err := a.stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if !slices.ContainsFunc(a.records, func(r Record) bool { return r.Event == "disconnect" && r.Status == 1001 }) {
		t.Errorf("no disconnect with 1001 in %+v", a.records)
	}
}

// Saving the template: a new deployment, open connections stay; a broken one
// changes nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"))
	c := a.dial(t, "/dev")
	if got := gatewaytest.Ask(t, c, `{"action":"more"}`); !strings.Contains(got, "Forbidden") {
		t.Errorf("before: %q", got)
	}
	a.write(t, "template.yaml", mocks("hello=Mock", "more=Mock"))
	a.eventually(t, "the reload", func() bool { return len(a.reloaded) > 0 })
	if got := gatewaytest.Ask(t, c, `{"action":"more"}`); got != "" {
		t.Errorf("after: %q", got)
	}
	a.write(t, "template.yaml", strings.Replace(mocks("hello=Mock"), "MOCK", "MUCK", 1))
	a.eventually(t, "the rejection", func() bool { return len(a.rejected) > 0 })
	var problems mistake.List
	if !errors.As(a.rejected[0], &problems) || problems[0].Where != "Mock" || problems[0].Line == 0 {
		t.Errorf("rejected with %v", a.rejected[0])
	}
	if got := gatewaytest.Ask(t, c, `{"action":"more"}`); got != "" {
		t.Errorf("after a broken template: %q", got)
	}
	a.write(t, "template.yaml", strings.ReplaceAll(mocks("hello=Mock"), "StageName: dev", "StageName: next"))
	ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
	defer cancel()
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the connection of a stage that left the template: %v", err)
	}
	a.dial(t, "/next")
}

// A folder "public" beside the template is served, and nothing outside of it.
func TestPage(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"))
	a.write(t, "secret.txt", "secret")
	a.write(t, "public/index.html", "<title>hi</title>")
	a.write(t, "public/sub/app.js", "run()")
	a.write(t, "public/.env", "SECRET=1")
	a.write(t, "public/.git/config", "url = secret")
	a.write(t, "public/sub/.hidden/x", "secret")
	a.write(t, "public/.well-known/security.txt", "Contact: us")
	if err := os.Symlink(filepath.Join(a.folder, "secret.txt"), filepath.Join(a.folder, "public", "link.txt")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	for _, test := range []struct {
		path   string
		status int
		body   string
	}{
		{"/", 200, "<title>hi</title>"},
		{"/index.html", 200, "<title>hi</title>"},
		{"/sub/app.js", 200, "run()"},
		{"/sub/", 403, "Forbidden"},
		{"/missing.js", 403, "Forbidden"},
		{"/../secret.txt", 403, "Forbidden"},
		{"/..%2fsecret.txt", 403, "Forbidden"},
		{"/link.txt", 403, "Forbidden"},
		{"/.env", 403, "Forbidden"},
		{"/%2eenv", 403, "Forbidden"},
		{"/.git/config", 403, "Forbidden"},
		{"/sub/.hidden/x", 403, "Forbidden"},
		{"/sub/../.env", 403, "Forbidden"},
		{"/.well-known/security.txt", 200, "Contact: us"},
	} {
		if status, body := get(t, a.Public+test.path); status != test.status || !strings.Contains(body, test.body) {
			t.Errorf("%s: %d %s, want %d %s", test.path, status, body, test.status, test.body)
		}
	}
}

func TestDevErrors(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	good := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(good, []byte(mocks("hello=Mock")), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		config Config
		want   string
	}{
		{"taken port", Config{Template: good, Listen: taken.Addr().String()}, "is in use by another program"},
		{"nonsense address", Config{Template: good, Listen: "nonsense"}, "cannot listen on nonsense"},
		{"no template", Config{}, "no template is given"},
		{"missing template", Config{Template: filepath.Join(filepath.Dir(good), "gone.yaml")}, "gone.yaml"},
		{"unknown parameter", Config{Template: good, Parameters: map[string]string{"Nope": "1"}}, "Nope"},
		{"bad endpoint", Config{Template: good, Endpoints: map[string]string{"dynamodb": "localhost:8000"}}, "is not an http or https URL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.config.CacheDir = t.TempDir()
			if test.config.Listen == "" {
				test.config.Listen = "127.0.0.1:0"
			}
			test.config.Admin = "127.0.0.1:0"
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := Run(ctx, test.config); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want an error with %q", err, test.want)
			}
		})
	}
}

// secureClient reaches the public listener under any name, by TLS, and trusts
// the local authority alone.
func secureClient(t *testing.T, a *app) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(a.folder, "cache", "ca", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the authority's file holds no certificate")
	}
	address := strings.TrimPrefix(a.Public, "http://")
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
}
