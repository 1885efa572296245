package lambda

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// gate is a server whose answers the test holds back: functions that call it
// are busy for as long as the test likes.
type gate struct {
	*httptest.Server
	arrived chan struct{} // receives one value for each call that is held
	open    chan struct{} // one value lets one call go
}

func newGate(t *testing.T) *gate {
	g := &gate{arrived: make(chan struct{}, 100), open: make(chan struct{}, 100)}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.arrived <- struct{}{}
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gate) payload() []byte { return []byte(`{"Do":"get","URL":"` + g.URL + `"}`) }

// begin invokes in the background.
func (th *testHost) begin(ctx context.Context, name string, payload []byte) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		result, err := th.Invoke(ctx, Invocation{FunctionARN: name, Payload: payload})
		done <- outcome{result, err}
	}()
	return done
}

// pids counts the distinct processes that answered.
func pids(t *testing.T, calls ...<-chan outcome) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, call := range calls {
		o := <-call
		if o.err != nil || o.result.FunctionError != "" {
			t.Errorf("a call failed: %v %s", o.err, o.result.Payload)
		}
		found[string(o.result.Payload)]++
	}
	return found
}

// size is how many processes a function has.
func (th *testHost) size(name string) int {
	p, _, err := th.newest(name)
	if err != nil {
		th.t.Fatal(err)
	}
	n := 0
	p.each(func(*process) { n++ })
	return n
}

// idle is how many processes of a function wait for work.
func (th *testHost) idle(name string) int {
	p, _, err := th.newest(name)
	if err != nil {
		th.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

func TestPoolGrowsToItsLimit(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, func(o *Options) { o.MaxProcesses = 2 }, hostile(t, "f", deadline))
	g := newGate(t)
	one, two := h.begin(t.Context(), "f", g.payload()), h.begin(t.Context(), "f", g.payload())
	<-g.arrived
	<-g.arrived
	// A third caller waits, up to the end of its context, and takes no place then.
	ctx, cancel := context.WithCancel(t.Context())
	impatient := h.begin(ctx, "f", g.payload())
	waiting := func() bool {
		p, _, err := h.newest("f")
		if err != nil {
			t.Fatal(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.queue.Len() == 1
	}
	eventually(t, "the third caller to wait", waiting)
	cancel()
	if o := <-impatient; !errors.Is(o.err, context.Canceled) {
		t.Errorf("the third caller: %+v", o)
	}
	patient := h.begin(t.Context(), "f", g.payload())
	eventually(t, "the fourth caller to wait", waiting)
	for range 3 {
		g.open <- struct{}{}
	}
	if got := pids(t, one, two, patient); len(got) != 2 {
		t.Errorf("processes that answered: %v, want 2", got)
	}
}

// One caller after the other is served by one process.
func TestPoolReusesProcesses(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, hostile(t, "f", deadline))
	found := map[string]bool{}
	for range 50 {
		found[string(h.call("f", `{"Do":"pid"}`).Payload)] = true
	}
	if len(found) != 1 {
		t.Errorf("%d processes for one caller", len(found))
	}
}

// A caller that gives up leaves the function running, and its process serves
// the next caller.
func TestInvocationOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, hostile(t, "f", deadline))
	pid := string(h.call("f", `{"Do":"pid"}`).Payload)
	g := newGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	abandoned := h.begin(ctx, "f", g.payload())
	<-g.arrived
	cancel()
	if o := <-abandoned; !errors.Is(o.err, context.Canceled) {
		t.Errorf("the caller that gave up: %+v", o)
	}
	g.open <- struct{}{}
	eventually(t, "the invocation to end", func() bool { return h.runningCalls("f") == 0 })
	if got := string(h.call("f", `{"Do":"pid"}`).Payload); got != pid {
		t.Errorf("process %s, want %s", got, pid)
	}
}

func TestIdleProcessesAreReaped(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, func(o *Options) { o.IdleAfter = 50 * time.Millisecond }, hostile(t, "f", deadline))
	h.call("f", `{"Do":"pid"}`)
	eventually(t, "the process to be ended", func() bool { return h.size("f") == 0 })
	if got := h.call("f", `{"Do":"pid"}`); got.FunctionError != "" {
		t.Errorf("after that: %s", got.Payload)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	kept, changed, removed := hostile(t, "kept", deadline), hostile(t, "changed", deadline), hostile(t, "removed", deadline)
	h := newTestHost(t, nil, kept, changed, removed)
	keptPID := string(h.call("kept", `{"Do":"pid"}`).Payload)
	changedPID := string(h.call("changed", `{"Do":"pid"}`).Payload)
	g := newGate(t)
	running := []<-chan outcome{h.begin(t.Context(), "changed", g.payload()), h.begin(t.Context(), "removed", g.payload())}
	<-g.arrived
	<-g.arrived

	changed.Environment = map[string]string{"NEW": "value"}
	h.Update([]Function{kept, changed, hostile(t, "added", deadline)})
	if got := string(h.call("kept", `{"Do":"pid"}`).Payload); got != keptPID {
		t.Errorf("the function that did not change has a new process")
	}
	if got := string(h.call("changed", `{"Do":"pid"}`).Payload); got == changedPID {
		t.Errorf("the function that changed has the old process")
	}
	if got := h.call("added", `{"Do":"pid"}`); got.FunctionError != "" {
		t.Errorf("the new function: %s", got.Payload)
	}
	if _, err := h.Invoke(t.Context(), Invocation{FunctionARN: "removed"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("the function that is gone: %v", err)
	}
	g.open <- struct{}{}
	g.open <- struct{}{}
	if got := pids(t, running...); got[changedPID] != 1 {
		t.Errorf("running invocations were not finished by the old processes: %v, want %s", got, changedPID)
	}
	eventually(t, "the old processes to end", func() bool {
		empty := true
		h.draining.Range(func(any, any) bool { empty = false; return false })
		return empty
	})
}

func TestInvokeRefusals(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, hostile(t, "f", deadline))
	if _, err := h.Invoke(t.Context(), Invocation{FunctionARN: "f", Payload: make([]byte, maxRequestBytes+1)}); !errors.Is(err, ErrPayloadTooLarge) {
		t.Errorf("too large a payload: %v", err)
	}
	limit := `{"Do":"pid","URL":"` + strings.Repeat("x", maxRequestBytes-len(`{"Do":"pid","URL":""}`)) + `"}`
	if got := h.call("f", limit); got.FunctionError != "" {
		t.Errorf("the largest payload: %.200s", got.Payload)
	}
	for _, name := range []string{"g", "arn:aws:lambda:us-east-1:123456789012:function:g:live"} {
		if _, err := h.Invoke(t.Context(), Invocation{FunctionARN: name}); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
