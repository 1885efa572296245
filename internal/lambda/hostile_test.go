package lambda

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// hostile is a function that does what its payload tells it to.
func hostile(t *testing.T, name string, timeout time.Duration) Function {
	return Function{Name: name, Runtime: "provided.al2023", CodeDir: testdata(t, "go", "hostile"), Timeout: timeout}
}

// TestHostileFunctions has functions misbehave beside one that doesn't: each
// gets a clear result, the next call of it works, and the other function's
// process never notices.
func TestHostileFunctions(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, hostile(t, "hostile", deadline), hostile(t, "impatient", 3*time.Second), hostile(t, "healthy", deadline))
	healthy := string(h.call("healthy", `{"Do":"pid"}`).Payload)
	tests := []struct {
		do, function, want string // REQUEST stands for the request id
		log                string
	}{
		{"exit 0", "hostile", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: REQUEST Error: Runtime exited without providing a reason"}`, ""},
		{"exit 1", "hostile", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: REQUEST Error: Runtime exited with error: exit status 1"}`, ""},
		{"panic", "hostile", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: REQUEST Error: Runtime exited with error: exit status 2"}`, "panic: out of order"},
		{"kill", "hostile", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: REQUEST Error: Runtime exited with error: signal: killed"}`, ""},
		{"hang", "impatient", `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: REQUEST Error: Task timed out after 3.00 seconds"}`, ""},
		{"fork and exit", "hostile", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: REQUEST Error: Runtime exited with error: exit status 1"}`, "forked "},
		{"garbage", "hostile", `"printed"`, "\x00\ufffdx\r\ufffd\n\x1b[2J\n"},
		{"flood", "hostile", `"printed"`, "flood flood"},
		{"long line", "hostile", `"printed"`, strings.Repeat("l", maxLineBytes) + "\n"},
		{"10 MB", "hostile", `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`,
			`answered 413 {"errorType":"RequestEntityTooLarge","errorMessage":"Exceeded maximum allowed payload size (6291556 bytes)."}`},
		{"not JSON", "hostile", `<html>`, ""},
		{"answer twice", "hostile", `"first"`, `403 {"errorType":"InvalidStateTransition"`},
		{"answer, then hang", "impatient", `"first"`, ""},
		{"answer, then exit", "hostile", `"first"`, ""},
		{"stream", "hostile", `{"errorType":"Runtime.StreamingNotSupported","errorMessage":"The function answered with a response stream. A WebSocket API takes buffered responses only: return the response instead of streaming it."}`, ""},
		{"speak no HTTP", "hostile", `"spoke"`, ""},
	}
	for _, test := range tests {
		t.Run(test.do, func(t *testing.T) {
			result := h.call(test.function, `{"Do":"`+test.do+`"}`)
			if got := strings.ReplaceAll(string(result.Payload), result.RequestID, "REQUEST"); got != test.want {
				t.Errorf("got %.300s, want %s", got, test.want)
			}
			if failed := strings.Contains(test.want, "errorType"); failed != (result.FunctionError == "Unhandled") {
				t.Errorf("FunctionError %q", result.FunctionError)
			}
			eventually(t, "the log", func() bool { return strings.Contains(h.text(), test.log) })
			if got := h.call(test.function, `{"Do":"pid"}`); got.FunctionError != "" {
				t.Errorf("the next call: %s", got.Payload)
			}
			if got := h.call("healthy", `{"Do":"pid"}`); string(got.Payload) != healthy {
				t.Errorf("the other function: %s, want %s", got.Payload, healthy)
			}
			h.checkLines(t)
		})
	}
}

// checkLines checks what must hold of every line of the log, and forgets them.
func (th *testHost) checkLines(t *testing.T) {
	th.mu.Lock()
	defer th.mu.Unlock()
	for _, line := range th.lines {
		if len(line.Text) > maxLineBytes || !utf8.ValidString(line.Text) || strings.Contains(line.Text, "\n") {
			t.Errorf("a line of %d bytes: %.100q", len(line.Text), line.Text)
		}
	}
	th.lines = nil
}

// Calls of the Runtime API out of turn are refused as AWS does, and the
// invocation goes on.
func TestRuntimeAPIRefusals(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, hostile(t, "f", deadline))
	var got []string
	if err := json.Unmarshal(h.call("f", `{"Do":"wrong calls"}`).Payload, &got); err != nil {
		t.Fatal(err)
	}
	const invalidID = `400 {"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`
	const transition = `403 {"errorType":"InvalidStateTransition","errorMessage":"State transition from Running to %s failed for runtime. Error: State transition is not allowed"}`
	want := []string{
		invalidID, invalidID,
		strings.ReplaceAll(transition, "%s", "InitError"),
		strings.ReplaceAll(transition, "%s", "Ready"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInitializationFailures(t *testing.T) {
	t.Parallel()
	var functions []Function
	tests := []struct{ atStart, want string }{
		{"exit", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: REQUEST Error: Runtime exited with error: exit status 7"}`},
		{"report", `{"errorType":"Own.InitError","errorMessage":"no table"}`},
	}
	for _, test := range tests {
		f := hostile(t, test.atStart, deadline)
		f.Environment = map[string]string{"AT_START": test.atStart}
		functions = append(functions, f)
	}
	h := newTestHost(t, nil, functions...)
	for _, test := range tests {
		for range 2 {
			result := h.call(test.atStart, `{}`)
			if got := strings.ReplaceAll(string(result.Payload), result.RequestID, "REQUEST"); got != test.want || result.FunctionError == "" {
				t.Errorf("%s: got %s %q, want %s", test.atStart, got, result.FunctionError, test.want)
			}
		}
	}
}

func TestInitializationTimeout(t *testing.T) {
	t.Parallel()
	f := hostile(t, "f", deadline)
	f.Environment = map[string]string{"AT_START": "hang"}
	h := newTestHost(t, nil, f)
	h.initLimit = 100 * time.Millisecond
	got := decodeError(t, h.call("f", `{}`))
	if got.ErrorType != "Sandbox.Timedout" || !strings.Contains(got.ErrorMessage, "initialization timed out after 0.10 seconds") {
		t.Errorf("got %+v", got)
	}
}
