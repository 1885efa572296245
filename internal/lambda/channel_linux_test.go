package lambda

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// An event that a process had been given and had not read when it died is run
// by another process.
func TestUntakenEventIsNotLost(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, inlinePython("python", misbehavingPython), inlineNode("node", misbehavingNode))
	for _, name := range []string{"python", "node"} {
		pid := pidOf(t, h.call(name, `{}`))
		eventually(t, "the process to be idle", func() bool { return h.idle(name) == 1 })
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the process to stop", func() bool {
			status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
			return err == nil && strings.Contains(string(status), ") T ")
		})
		call := h.begin(t.Context(), name, []byte(`{}`))
		eventually(t, "the event to be given to it", func() bool { return h.runningCalls(name) == 1 })
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		o := <-call
		if o.err != nil || o.result.FunctionError != "" || string(o.result.Payload) == strconv.Itoa(pid) {
			t.Errorf("%s: %s, %v", name, o.result.Payload, o.err)
		}
	}
}

// A process that dies while it is idle is replaced when it is needed.
func TestIdleProcessDies(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, inlinePython("python", misbehavingPython), inlineNode("node", misbehavingNode), hostile(t, "http", deadline))
	for _, name := range []string{"python", "node", "http"} {
		for range 3 {
			if err := syscall.Kill(pidOf(t, h.call(name, `{"Do":"pid"}`)), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the end of the process", func() bool { return h.size(name) == 0 })
			if got := h.call(name, `{"Do":"pid"}`); got.FunctionError != "" {
				t.Errorf("%s: %s", name, got.Payload)
			}
		}
	}
}
