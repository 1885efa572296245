package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagedoor/stagedoor/internal/control"
	"github.com/stagedoor/stagedoor/internal/store"
)

const deployedTemplate = `
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: mock, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Mock:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: MOCK}
  Default:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $default, Target: !Sub "integrations/${Mock}"}
  Live:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: live, AutoDeploy: true}
  Chat:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: chat, Runtime: nodejs22.x, Handler: index.handler, Role: none, Code: {ZipFile: "exports.handler = async () => {}"}}
`

// deployment is a control plane, and a template for it.
type deployment struct {
	url, template string
	writes        atomic.Int64
	limit         atomic.Int64 // writes after which the gateway refuses; 0 for none
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{template: filepath.Join(t.TempDir(), "template.yaml")}
	d.write(t, deployedTemplate)
	plane := control.New(control.Options{Store: store.NewConfiguration(store.NewMemory(), nil), Region: "us-east-1", AccountID: "123456789012"})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && d.writes.Add(1) > d.limit.Load() && d.limit.Load() > 0 {
			http.Error(w, "no more", http.StatusBadGateway)
			return
		}
		plane.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func (d *deployment) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(d.template, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run deploys; an answer other than "" is given on a terminal.
func (d *deployment) run(t *testing.T, answer string, flags ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), &process{
		args: append([]string{"deploy", d.template, "--gateway", d.url, "--stack", "mock", "--region", "us-east-1"}, flags...),
		env:  func(string) string { return "" }, stdin: strings.NewReader(answer), stdout: &stdout, stderr: &stderr,
		isTerminal: func(stream any) bool { _, input := stream.(*strings.Reader); return input && answer != "" },
	})
	return result{code, stdout.String(), stderr.String()}
}

// expect fails the test unless a run ended with a code and said some texts.
func (r result) expect(t *testing.T, code int, texts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, text := range texts {
		if !strings.Contains(r.stdout+r.stderr, text) {
			t.Errorf("%q is not said:\n%s%s", text, r.stdout, r.stderr)
		}
	}
}

func TestDeployAsks(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.run(t, "").expect(t, exitFailure, "+ Route $default", "nothing was done: there is no terminal to ask on", "functions: {chat: URL}")
	d.run(t, "\n").expect(t, exitFailure, "4 to create. Go on? [y/N]", "nothing was done")
	d.run(t, "no\n").expect(t, exitFailure, "nothing was done")
	if n := d.writes.Load(); n > 0 {
		t.Errorf("%d writes before anybody said yes", n)
	}
	d.run(t, "Yes\n").expect(t, exitOK, "4 created.", "Api live  wss://")
	d.run(t, "").expect(t, exitOK, "Nothing to do.")
	d.write(t, strings.Replace(deployedTemplate, "RouteKey: $default", "RouteKey: other", 1))
	d.run(t, "y\n").expect(t, exitOK, "+ Route other", "- Route $default", "1 to create, 1 to delete", "1 created, 1 deleted.")
	d.run(t, "", "--delete", "--yes").expect(t, exitOK, "- Api Api", "1 deleted.")
	d.run(t, "", "--delete").expect(t, exitOK, "Nothing to do.")
}

// APIs of a stagedoor.yaml are told of by the names that they have there.
func TestDeployShortFile(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.template = filepath.Join(filepath.Dir(d.template), "stagedoor.yaml")
	d.write(t, "apis: {chat: {routes: {$default: http://app}}, other: {stage: b, routes: {$default: http://app}}}\n")
	d.run(t, "", "--yes").expect(t, exitOK, "\n  chat\n    + Api chat\n", "\n  other\n", "  chat dev  wss://")
	d.write(t, "apis: {chat: {routes: {$default: http://app}}}\n")
	d.run(t, "y\n").expect(t, exitOK, "\n  other\n    - Api other\n", "  chat dev  wss://")
	d.run(t, "", "--yes", "--json").expect(t, exitOK, `"logicalId":"ChatApi"`)
}

func TestDeployJSON(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.run(t, "", "--json").expect(t, exitUsage, "it needs --yes")
	got := d.run(t, "", "--json", "--yes")
	var events []string
	for line := range strings.Lines(got.stdout) {
		var e struct{ Event, Action, Type string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		events = append(events, strings.TrimSpace(e.Event+" "+e.Action+" "+e.Type))
	}
	if want := "plan,change create Api,change create Integration,change create Route,change create Stage,done"; strings.Join(events, ",") != want {
		t.Errorf("events %s, want %s", strings.Join(events, ","), want)
	}
	d.write(t, strings.Replace(deployedTemplate, "live", "other", 1))
	d.limit.Store(d.writes.Load())
	d.run(t, "", "--json", "--yes").expect(t, exitFailure, `{"event":"failed","error":"create Stage other: `, `"done":0,"total":2}`)
}

// TestDeployGoesOn: a run that stops says what it did, the next one does the rest.
func TestDeployGoesOn(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.limit.Store(2)
	d.run(t, "", "--yes").expect(t, exitFailure, "create Route $default", "502 Bad Gateway", "create Integration MOCK", "2 of 4 changes are made")
	d.limit.Store(0)
	d.run(t, "", "--yes").expect(t, exitOK, "2 created.")
}

func TestDeployRefuses(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.write(t, strings.Replace(deployedTemplate, "IntegrationType: MOCK", "IntegrationType: MOK", 1))
	d.run(t, "", "--yes").expect(t, exitFailure, "template.yaml:8: Mock: ", "1 mistake in the template")
	if n := d.writes.Load(); n > 0 {
		t.Errorf("%d writes of a template with mistakes", n)
	}
	d.run(t, "", "--delete").expect(t, exitOK, "Nothing to do.") // needs no template
	d.run(t, "", "--stack", "my stack").expect(t, exitUsage, "cannot be the name of a stack")
	d.run(t, "", "--gateway", "nowhere").expect(t, exitFailure, "mistake")
	d.write(t, deployedTemplate)
	d.run(t, "", "--gateway", "nowhere").expect(t, exitUsage, "is not the URL of a gateway's control plane")
	d.run(t, "", "--profile", "no such profile").expect(t, exitFailure, "no such profile")
	d.run(t, "", "--region", "eu-west-1", "--yes").expect(t, exitOK)
}
