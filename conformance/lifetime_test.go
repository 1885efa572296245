package conformance

import (
	"runtime"
	"strings"
	"sync"
	"testing"
)

// TestTakenPort starts a gateway on the port of another.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	first := start(t, copyApplication(t, "testdata/bare"))
	for _, flag := range []string{"--listen", "--admin"} {
		second := launch(t, first.dir, flag, first.address())
		second.wait()
		if second.exitCode() != 1 {
			t.Errorf("%s: exit code %d, want 1", flag, second.exitCode())
		}
		said := second.stderr.String()
		if !strings.Contains(said, first.address()) || !strings.Contains(said, "in use") || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: not one clear line: %q", flag, said)
		}
		if len(second.log) > 0 {
			t.Errorf("%s: it printed %q", flag, second.log)
		}
	}
}

// TestKilledGateway kills a gateway that has no time to end its functions.
func TestKilledGateway(t *testing.T) {
	t.Parallel()
	requireCommand(t, "node")
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a process when its parent is killed")
	}
	d := start(t, copyApplication(t, "testdata/versions"))
	d.dial("").expectVersion("first")
	children := descendants(d.cmd.Process.Pid)
	if len(children) == 0 {
		t.Fatal("no process runs the function")
	}
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	d.wait()
	if d.exitCode() != -1 {
		t.Errorf("exit code %d of a killed gateway", d.exitCode())
	}
	awaitGone(t, d.dir, children)
}

// TestInterrupt stops a gateway that has connections: they are closed, their
// $disconnect runs, and only then the functions end.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	requireNPM(t)
	d := start(t, copyApplication(t, "testdata/board-commonjs"))
	clients := []*client{d.dial("?name=Ada"), d.dial("?name=Bob")}
	var reading sync.WaitGroup
	for _, c := range clients {
		reading.Go(func() { c.expectClose(1001, "Going away") })
	}
	d.stop()
	reading.Wait()
	for _, c := range clients {
		e := d.await("disconnect", func(e event) bool { return e.ConnectionID == c.id })
		if e.Status != 1001 || e.Reason != "Going away" || e.RouteKey != "$disconnect" || e.Error != "" {
			t.Errorf("the end of a connection: %+v", e)
		}
	}
}
