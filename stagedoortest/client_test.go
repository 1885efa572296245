package stagedoortest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// event is what the functions of these tests read.
type event struct {
	Body           string
	RequestContext struct{ ConnectionID, EventType string }
	Query          map[string]string `json:"queryStringParameters"`
}

type answer struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body,omitempty"`
}

// say lets named clients in, and answers what it is told to.
func say(_ context.Context, e event) (answer, error) {
	switch {
	case e.RequestContext.EventType == "CONNECT" && e.Query["name"] == "":
		return answer{403, "who are you?"}, nil
	case e.Body == "fail":
		return answer{}, errors.New("as it was told to")
	}
	return answer{200, e.Body}, nil
}

func start(t testing.TB) *Gateway {
	return Start(t, "testdata/template.yaml", Function("SayFunction", stagedoor.HandlerFor(say)), Parameter("StageName", "test"))
}

func TestStart(t *testing.T) {
	t.Parallel()
	g := start(t)
	if !strings.HasSuffix(g.StageURL(), "/test") {
		t.Errorf("the stage is at %s", g.StageURL())
	}
	if body := g.ExpectRefusal("", http.StatusForbidden); body != "who are you?" {
		t.Errorf("the refusal says %q", body)
	}
	c := g.Connect("name=Ada")
	c.Send("hello")
	c.Expect("hello")
	c.Send(`{"a":1,"b":{"c":[2,{"d":3,"e":4}]}}`)
	c.Expect(`{"b": {"c": [2, {"d": 3}]}}`)
	c.Send("again")
	if got := c.Receive(); got != "again" {
		t.Errorf("received %q", got)
	}
	for _, text := range []string{"one", "two", "three"} {
		c.Send(text)
	}
	c.Await("three")
	c.Close()
	g.Dial(g.StageURL()+"?name=Grace", http.Header{"X-A": {"b"}}).Close()
}

// failing is a test that fails, and tells why.
type failing struct {
	testing.TB

	mu      sync.Mutex
	failure string // guarded by mu
	log     string // guarded by mu
}

func (f *failing) Fatalf(format string, args ...any) {
	f.mu.Lock()
	f.failure = fmt.Sprintf(format, args...)
	f.mu.Unlock()
	runtime.Goexit()
}

func (f *failing) Logf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log += fmt.Sprintf(format, args...) + "\n"
}

// fails runs what a test does, and returns how it fails.
func (f *failing) fails(test func()) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		test()
	}()
	<-done
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failure
}

// A failure says what was wanted, what came, and what came before. The log has what
// functions say.
func TestFailures(t *testing.T) {
	t.Parallel()
	f := &failing{TB: t}
	g := start(f)
	tests := []struct {
		name string
		test func(*Client)
		want []string
	}{
		{"another message", func(c *Client) { c.Send("one"); c.Expect("one"); c.Send("two"); c.Expect("three") },
			[]string{"another message came:\n  want three\n   got two\n", "the last one last:\n  one"}},
		{"another member", func(c *Client) { c.Send(`{"a":[1]}`); c.Expect(`{"a":[1,2]}`) }, []string{`got {"a":[1]}`, "no message came before"}},
		{"silence", func(c *Client) { c.patience = 50 * time.Millisecond; c.Send("one"); c.Await("two") },
			[]string{"two should come, but: nothing came for 50ms", "the last one last:\n  one"}},
		{"an end", func(c *Client) { c.Close(); c.Receive() }, []string{"no message: "}},
		{"no end", func(c *Client) { c.Send("one"); c.ExpectClose(1000) }, []string{"should be closed with 1000; a message came: one"}},
		{"no refusal", func(*Client) { g.ExpectRefusal("name=Ada", 403) }, []string{"should refuse it with 403"}},
		{"another refusal", func(*Client) { g.ExpectRefusal("", 401) }, []string{"with 401", "403", "the answer is: who are you?"}},
		{"a refusal", func(*Client) { g.Connect("") }, []string{"connect to ws://", "403", "the answer is: who are you?"}},
		{"no template", func(*Client) { Start(f, "testdata/none.yaml") }, []string{"testdata/none.yaml: ", "no such file"}},
		{"no function", func(*Client) {
			Start(f, "testdata/template.yaml", Function("SayFunktion", stagedoor.HandlerFor(say)))
		}, []string{"the code folder missing/ does not exist"}},
	}
	for _, test := range tests {
		c := g.Connect("name=Ada")
		got := f.fails(func() { test.test(c) })
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the failure is %q, without %q", test.name, got, want)
			}
		}
	}
	c := g.Connect("name=Ada")
	c.Send("fail")
	c.Expect(`{"message": "Internal server error"}`)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !strings.Contains(f.log, "as it was told to") || strings.Contains(f.log, "time=") {
		t.Errorf("the log is:\n%s", f.log)
	}
}
