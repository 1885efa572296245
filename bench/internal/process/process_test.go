//go:build linux

package process

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// serveVariable makes the test's program serve instead of testing.
const serveVariable = "BENCH_TEST_SERVE"

func TestMain(m *testing.M) {
	address := os.Getenv(serveVariable)
	if address == "" {
		os.Exit(m.Run())
	}
	listener, err := net.Listen("tcp", address)
	for err == nil {
		_, err = listener.Accept()
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	address, err := FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(t.Context(), Spec{
		Name: "server", Command: []string{os.Args[0]}, Env: []string{serveVariable + "=" + address}, Address: address, LogDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

// A program that ends or can't be found is an error that shows what it said.
func TestStartFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		command []string
		want    string
	}{
		{"ends", []string{"sh", "-c", "echo out of luck >&2; exit 3"}, "out of luck"},
		{"missing", []string{"./no-such-program"}, "no-such-program"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			address, err := FreeAddress()
			if err != nil {
				t.Fatal(err)
			}
			_, err = Start(t.Context(), Spec{Name: "broken", Command: test.command, Address: address, LogDir: t.TempDir()})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A program that never listens is stopped when the run is.
func TestStartCancelled(t *testing.T) {
	t.Parallel()
	address, err := FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = Start(ctx, Spec{Name: "idler", Command: []string{"sleep", "600"}, Address: address, LogDir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A program without an address says that it is ready.
func TestReadyLine(t *testing.T) {
	t.Parallel()
	p, err := Start(t.Context(), Spec{
		Name: "talker", Command: []string{"sh", "-c", "printf rea; printf 'dy\\nmore\\n'; exec sleep 600"}, LogDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(p.ReadyLine) != "ready" || p.Took <= 0 {
		t.Errorf("%q after %v", p.ReadyLine, p.Took)
	}
	p.Kill()
	if _, err = Start(t.Context(), Spec{Name: "mute", Command: []string{"sh", "-c", "printf nothing"}, LogDir: t.TempDir()}); err == nil {
		t.Error("a program that ended is ready")
	}
}

// A program that listens is ready when it says so, where it says it at all.
func TestReadyURL(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	p, err := Start(t.Context(), Spec{
		Name: "slow", Command: []string{"sleep", "600"}, Address: server.Listener.Addr().String(), Ready: server.URL, LogDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if asked.Load() != 3 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// The processor time of a program has that of what it has started.
func TestTreeTime(t *testing.T) {
	t.Parallel()
	p, err := Start(t.Context(), Spec{
		Name: "parent", LogDir: t.TempDir(),
		Command: []string{"sh", "-c", "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo ready; exec sleep 600'; :"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	child := children(p.PID)
	if len(child) != 1 {
		t.Fatalf("children: %v", child)
	}
	defer syscall.Kill(child[0], syscall.SIGKILL)
	own, err := ProcessorTime(p.PID)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := TreeTime(p.PID); err != nil || all <= own {
		t.Errorf("%v of its own, %v with its child, %v", own, all, err)
	}
}

// What a program has started keeps counting when it has ended.
func TestTreeTimeOfEnded(t *testing.T) {
	t.Parallel()
	const busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
	p, err := Start(t.Context(), Spec{
		Name: "parent", LogDir: t.TempDir(), Command: []string{"sh", "-c", "sh -c 'sh -c \"" + strings.ReplaceAll(busy, "$", "\\$") + "\"; :'; echo ready; exec sleep 600"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	own, err := ProcessorTime(p.PID)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := TreeTime(p.PID); err != nil || all <= own {
		t.Errorf("%v of its own, %v with what has ended, %v", own, all, err)
	}
}
