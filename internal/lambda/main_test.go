package lambda

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

// sharedCache lets the tests build each program once.
var sharedCache string

func TestMain(m *testing.M) {
	if os.Getenv(gatewayTest) != "" {
		runGateway()
	}
	var err error
	if sharedCache, err = os.MkdirTemp("", "stagedoor-lambda-test-*"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(sharedCache)
		os.Exit(code)
	}))
}

// gatewayTest in the environment makes the test binary a gateway that
// TestKilledGatewayLeavesNoProcess may kill.
const gatewayTest = "STAGEDOOR_TEST_GATEWAY"

// runGateway runs the function in os.Getenv(gatewayTest), prints its process
// id and waits to be killed.
func runGateway() {
	h := NewHost(Options{CacheDir: os.Getenv("STAGEDOOR_TEST_CACHE")})
	h.Update([]Function{{Name: "f", Runtime: "provided.al2023", CodeDir: os.Getenv(gatewayTest), Timeout: deadline}})
	result, err := h.Invoke(context.Background(), Invocation{FunctionARN: "f", Payload: []byte(`{"Do":"ignore signals"}`)})
	fmt.Println(string(result.Payload), err)
	time.Sleep(deadline)
	os.Exit(1)
}

// deadline bounds every wait of a test; only a broken test reaches it.
const deadline = time.Minute

// testHost is a Host with what it logged.
type testHost struct {
	*Host
	t *testing.T

	mu    sync.Mutex
	lines []LogLine
}

// newTestHost starts a host with the functions and closes it when the test
// ends. change may adapt the options; it may be nil.
func newTestHost(t *testing.T, change func(*Options), functions ...Function) *testHost {
	t.Helper()
	th := &testHost{t: t}
	o := Options{CacheDir: sharedCache, Log: th.record}
	if change != nil {
		change(&o)
	}
	th.Host = NewHost(o)
	th.initLimit = deadline // this machine may be busy
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		if err := th.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", th.text())
		}
	})
	th.Update(functions)
	return th
}

func (th *testHost) record(line LogLine) {
	th.mu.Lock()
	defer th.mu.Unlock()
	th.lines = append(th.lines, line)
}

// text is all that was logged.
func (th *testHost) text() string {
	th.mu.Lock()
	defer th.mu.Unlock()
	var b strings.Builder
	for _, line := range th.lines {
		b.WriteString(line.Text + "\n")
	}
	return b.String()
}

// call invokes a function and fails the test when no call took place.
func (th *testHost) call(name, payload string) Result {
	th.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	result, err := th.Invoke(ctx, Invocation{FunctionARN: name, Payload: []byte(payload)})
	if err != nil {
		th.t.Fatalf("invoke %s: %v", name, err)
	}
	return result
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(deadline); time.Now().Before(end); <-tick.C {
		if condition() {
			return
		}
	}
	t.Fatalf("%s: not within %v", what, deadline)
}

// testdata is the absolute path of a folder of functions.
func testdata(t *testing.T, parts ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{"testdata"}, parts...)...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// logged reports whether exactly this line was logged.
func (th *testHost) logged(want LogLine) bool {
	th.mu.Lock()
	defer th.mu.Unlock()
	return slices.Contains(th.lines, want)
}

// diff is the difference of two values, for a failing test to show.
func diff(want, got any) string {
	d := cmp.Diff(want, got)
	if d == "" {
		return ""
	}
	return "(-want +got):\n" + d
}

// runningCalls is how many processes of a function have an unanswered
// invocation.
func (th *testHost) runningCalls(name string) int {
	p, _, err := th.newest(name)
	if err != nil {
		th.t.Fatal(err)
	}
	count := 0
	p.each(func(worker *process) {
		worker.mu.Lock()
		defer worker.mu.Unlock()
		if worker.state == stateRunning {
			count++
		}
	})
	return count
}
