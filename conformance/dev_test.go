package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen. It is ample, for
// machines that are busy: no test measures time.
const patience = 2 * time.Minute

// event is a line that "stagedoor dev --json" prints. Members that a kind of
// event doesn't have are zero.
type event struct {
	Event        string
	Public       string
	Admin        string
	APIs         []api
	ConnectionID string
	RouteKey     string
	Status       int
	Reason       string
	Error        string
	Function     string
	Text         string
	Problems     []problem
}

type api struct {
	APIID  string
	Name   string
	Stages []string
	Routes []struct{ RouteKey string }
}

// problem is a mistake in a template.
type problem struct {
	File     string
	Line     int
	Resource string
	Message  string
}

// dev is a running "stagedoor dev" with an application in a folder of its own.
type dev struct {
	t      *testing.T
	dir    string // the application
	ready  event
	cmd    *exec.Cmd
	stderr bytes.Buffer // to be read when done is closed
	done   chan struct{}
	err    error // of the process; set when done is closed

	mu     sync.Mutex
	events []event       // guarded by mu: printed, and not yet awaited
	more   chan struct{} // guarded by mu: closed and replaced when events grows
	log    []string      // guarded by mu: all lines
}

// start runs "stagedoor dev" on a folder and waits until it is ready. At the
// test's end it is interrupted and must leave well, with nothing behind.
func start(t *testing.T, dir string, flags ...string) *dev {
	t.Helper()
	d := launch(t, dir, flags...)
	d.ready = d.await("ready", nil)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !strings.HasPrefix(d.log[0], `{"event":"ready",`) {
		t.Errorf("the first line is not the ready one: %s", d.log[0])
	}
	return d
}

// launch runs "stagedoor dev" on a folder.
func launch(t *testing.T, dir string, flags ...string) *dev {
	t.Helper()
	d := &dev{t: t, dir: dir, done: make(chan struct{}), more: make(chan struct{})}
	args := append([]string{"dev", dir, "--json"}, flags...)
	for _, flag := range []string{"--listen", "--admin"} {
		if !slices.Contains(flags, flag) {
			args = append(args, flag, "127.0.0.1:0")
		}
	}
	d.cmd = exec.Command(binary, args...)
	d.cmd.Env = environment()
	d.cmd.Stderr = &d.stderr
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatalf("start stagedoor: %v", err)
	}
	go func() {
		defer close(d.done)
		d.read(stdout)
		d.err = d.cmd.Wait()
	}()
	t.Cleanup(d.cleanUp)
	return d
}

// environment is the test's own, without the user's settings for AWS, which
// functions would get too.
func environment() []string {
	own := slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "AWS_") })
	return append(own, "XDG_CACHE_HOME="+cacheHome, "GOCACHE="+goCache)
}

func (d *dev) read(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		err := json.Unmarshal(lines.Bytes(), &e)
		if err != nil {
			d.t.Errorf("a line of the output is not a JSON object: %v: %s", err, lines.Bytes())
			continue
		}
		d.mu.Lock()
		d.log = append(d.log, lines.Text())
		d.events = append(d.events, e)
		close(d.more)
		d.more = make(chan struct{})
		d.mu.Unlock()
	}
}

// await takes the first event of a kind, and that match accepts, out of what
// was printed, waiting for it. A nil match accepts all.
func (d *dev) await(kind string, match func(event) bool) event {
	d.t.Helper()
	deadline := time.After(patience)
	for {
		d.mu.Lock()
		more := d.more
		at := slices.IndexFunc(d.events, func(e event) bool { return e.Event == kind && (match == nil || match(e)) })
		if at >= 0 {
			found := d.events[at]
			d.events = slices.Delete(d.events, at, at+1)
			d.mu.Unlock()
			return found
		}
		d.mu.Unlock()
		select {
		case <-more:
		case <-d.done:
			d.t.Fatalf("stagedoor ended (%v) before it printed %q:\n%s", d.err, kind, d.stderr.String())
		case <-deadline:
			d.t.Fatalf("stagedoor did not print %q", kind)
		}
	}
}

// stop interrupts the gateway as Ctrl-C does. It must exit with 0 and leave no
// process behind.
func (d *dev) stop() {
	d.t.Helper()
	children := descendants(d.cmd.Process.Pid)
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		d.t.Errorf("interrupt stagedoor: %v", err)
	}
	d.wait()
	if d.err != nil {
		d.t.Errorf("stagedoor ended with %v:\n%s", d.err, d.stderr.String())
	}
	awaitGone(d.t, d.dir, children)
}

// wait waits for the process to end by itself.
func (d *dev) wait() {
	d.t.Helper()
	select {
	case <-d.done:
	case <-time.After(patience):
		_ = d.cmd.Process.Kill()
		<-d.done
		d.t.Error("stagedoor did not end")
	}
}

func (d *dev) cleanUp() {
	select {
	case <-d.done:
	default:
		d.stop()
	}
	if d.t.Failed() {
		d.t.Logf("output of stagedoor:\n%s\n%s", strings.Join(d.log, "\n"), d.stderr.String())
	}
}

// exitCode is the code of the ended process; -1 if a signal killed it.
func (d *dev) exitCode() int {
	var exit *exec.ExitError
	if errors.As(d.err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// webSocketURL is where clients connect to the only stage of the only API.
func (d *dev) webSocketURL() string { return strings.Replace(d.stageURL(), "http", "ws", 1) }

// stageURL is the endpoint of the only stage of the only API.
func (d *dev) stageURL() string { return d.ready.Public + "/" + d.stage() }

func (d *dev) stage() string { return d.ready.APIs[0].Stages[0] }

// address is the host and port of the public listener.
func (d *dev) address() string { return strings.TrimPrefix(d.ready.Public, "http://") }

// authorityFile is the certificate of the authority that signs for gateways. It
// is there when one is ready.
func authorityFile() string { return filepath.Join(cacheHome, "stagedoor", "ca", "ca.pem") }

// copyApplication copies a folder to a temporary one. So a test may change its
// files, and no node_modules folder is above it.
func copyApplication(t *testing.T, folder string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), filepath.Base(folder))
	if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
		t.Fatalf("copy %s: %v", folder, err)
	}
	return dir
}
