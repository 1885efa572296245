package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// requireNode skips the test where Node.js, or the packages that package.json
// names, are not installed.
func requireNode(t *testing.T) {
	t.Helper()
	requireCommand(t, "node")
	if _, err := os.Stat(filepath.Join("node_modules", ".package-lock.json")); err != nil {
		t.Skip("the npm packages are not installed: run npm ci in conformance/")
	}
}

// requireCommand skips the test where a command of Node.js is not on PATH.
func requireCommand(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("there is no %s command: install Node.js 20 or newer", name)
	}
}

// program is a running program that the test talks to, line by line.
type program struct {
	t      *testing.T
	name   string
	in     io.WriteCloser
	out    *bufio.Scanner
	stderr bytes.Buffer
	cmd    *exec.Cmd
}

// run starts a program; it is killed, if it still runs, when patience ends.
func run(t *testing.T, variables []string, path string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	p := &program{t: t, name: filepath.Base(path), cmd: exec.CommandContext(ctx, path, args...)}
	p.cmd.Env = append(os.Environ(), variables...)
	p.cmd.Stderr = &p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	t.Cleanup(func() {
		cancel()
		_ = p.cmd.Wait() // an error where it was waited for
	})
	return p
}

func (p *program) say(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatalf("write to %s: %v\n%s", p.name, err, p.stderr.String())
	}
}

// hear returns the next line that the program prints.
func (p *program) hear() string {
	p.t.Helper()
	if !p.out.Scan() {
		err := p.cmd.Wait()
		p.t.Fatalf("%s said no more: %v\n%s", p.name, err, p.stderr.String())
	}
	return p.out.Text()
}

// end closes the program's input and expects it to end without an error.
func (p *program) end() {
	p.t.Helper()
	_ = p.in.Close()
	for p.out.Scan() {
		p.t.Errorf("%s printed more: %s", p.name, p.out.Text())
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%s: %v\n%s", p.name, err, p.stderr.String())
	}
}

// TestSDKForJavaScript calls the management API over HTTP and TLS.
func TestSDKForJavaScript(t *testing.T) {
	t.Parallel()
	requireNode(t)
	d := start(t, copyApplication(t, "testdata/bare"))
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			sdk := run(t, []string{"NODE_EXTRA_CA_CERTS=" + authorityFile()},
				"node", "testdata/management/operations.mjs", scheme+"://"+d.address()+"/"+d.stage())
			testJavaScriptOperations(t, d, sdk)
			sdk.end()
		})
	}
}

// outcome is a line of operations.mjs.
type outcome struct {
	Status int
	Error  string
	Gone   bool
	Output struct {
		Identity     struct{ SourceIp, UserAgent string }
		ConnectedAt  string
		LastActiveAt string
	}
}

func testJavaScriptOperations(t *testing.T, d *dev, sdk *program) {
	call := func(operation string, input map[string]string) (o outcome) {
		t.Helper()
		request, _ := json.Marshal(map[string]any{"operation": operation, "input": input})
		sdk.say(string(request))
		if err := json.Unmarshal([]byte(sdk.hear()), &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	client := d.dial("")
	id := client.id

	if got := call("PostToConnection", map[string]string{"ConnectionId": id, "Data": "hello, wörld"}); got.Status != 200 {
		t.Errorf("PostToConnection: %+v", got)
	}
	if got := client.receive(); got != "hello, wörld" {
		t.Errorf("PostToConnection: the client received %q", got)
	}
	got := call("GetConnection", map[string]string{"ConnectionId": id})
	if got.Status != 200 || got.Output.Identity.SourceIp != "127.0.0.1" || got.Output.Identity.UserAgent != "conformance" ||
		got.Output.ConnectedAt == "" || got.Output.LastActiveAt == "" {
		t.Errorf("GetConnection: %+v", got)
	}
	large := strings.Repeat("x", maxPayload+1)
	if got := call("PostToConnection", map[string]string{"ConnectionId": id, "Data": large}); got.Status != 413 {
		t.Errorf("PostToConnection of %d bytes: %+v", len(large), got)
	}
	for _, malformed := range []string{"nonsense", "AAAAAAAAAAAAAAAAAA=="} {
		if got := call("GetConnection", map[string]string{"ConnectionId": malformed}); got.Status != 400 || got.Error != "BadRequestException" {
			t.Errorf("GetConnection of %s: %+v", malformed, got)
		}
	}
	if got := call("DeleteConnection", map[string]string{"ConnectionId": id}); got.Status != 204 {
		t.Errorf("DeleteConnection: %+v", got)
	}
	d.await("disconnect", func(e event) bool { return e.ConnectionID == id })
	for _, operation := range []string{"PostToConnection", "GetConnection", "DeleteConnection"} {
		input := map[string]string{"ConnectionId": id}
		if operation == "PostToConnection" {
			input["Data"] = "late"
		}
		if got := call(operation, input); got.Status != 410 || got.Error != "GoneException" || !got.Gone {
			t.Errorf("%s on a closed connection: %+v", operation, got)
		}
	}
}

// TestWscat lets wscat connect with a header and a subprotocol, and talk.
func TestWscat(t *testing.T) {
	t.Parallel()
	requireNode(t)
	d := start(t, copyApplication(t, "testdata/echo"))

	// On pipes wscat sends what follows --execute, prints what arrives, and goes
	// on until its input ends.
	wscat := func(flags ...string) *program {
		args := append([]string{filepath.Join("node_modules", "wscat", "bin", "wscat"), "--connect", d.webSocketURL()}, flags...)
		return run(t, nil, "node", args...)
	}
	accepted := wscat("--header", "X-Token: open sesame", "--subprotocol", "chat.v2", "--execute", `{"hello":"wörld"}`, "--wait", "-1")
	if got := accepted.hear(); got != `{"hello":"wörld"}` {
		t.Errorf("wscat printed %q", got)
	}
	d.await("connect", func(e event) bool { return e.Status == 101 })
	d.await("message", func(e event) bool { return e.RouteKey == "$default" })
	accepted.end()
	d.await("disconnect", nil)

	refused := wscat("--execute", "nothing")
	if refused.out.Scan() {
		t.Errorf("wscat without the header printed %q", refused.out.Text())
	}
	if err := refused.cmd.Wait(); err == nil || !strings.Contains(refused.stderr.String(), "401") {
		t.Errorf("wscat without the header: %v %s", err, refused.stderr.String())
	}
	d.await("connect", func(e event) bool { return e.Status == 401 })
}
