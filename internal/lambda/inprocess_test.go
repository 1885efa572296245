package lambda

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// thrownError is an error of a type of its own.
type thrownError struct{ text string }

func (e *thrownError) Error() string { return e.text }

// inProcess is a function that is Go code of the test.
func inProcess(name string, timeout time.Duration, f InProcess) Function {
	return Function{Name: name, Timeout: timeout, InProcess: f, Runtime: "no such runtime", Unavailable: "it has no code"}
}

func TestInProcess(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		function InProcess
		want     string // the payload
		failed   bool
	}{
		"answers":      {func(_ context.Context, event []byte) ([]byte, error) { return event, nil }, `{"a":1}`, false},
		"nothing":      {func(context.Context, []byte) ([]byte, error) { return nil, nil }, `null`, false},
		"throws":       {func(context.Context, []byte) ([]byte, error) { return nil, errors.New("no \"room\"") }, `{"errorType":"errorString","errorMessage":"no \"room\""}`, true},
		"throws its":   {func(context.Context, []byte) ([]byte, error) { return nil, &thrownError{"x"} }, `{"errorType":"thrownError","errorMessage":"x"}`, true},
		"panics":       {func(context.Context, []byte) ([]byte, error) { panic("at the disco") }, `{"errorType":"string","errorMessage":"at the disco"}`, true},
		"no goroutine": {func(context.Context, []byte) ([]byte, error) { runtime.Goexit(); return nil, nil }, `{"errorType":"Runtime.ExitError","errorMessage":"the function ended its goroutine"}`, true},
		"no JSON":      {func(context.Context, []byte) ([]byte, error) { return []byte("{"), nil }, `{"errorType":"Runtime.MarshalError","errorMessage":"the function returned what is no JSON: \"{\""}`, true},
		"too much": {func(context.Context, []byte) ([]byte, error) { return make([]byte, maxResponseBytes+1), nil },
			`{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newTestHost(t, nil, inProcess("f", deadline, test.function))
			h.Prepare()
			h.AwaitPrepared(t.Context())
			for range 2 { // it is none the worse for it
				result, err := h.Invoke(t.Context(), Invocation{FunctionARN: "arn:aws:lambda:us-east-1:123456789012:function:f:prod", Payload: []byte(`{"a":1}`)})
				if err != nil || string(result.Payload) != test.want || (result.FunctionError == "Unhandled") != test.failed || result.RequestID == "" {
					t.Errorf("%s, %q, %v; want %s", result.Payload, result.FunctionError, err, test.want)
				}
			}
			if tells := strings.Contains(h.text(), "inprocess_test.go"); tells != (name == "panics" || name == "no goroutine") {
				t.Errorf("the log: %s", h.text())
			}
		})
	}
}

// A function that does not come back is answered for at its time, and holds
// nobody up who closes the host.
func TestInProcessTimeout(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	never := make(chan struct{})
	h := newTestHost(t, nil,
		inProcess("heeds", 100*time.Millisecond, func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}),
		inProcess("stuck", 100*time.Millisecond, func(context.Context, []byte) ([]byte, error) { <-never; return nil, nil }))
	for _, name := range []string{"heeds", "stuck"} {
		result, err := h.Invoke(t.Context(), Invocation{FunctionARN: name, Payload: []byte(`{}`)})
		want := fmt.Sprintf(`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: %s Error: Task timed out after 0.10 seconds"}`, result.RequestID)
		if err != nil || string(result.Payload) != want {
			t.Errorf("%s: %s, %v; want %s", name, result.Payload, err, want)
		}
	}
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the context ended with %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
	close(never)
	if _, err := h.Invoke(t.Context(), Invocation{FunctionARN: "heeds"}); !errors.Is(err, ErrClosed) {
		t.Errorf("a call after the end: %v", err)
	}
}

// A caller that leaves does not end the function; Close does.
func TestInProcessGoesOn(t *testing.T) {
	t.Parallel()
	began, ended := make(chan struct{}, 1), make(chan error, 1)
	h := newTestHost(t, nil, inProcess("f", deadline, func(ctx context.Context, _ []byte) ([]byte, error) {
		began <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, nil
	}))
	ctx, cancel := context.WithCancel(t.Context())
	call := h.begin(ctx, "f", []byte(`{}`))
	<-began
	cancel()
	if o := <-call; !errors.Is(o.err, context.Canceled) {
		t.Errorf("the caller that left got %v", o.err)
	}
	select {
	case err := <-ended:
		t.Errorf("the function ended with its caller: %v", err)
	default:
	}
	if result, err := h.Invoke(t.Context(), Invocation{FunctionARN: "f", Payload: []byte(`{}`), Event: true}); err != nil || result.RequestID == "" {
		t.Errorf("an asynchronous call: %+v, %v", result, err)
	}
	<-began
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the context ended with %v", err)
		}
	}
}

// However many call, only so many run; who waits is served in the end.
func TestInProcessIsBounded(t *testing.T) {
	t.Parallel()
	const callers = maxInProcess + 20
	running, open := make(chan struct{}, callers), make(chan struct{})
	h := newTestHost(t, nil, inProcess("f", deadline, func(context.Context, []byte) ([]byte, error) {
		running <- struct{}{}
		<-open
		return nil, nil
	}))
	var calls []<-chan outcome
	for range callers {
		calls = append(calls, h.begin(t.Context(), "f", []byte(`{}`)))
	}
	for range maxInProcess {
		<-running
	}
	if len(running) > 0 {
		t.Errorf("%d more run", len(running))
	}
	close(open)
	for _, call := range calls {
		if o := <-call; o.err != nil || string(o.result.Payload) != "null" {
			t.Fatalf("%+v", o)
		}
	}
}
