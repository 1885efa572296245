package lambda

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// running reports whether a process is there and not just waiting to be buried.
func running(pid int) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(status), ") ")
	return !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
}

func pidOf(t *testing.T, r Result) int {
	t.Helper()
	pid, err := strconv.Atoi(string(r.Payload))
	if err != nil || r.FunctionError != "" {
		t.Fatalf("no process id: %s %q", r.Payload, r.FunctionError)
	}
	return pid
}

// Close ends processes that ignore SIGTERM, and what they forked.
func TestCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, hostile(t, "stubborn", deadline), hostile(t, "parent", deadline), hostile(t, "busy", deadline))
	pids := []int{
		pidOf(t, h.call("stubborn", `{"Do":"ignore signals"}`)),
		pidOf(t, h.call("parent", `{"Do":"fork"}`)),
		pidOf(t, h.call("parent", `{"Do":"pid"}`)),
	}
	busy := make(chan Result, 1)
	go func() {
		result, err := h.Invoke(context.Background(), Invocation{FunctionARN: "busy", Payload: []byte(`{"Do":"hang"}`)})
		if err != nil {
			t.Error(err)
		}
		busy <- result
	}()
	eventually(t, "the call to be running", func() bool { return h.runningCalls("busy") == 1 })
	for _, pid := range pids {
		if !running(pid) {
			t.Errorf("process %d should be running", pid)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("the end of process %d", pid), func() bool { return !running(pid) })
	}
	if got := decodeError(t, <-busy); got.ErrorType != "Runtime.ExitError" {
		t.Errorf("the running invocation: %+v", got)
	}
	if _, err := h.Invoke(ctx, Invocation{FunctionARN: "busy"}); err != ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

func TestKilledGatewayLeavesNoProcess(t *testing.T) {
	t.Parallel()
	gateway := exec.Command(os.Args[0])
	gateway.Env = append(os.Environ(), gatewayTest+"="+testdata(t, "go", "hostile"), "STAGEDOOR_TEST_CACHE="+sharedCache)
	output, err := gateway.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	gateway.Process.Kill()
	gateway.Wait()
	word, _, _ := strings.Cut(line, " ")
	pid, atoiErr := strconv.Atoi(word)
	if err != nil || atoiErr != nil {
		t.Fatalf("the gateway said %q: %v", line, err)
	}
	eventually(t, "the end of the function's process", func() bool { return !running(pid) })
}

// What functions detach from themselves ends with their process: when it times
// out, exits, and is stopped.
func TestDetachedProcessesEnd(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, hostile(t, "session", deadline), hostile(t, "daemon", deadline), hostile(t, "exits", deadline), hostile(t, "hangs", 5*time.Second))
	h.call("exits", `{"Do":"detach and exit"}`)
	said := regexp.MustCompile(`detached (\d+)`).FindStringSubmatch(h.text())
	if said == nil {
		t.Fatalf("the function said no process id:\n%s", h.text())
	}
	exited, _ := strconv.Atoi(said[1])
	// They have been killed by now; what is left is for the kernel to do.
	eventually(t, "the end of what a function that exited had detached", func() bool { return !running(exited) })
	hanging := pidOf(t, h.call("hangs", `{"Do":"detach"}`))
	if got := h.call("hangs", `{"Do":"hang"}`); got.FunctionError == "" {
		t.Fatalf("the function should have hung: %s", got.Payload)
	}
	eventually(t, "the end of what a function that timed out had detached", func() bool { return !running(hanging) })
	pids := []int{pidOf(t, h.call("session", `{"Do":"detach"}`)), pidOf(t, h.call("daemon", `{"Do":"daemon"}`))}
	for _, pid := range pids {
		if !running(pid) {
			t.Errorf("process %d should be running", pid)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		if running(pid) {
			t.Errorf("process %d outlives the host", pid)
		}
	}
}
