package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/dev"
)

// largeApplication is what a large template is described as.
func largeApplication() dev.Application {
	a := dev.Application{
		Template: "/x/template.yaml",
		APIs: []dev.API{{
			ID: "abcdefghij", Name: "chat", Stages: []string{"dev"}, URLs: []string{"ws://127.0.0.1:8080/dev"},
			Routes: []dev.Route{{Key: "$connect", Target: "function ConnectFunction"}, {Key: "sendmessage", Target: "function SendMessageFunction", TwoWay: true}},
		}},
		Notices: []dev.Notice{
			{Line: 90, LogicalID: "Bucket", Type: "AWS::S3::Bucket", Message: "a type that is not run here"},
			{Line: 95, LogicalID: "Queue", Type: "AWS::SQS::Queue", Message: "a type that is not run here"},
			{Line: 99, LogicalID: "Api", Type: "AWS::ApiGatewayV2::Api", Property: "IpAddressType", Message: "kept, but not acted on yet"},
		},
		Warnings: []string{"/dev is taken twice"},
	}
	for i := range 12 {
		a.Notices = append(a.Notices, dev.Notice{
			Line: i, LogicalID: fmt.Sprintf("ServiceRoleOfAFunction%08X", i), Type: "AWS::IAM::Role", Message: "no permission is enforced on what runs here",
		})
		a.Tables = append(a.Tables, dev.Resource{LogicalID: fmt.Sprintf("Table%d", i), Name: fmt.Sprintf("stack-Table%d-ABCDEFGHIJKL", i)})
	}
	return a
}

// What `dev` says of an application fits into 80 columns: a line for each kind of
// what is not acted on, and that once. --verbose tells all of it, each time.
func TestDevInEightyColumns(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := newTextReporter(&out, false, false, time.Now())
	r.Ready(dev.Ready{Public: "http://127.0.0.1:8080", Admin: "http://127.0.0.1:8081", Application: largeApplication()})
	for line := range strings.Lines(out.String()) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	_, notices, _ := strings.Cut(out.String(), "Not acted on")
	notices, _, _ = strings.Cut(notices, "\n\n")
	want := ` here (--verbose tells all):
    a type that is not run here: Bucket, Queue
    kept, but not acted on yet: Api.IpAddressType
    no permission is enforced on what runs here: 12 resources`
	if diff := cmp.Diff(want, notices); diff != "" {
		t.Errorf("not acted on (-want +got):\n%s", diff)
	}
	out.Reset()
	again := largeApplication()
	again.Notices = append(again.Notices, dev.Notice{Line: 3, LogicalID: "New", Type: "AWS::SNS::Topic", Message: "a type that is not run here"})
	for i := range again.Notices {
		again.Notices[i].Line += 7 // something was written above
	}
	r.Reloaded(again)
	if got := out.String(); strings.Contains(got, "Bucket") || strings.Contains(got, "permission") || !strings.Contains(got, "a type that is not run here: New\n") {
		t.Errorf("the reload tells again what is known, or not what is new:\n%s", got)
	}
	out.Reset()
	r.Output(dev.LogLine{Function: "ChatFunction", RequestID: "0a1b2c3d-e5f6-4711-8888-0123456789ab", Text: "hello"})
	if got := out.String(); !strings.HasSuffix(got, "  ChatFunction  0a1b2c3d  hello\n") {
		t.Errorf("a line of a function: %s", got)
	}
	out.Reset()
	verbose := newTextReporter(&out, false, true, time.Now())
	verbose.Ready(dev.Ready{Application: largeApplication()})
	verbose.Reloaded(largeApplication())
	for _, want := range []string{"line 90  Bucket (AWS::S3::Bucket): a type that is not run here\n", "line 11  ServiceRoleOfAFunction0000000B (AWS::IAM::Role)"} {
		if got := strings.Count(out.String(), want); got != 2 {
			t.Errorf("--verbose has %q %d times in:\n%s", want, got, out.String())
		}
	}
	if !strings.Contains(out.String(), "Table7 (stack-Table7-ABCDEFGHIJKL)") {
		t.Errorf("--verbose has no names of tables:\n%s", out.String())
	}
}

// A refused URL is a line that begins with what was asked for.
func TestRefusedURLInText(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := newTextReporter(&out, false, false, time.Now())
	r.Ready(dev.Ready{})
	out.Reset()
	refused := &dev.Record{
		Event: "refused", Time: time.Date(2026, 11, 22, 10, 11, 12, 345e6, time.Local), Status: 403, Error: "no such stage; there is ws://h/dev",
		Refused: &dev.Access{Path: "/prod\x1b[2J", Source: "127.0.0.1"}, Warnings: []string{"more"},
	}
	r.Record(refused)
	if want := "10:11:12.345  403 /prod\uFFFD[2J: no such stage; there is ws://h/dev\n    warning  more\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	j := newJSONReporter(&out)
	j.Ready(dev.Ready{})
	out.Reset()
	j.Record(refused)
	for _, want := range []string{`"event":"refused"`, `"path":"/prod\u001b[2J"`, `"source":"127.0.0.1"`, `"error":"no such stage; there is ws://h/dev"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in %s", want, out.String())
		}
	}
}

// Why an event failed, or a URL was refused, goes on below it on a terminal that has
// no room for it; elsewhere an event is a line.
func TestDevFoldsReasons(t *testing.T) {
	t.Parallel()
	for _, event := range []*dev.Record{
		{
			Event: "connect", ConnectionID: "1FUcGK4CAAEsP6Z6lg==", Status: 502,
			Error: "POST http://127.0.0.1:8000/: dial tcp 127.0.0.1:8000: connect: connection refused",
		},
		{
			Event: "refused", Status: 403, Refused: &dev.Access{Path: "/favicon.ico"},
			Error: "no such stage, and no such file in the folder public; there is ws://127.0.0.1:40501/dev",
		},
	} {
		for _, color := range []bool{true, false} {
			var out bytes.Buffer
			r := newTextReporter(&out, color, false, time.Now())
			r.Ready(dev.Ready{})
			out.Reset()
			r.Record(event)
			plain := colours.Compiled().ReplaceAllString(out.String(), "")
			if (strings.Count(plain, "\n") > 1) != color || !strings.Contains(strings.Join(strings.Fields(plain), " "), event.Error) {
				t.Errorf("color %v:\n%s", color, plain)
			}
			for line := range strings.Lines(plain) {
				if color && len(line) > 81 {
					t.Errorf("%d columns: %s", len(line)-1, line)
				}
			}
		}
	}
}
