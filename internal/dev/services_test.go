package dev

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// amazon stands for AWS services: it keeps what it is sent and gives the
// answers that the services' own documentation gives.
type amazon struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string // guarded by mu
}

func newAmazon(t *testing.T) *amazon {
	a := &amazon{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		service := "unsigned"
		if scope := strings.Split(r.Header.Get("Authorization"), "/"); len(scope) > 3 {
			service = scope[3]
		}
		a.mu.Lock()
		a.requests = append(a.requests, fmt.Sprintf("%s: %s %s %s %s\n%s",
			service, r.Method, r.URL, r.Header.Get("Content-Type"), r.Header.Get("X-Amz-Target"), body))
		a.mu.Unlock()
		switch {
		case service == "states":
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_, _ = io.WriteString(w, `{"executionArn":"arn:aws:states:us-east-1:123456789012:execution:notes:1","startDate":1.7e9}`)
		case service == "sns" && strings.Contains(string(body), "refused"):
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<ErrorResponse><Error><Code>AuthorizationError</Code></Error></ErrorResponse>`)
		default:
			w.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(w, `<Response/>`)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// next waits for the oldest request that was not looked at yet.
func (a *amazon) next(t *testing.T, w *watcher) string {
	t.Helper()
	var first string
	w.eventually(t, "a request", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.requests) == 0 {
			return false
		}
		first, a.requests = a.requests[0], a.requests[1:]
		return true
	})
	return first
}

// Spec D.2: the shapes that are known to work on WebSocket APIs, from a
// template: DynamoDB in the built-in table, Step Functions, SQS with a form
// body, SNS.
func TestServices(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile("../../examples/services/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	aws := newAmazon(t)
	a := start(t, string(template), func(c *Config) {
		c.Region = "us-east-1"
		c.Endpoints = map[string]string{"states": aws.URL, "sqs": aws.URL, "sns": aws.URL}
	})
	c := a.dial(t, "/live")

	stored := gatewaytest.Ask(t, c, `{"action":"put","text":"say \"hi\""}`)
	id, found := strings.CutPrefix(strings.TrimSpace(stored), `{"stored": "`)
	if !found {
		t.Fatalf("put: %s", stored)
	}
	id = strings.TrimSuffix(id, `"}`)
	if got, want := strings.TrimSpace(gatewaytest.Ask(t, c, `{"action":"read","id":"`+id+`"}`)), `{"found": "say \"hi\""}`; got != want {
		t.Errorf("read: %s, want %s", got, want)
	}
	if got, want := strings.TrimSpace(gatewaytest.Ask(t, c, `{"action":"read","id":"other"}`)), `{"found": null}`; got != want {
		t.Errorf("read what is not there: %s, want %s", got, want)
	}
	if got := gatewaytest.Ask(t, c, `{"action":"put","text":5}`); !strings.HasPrefix(got, `{"error": "`) {
		t.Errorf("put of what is no text: %s", got)
	}

	if got := gatewaytest.Ask(t, c, `{"action":"start","data":{"who":"O'Neil"}}`); !strings.HasPrefix(got, `{"executionArn":`) {
		t.Errorf("start: %s", got)
	}
	want := "states: POST / application/x-amz-json-1.0 AWSStepFunctions.StartExecution\n" +
		`{"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:notes", "input": "{\"who\":\"O'Neil\"}"}`
	if diff := cmp.Diff(want, strings.TrimSpace(aws.next(t, a.watcher))); diff != "" {
		t.Errorf("start (-want +got)\n%s", diff)
	}

	gatewaytest.Send(t, c, `{"action":"queue","text":"a&b=c"}`) // a one-way route
	form, err := url.ParseQuery(lastLine(aws.next(t, a.watcher), "sqs: POST /123456789012/notes application/x-www-form-urlencoded "))
	if err != nil {
		t.Fatal(err)
	}
	if form.Get("Action") != "SendMessage" || form.Get("MessageBody") != `{"action":"queue","text":"a&b=c"}` || form.Get("MessageAttribute.1.Value.StringValue") == "" {
		t.Errorf("queue: %v", form)
	}

	if got, want := gatewaytest.Ask(t, c, `{"action":"publish","text":"all & sundry"}`), `{"published": true}`; got != want {
		t.Errorf("publish: %s, want %s", got, want)
	}
	request := aws.next(t, a.watcher)
	if form, err = url.ParseQuery(lastLine(request, "sns: POST /?Action=Publish")); err != nil {
		t.Fatal(err)
	}
	if form.Get("TopicArn") != "arn:aws:sns:us-east-1:123456789012:notes" || form.Get("Message") != "all & sundry" {
		t.Errorf("publish: %s", request)
	}
	if got, want := gatewaytest.Ask(t, c, `{"action":"publish","text":"refused"}`), `{"published": false}`; got != want {
		t.Errorf("publish that is refused: %s, want %s", got, want)
	}
}

// lastLine is the body of a request that begins as it must, else nothing.
func lastLine(request, beginning string) string {
	line, body, _ := strings.Cut(request, "\n")
	if !strings.HasPrefix(line, beginning) {
		return ""
	}
	return body
}
