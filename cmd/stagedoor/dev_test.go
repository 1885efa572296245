package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/dev"
)

const mockTemplate = `
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: mocks, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: dev, AutoDeploy: true}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $default}
  Bucket:
    Type: AWS::S3::Bucket
`

// templateFile writes a template into a folder of its own.
func templateFile(t *testing.T, content string) string {
	t.Helper()
	return written(t, "template.yaml", content)
}

// written writes a file into a folder of its own.
func written(t *testing.T, name, content string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The first line of --json is "ready", with the addresses, and Ctrl-C ends
// with code 0.
func TestDevJSON(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	code := make(chan int)
	go func() {
		p := &process{
			args: []string{"dev", templateFile(t, mockTemplate), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json"},
			env:  func(string) string { return "" }, stdin: strings.NewReader(""), stdout: writer, stderr: io.Discard,
			isTerminal: func(any) bool { return false },
		}
		status := run(ctx, p)
		_ = writer.Close()
		code <- status
	}()
	lines := bufio.NewScanner(reader)
	if !lines.Scan() {
		t.Fatal("no line was printed")
	}
	var ready struct {
		Event, Public, Admin string
		APIs                 []struct {
			APIID, Name string
			Stages      []string
		}
	}
	if err := json.Unmarshal(lines.Bytes(), &ready); err != nil {
		t.Fatalf("%v: %s", err, lines.Bytes())
	}
	if ready.Event != "ready" || !strings.HasPrefix(ready.Public, "http://127.0.0.1:") || !strings.HasPrefix(ready.Admin, "http://127.0.0.1:") ||
		len(ready.APIs) != 1 || len(ready.APIs[0].APIID) != 10 || ready.APIs[0].Name != "mocks" || !cmp.Equal(ready.APIs[0].Stages, []string{"dev"}) {
		t.Errorf("first line %s", lines.Bytes())
	}
	cancel()
	for lines.Scan() {
		if !json.Valid(lines.Bytes()) {
			t.Errorf("not JSON: %s", lines.Bytes())
		}
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d", got)
	}
}

// Mistakes are all listed on standard error, with code 1.
func TestTemplateMistakes(t *testing.T) {
	t.Parallel()
	file := templateFile(t, strings.NewReplacer("WEBSOCKET", "SOCKETS", "RouteKey: $default", "RuteKey: $default").Replace(mockTemplate))
	for _, command := range []string{"dev", "check"} {
		got := execute(t.Context(), strings.NewReader(""), command, file)
		if got.code != exitFailure || got.stdout != "" || strings.Count(got.stderr, file+":") < 2 || !strings.Contains(got.stderr, "mistakes in the template") {
			t.Errorf("%s: code %d, %s%s", command, got.code, got.stdout, got.stderr)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	file := templateFile(t, mockTemplate)
	got := execute(t.Context(), strings.NewReader(""), "check", file)
	if got.code != exitOK || !strings.Contains(got.stdout, "1 WebSocket API, 1 route, 0 functions") || !strings.Contains(got.stdout, "Bucket (AWS::S3::Bucket)") {
		t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	got = execute(t.Context(), strings.NewReader(""), "check", "--expand", file)
	if got.code != exitOK || !json.Valid([]byte(got.stdout)) {
		t.Errorf("--expand: code %d: %s%s", got.code, got.stdout, got.stderr)
	}
}

// What a person sees. Colours are left out, as off a terminal.
func TestTextReporter(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := newTextReporter(&out, false, true, time.Now())
	at := time.Date(2026, 11, 22, 10, 11, 12, 345e6, time.Local)
	r.Output(dev.LogLine{Function: "early", Text: "printed before the gateway was ready"})
	r.Ready(dev.Ready{Public: "http://127.0.0.1:8080", Admin: "http://127.0.0.1:8081", Page: "/x/public", Application: dev.Application{
		Template: "/x/template.yaml", Tables: []dev.Resource{{LogicalID: "Table", Name: "stack-table"}},
		APIs: []dev.API{
			{ID: "abcdefghij", Name: "chat", Stages: []string{"dev", "both"}, URLs: []string{"ws://127.0.0.1:8080/dev", "ws://127.0.0.1:8080/_aws/execute-api/abcdefghij/both"}, Routes: []dev.Route{{Key: "$connect", Target: "function f"}, {Key: "say", Target: "mock", TwoWay: true}, {Key: "$default"}}},
			{ID: "klmnopqrst", Name: "other", Stages: []string{"both"}, URLs: []string{"ws://127.0.0.1:8080/_aws/execute-api/klmnopqrst/both"}},
		},
		Notices:  []dev.Notice{{Line: 7, LogicalID: "Bucket", Type: "AWS::S3::Bucket", Message: "a type that is not run here"}},
		Problems: []string{"Api: route x: no"},
	}})
	for _, want := range []string{
		"/x/template.yaml", "chat abcdefghij", "$connect  function f\n", "say       mock  (answers)\n", "$default  no integration\n",
		"cannot work: Api: route x: no", "line 7  Bucket (AWS::S3::Bucket): a type that is not run here",
		"ws://127.0.0.1:8080/dev\n", "ws://127.0.0.1:8080/_aws/execute-api/abcdefghij/both\n", "ws://127.0.0.1:8080/_aws/execute-api/klmnopqrst/both\n",
		"page      http://127.0.0.1:8080/", "built in, in memory: Table (stack-table)", "any signature or none", "Ctrl-C stops it.\n\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
	if !strings.Contains(out.String()[strings.Index(out.String(), "Ctrl-C"):], "printed before") {
		t.Error("what came before ready is not behind it")
	}
	out.Reset()
	r.Record(&dev.Record{Event: "connect", Time: at, ConnectionID: "id==", Status: 101, Duration: 1500 * time.Microsecond})
	r.Record(&dev.Record{Event: "message", Time: at, ConnectionID: "id==", RouteKey: "say", Status: 200, Bytes: 12, Duration: 20 * time.Millisecond,
		Warnings: []string{"line 1: #set of $x\x1b[2J has no value", "line 2: another"}})
	r.Record(&dev.Record{Event: "message", Time: at, ConnectionID: "id==", Status: 403, Error: "no route\x1b[2J\nand more", Duration: 0})
	r.Record(&dev.Record{Event: "push", Time: at, ConnectionID: "id==", RouteKey: "POST /@connections/{connectionId}", Status: 410})
	r.Record(&dev.Record{Event: "disconnect", Time: at, ConnectionID: "id==", RouteKey: "$disconnect", Status: 1001, Reason: "Going away", Duration: 2 * time.Second})
	want := "10:11:12.345  connect     id==  101  1.5 ms\n" +
		"10:11:12.345  message     id==  say  200  12 B  20 ms\n    warning  line 1: #set of $x\uFFFD[2J has no value\n    warning  line 2: another\n" +
		"10:11:12.345  message     id==  403  0.0 ms  no route\uFFFD[2J …\n" +
		"10:11:12.345  push        id==  410  0.0 ms\n" +
		"10:11:12.345  disconnect  id==  1001 Going away  2.0 s\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	out.Reset()
	r.Rejected(errors.New("the disk is on fire"))
	r.Output(dev.LogLine{Function: "f", RequestID: "uuid", Text: "hello"})
	r.Output(dev.LogLine{Text: "building", Notice: true})
	for _, want := range []string{"what ran before goes on\n    the disk is on fire\n", "f  uuid  hello\n", "notice  building\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}

// Every record is one JSON object on a line, whatever is in it.
func TestJSONRecord(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := newJSONReporter(&out)
	r.Record(&dev.Record{Event: "push", ConnectionID: "early=="})
	r.Ready(dev.Ready{Public: "http://x"})
	out.Reset()
	at := time.Date(2026, 11, 22, 10, 11, 12, 345e6, time.UTC)
	r.Record(&dev.Record{
		Event: "message", Time: at, Duration: 1500 * time.Microsecond, APIID: "api", Stage: "dev", ConnectionID: "id==", RequestID: "rid=",
		RouteKey: "say \"hi\" \xff\n", Status: 200, Bytes: 12, Reason: "é", Error: "no\x1b",
		Warnings: []string{"line 1: \"a\"\n", "b"},
	})
	want := `{"event":"message","time":"2026-11-22T10:11:12.345Z","apiId":"api","stage":"dev","connectionId":"id==","requestId":"rid=",` +
		`"routeKey":"say \"hi\" \ufffd\n","status":200,"reason":"é","bytes":12,"durationMs":1.5,"error":"no\u001b",` +
		`"warnings":["line 1: \"a\"\n","b"]}` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}
