package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A browser exchanges messages of any size over TLS with either record layer, many at a time.
func TestTLSWithABrowser(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	defer backend.Close()
	dir := t.TempDir()
	create := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-keyout", "tls.key", "-out", "tls.pem")
	create.Dir = dir
	if said, err := create.CombinedOutput(); err != nil {
		t.Skipf("openssl makes no certificate: %v\n%s", err, said)
	}
	template := filepath.Join(dir, "template.yaml")
	if err := os.WriteFile(template, []byte(echoTemplate(backend.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	browser := newBrowser(t)
	for _, records := range []string{"standard", "compact"} {
		g := serve(t, fmt.Sprintf("tls: {certificates: [{cert: %[1]s/tls.pem, key: %[1]s/tls.key}], records: %[2]s, required: true}\n", dir, records), nil, "--open")
		deploy := exec.Command(binary, "deploy", template, "--gateway", g.Admin, "--stack", "echo", "--yes")
		deploy.Env = environment()
		said, err := deploy.CombinedOutput()
		if err != nil {
			t.Fatalf("deploy: %v\n%s", err, said)
		}
		_, id, _ := strings.Cut(string(said), "/_aws/execute-api/")
		id, _, _ = strings.Cut(id, "/")
		url := strings.Replace(g.Public, "http", "ws", 1) + "/_aws/execute-api/" + id + "/prod"
		page := browser.open(g.Public + "/") // where there is none, but it may connect to its own site
		page.do("connect with "+records+" records", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`
			window.say = (text) => { window.state = text; document.body.innerText = text; };
			say("connecting");
			window.messages = [1, 125, 126, 4000, 16384, 30000].flatMap((size) => Array(20).fill(size)).map((size, i) => i + "x".repeat(size));
			window.awaited = new Set(messages);
			window.socket = new WebSocket(%q);
			socket.onopen = () => { say("open"); messages.forEach((message) => socket.send(message)); };
			socket.onmessage = ({ data }) => { awaited.delete(data); if (awaited.size == 0) socket.close(1000); };
			socket.onclose = ({ code }) => { say("closed with " + code + ", " + awaited.size + " left"); };
			undefined`, url)))
		page.await(`state == "closed with 1000, 0 left"`)
	}
}

// echoTemplate is an API whose messages go to a backend, and its answers to the client.
func echoTemplate(backend string) string {
	return `AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: echo, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Default:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $default, RouteResponseSelectionExpression: $default, Target: !Sub "integrations/${Backend}"}
  DefaultResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Default, RouteResponseKey: $default}
  Backend:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: HTTP_PROXY, IntegrationMethod: POST, IntegrationUri: "` + backend + `"}
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [Default, DefaultResponse]
    Properties: {ApiId: !Ref Api}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: prod, DeploymentId: !Ref Deployment}
`
}
