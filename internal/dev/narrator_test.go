package dev

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// of are the records of a kind. Call it under the lock.
func (w *watcher) of(event string) (list []Record) {
	for _, r := range w.records {
		if r.Event == event {
			list = append(list, r)
		}
	}
	return list
}

// A wrong stage is told with where there is one.
func TestDevRefusedURL(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"))
	if _, response, _ := try(t, a, "/prod?token=secret"); response == nil || response.StatusCode != 403 {
		t.Fatalf("a wrong stage: %v", response)
	}
	var refused []Record
	a.eventually(t, "the refusal", func() bool { refused = a.of(telemetry.EventRefused); return len(refused) > 0 })
	want := "no such stage; there is ws://" + strings.TrimPrefix(a.Public, "http://") + "/dev"
	if r := refused[0]; r.Status != 403 || r.Refused.Path != "/prod" || r.Error != want {
		t.Errorf("%+v, want %s", r, want)
	}
	if status, _ := get(t, a.Public+"/missing"); status != 403 {
		t.Errorf("a page that is not there: %d", status)
	}
	a.eventually(t, "the refusal of a page", func() bool { refused = a.of(telemetry.EventRefused); return len(refused) > 1 })
	if r := refused[1]; r.Refused.Path != "/missing" || !strings.HasPrefix(r.Error, "no such stage") {
		t.Errorf("%+v", r)
	}
}

// A scanner can't push everything else off the terminal.
func TestDevScanned(t *testing.T) {
	t.Parallel()
	w := &watcher{}
	n := newNarrator(w, func() []string { return []string{"ws://a/1", "ws://a/2", "ws://a/3", "ws://a/4", "ws://a/5"} })
	began := time.Unix(1_800_000_000, 0)
	for i := range 1000 {
		n.Record(&Record{Event: telemetry.EventRefused, Time: began.Add(time.Duration(i) * 9 * time.Millisecond), Error: "no such stage", Refused: &telemetry.Access{Result: "ForbiddenException"}})
	}
	if len(w.records) != refusalsTold || len(w.records[refusalsTold-1].Warnings) != 1 {
		t.Errorf("%d refusals were told of: %+v", len(w.records), w.records)
	}
	n.Record(&Record{Event: telemetry.EventRefused, Time: began.Add(refusalPeriod), Error: "no such stage", Refused: &telemetry.Access{Result: "ForbiddenException"}})
	if len(w.records) != refusalsTold+1 {
		t.Error("nothing was told of the refusals of the next period")
	}
	if got, want := w.records[0].Error, "no such stage; there are ws://a/1, ws://a/2, ws://a/3 and 2 more"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// silent is a template with a route that calls a backend and has no response.
func silentRoute(backend string) string {
	return strings.Replace(mocks("loud=Http"), `"http://127.0.0.1:1"`, backend, 1) + `
  Silent:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: silent, Target: !Sub "integrations/${Http}"}
`
}

// An answer that nobody gets is told of once a route.
func TestDevAnswerToNobody(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "fifteen bytes!!") }))
	t.Cleanup(backend.Close)
	a := start(t, silentRoute(backend.URL))
	c := a.dial(t, "/dev")
	for _, message := range []string{"silent", "silent"} {
		gatewaytest.Send(t, c, `{"action":"`+message+`"}`)
	}
	if got := gatewaytest.Ask(t, c, `{"action":"loud"}`); got != "fifteen bytes!!" {
		t.Errorf("the route with a response: %q", got)
	}
	var messages []Record
	a.eventually(t, "three messages", func() bool { messages = a.of(telemetry.EventMessage); return len(messages) == 3 })
	told := 0
	for _, m := range messages {
		for _, warning := range m.Warnings {
			if warning != "15 B of the answer go to nobody: the route has no RouteResponse" {
				continue // they may have overtaken each other
			}
			told++
			if m.RouteKey != "silent" {
				t.Errorf("%s was told of", m.RouteKey)
			}
		}
	}
	if told != 1 {
		t.Errorf("told %d times in %+v", told, messages)
	}
}

// That messages of a connection may overtake each other is told when two run
// side by side first.
func TestDevOvertaken(t *testing.T) {
	t.Parallel()
	came, release := make(chan struct{}, 10), make(chan struct{}, 10)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		came <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(backend.Close)
	a := start(t, strings.Replace(mocks("slow=Http", "quick=Mock"), `"http://127.0.0.1:1"`, backend.URL, 1))
	c := a.dial(t, "/dev")
	gatewaytest.Ask(t, c, `{"action":"quick"}`)
	gatewaytest.Ask(t, c, `{"action":"quick"}`) // one after the other
	for round := 1; round < 3; round++ {
		gatewaytest.Send(t, c, `{"action":"slow"}`)
		select {
		case <-came:
		case <-time.After(gatewaytest.Timeout):
			t.Fatal("the backend was not called")
		}
		gatewaytest.Ask(t, c, `{"action":"quick"}`)
		a.eventually(t, "the quick one", func() bool { return len(a.of(telemetry.EventMessage)) == 2*round+1 })
		release <- struct{}{}
		a.eventually(t, "the slow one", func() bool { return len(a.of(telemetry.EventMessage)) == 2*round+2 })
	}
	told := 0
	var messages []Record
	a.do(func() { messages = a.of(telemetry.EventMessage) })
	for _, m := range messages {
		for _, warning := range m.Warnings {
			if warning == "the tag stagedoor:ordered: true keeps their order" && m.RouteKey == "quick" {
				told++
			}
		}
	}
	if told != 1 {
		t.Errorf("told %d times in %+v", told, messages)
	}
}

// second is another API with a stage of the same name.
const second = `
  Second:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: second, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  SecondStage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Second, StageName: dev, AutoDeploy: true}
`

// A short URL that a second API makes useless is told of, at the start and when
// it happens.
func TestDevSharedPath(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"))
	a.dial(t, "/dev")
	if len(a.Warnings) != 0 {
		t.Errorf("one API: %v", a.Warnings)
	}
	a.write(t, "template.yaml", mocks("hello=Mock")+second)
	var reloaded Application
	a.eventually(t, "the reload", func() bool {
		if len(a.reloaded) > 0 {
			reloaded = a.reloaded[0]
		}
		return len(a.reloaded) > 0
	})
	if want := "/dev worked until now and answers 403: several APIs (mocks, second) have a stage of this name; use the longer URLs"; len(reloaded.Warnings) != 1 || reloaded.Warnings[0] != want {
		t.Errorf("the reload warns %q, want %q", reloaded.Warnings, want)
	}
	if _, response, _ := try(t, a, "/dev"); response == nil || response.StatusCode != 403 {
		t.Errorf("/dev: %v", response)
	}
	var refused []Record
	a.eventually(t, "the refusal", func() bool { refused = a.of(telemetry.EventRefused); return len(refused) > 0 })
	if got := refused[0].Error; !strings.HasPrefix(got, "several APIs have a stage of this name; there are ws://") {
		t.Errorf("refused with %s", got)
	}
	for _, api := range reloaded.APIs {
		a.dial(t, "/_aws/execute-api/"+api.ID+"/dev")
		if want := strings.Replace(a.Public, "http", "ws", 1) + "/_aws/execute-api/" + api.ID + "/dev"; api.URLs[0] != want {
			t.Errorf("%s: %s, want %s", api.Name, api.URLs[0], want)
		}
	}
	b := start(t, mocks("hello=Mock")+second)
	if len(b.Warnings) != 1 || !strings.HasPrefix(b.Warnings[0], "/dev is a stage of several APIs (mocks, second)") {
		t.Errorf("at the start: %q", b.Warnings)
	}
}
