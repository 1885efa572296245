//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/store"
)

// timeout is how long a test waits for what must come.
const timeout = time.Minute

// program is a running `stagedoor serve`.
type program struct {
	t             *testing.T
	command       *exec.Cmd
	Public, Admin string
	log           *logFile
	exited        chan error
}

// logFile is what a program writes to standard error. It may be read while it
// is written.
type logFile struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logFile) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until the log has a text.
func (l *logFile) await(t *testing.T, text string) {
	t.Helper()
	gatewaytest.Eventually(t, func() error {
		if !strings.Contains(l.String(), text) {
			return fmt.Errorf("%q is missing in the log:\n%s", text, l.String())
		}
		return nil
	})
}

// start runs `stagedoor serve --json` on free ports until it is ready.
func start(t *testing.T, change func(*exec.Cmd), args ...string) *program {
	t.Helper()
	p := &program{t: t, log: &logFile{}, exited: make(chan error, 1)}
	args = append([]string{"serve", "--json"}, args...)
	p.command = exec.Command(os.Args[0], args...)
	p.command.Env = append(os.Environ(), asProgram+"=1", "STAGEDOOR_LISTEN=127.0.0.1:0", "STAGEDOOR_ADMIN_LISTEN=127.0.0.1:0")
	p.command.Stderr = p.log
	if change != nil {
		change(p.command)
	}
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	found := lines.Scan()
	var ready struct{ Event, Public, Admin string }
	if found {
		err = json.Unmarshal(lines.Bytes(), &ready)
	}
	go func() {
		for lines.Scan() {
			t.Errorf("another line on standard output: %s", lines.Text())
		}
		p.exited <- p.command.Wait()
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		p.wait()
	})
	if !found || err != nil || ready.Event != "ready" {
		_ = p.command.Process.Kill()
		t.Fatalf("no ready line (%v); the log:\n%s", err, p.log)
	}
	p.Public, p.Admin = ready.Public, ready.Admin
	return p
}

func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait returns how the program ended.
func (p *program) wait() error {
	p.t.Helper()
	select {
	case err := <-p.exited:
		p.exited <- err
		return err
	case <-time.After(timeout):
		p.t.Fatalf("the program does not end; its log:\n%s", p.log)
		return nil
	}
}

// client does not keep connections: an idle one would outlive its test.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: timeout}

// request returns the status and the body of an answer.
func request(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// dial opens a connection to a stage.
func (p *program) dial(path string) *websocket.Conn {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), timeout)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, strings.Replace(p.Public, "http", "ws", 1)+path, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		p.t.Fatalf("dial: %v (%+v); the log:\n%s", err, answer, p.log)
	}
	p.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// filled makes a data folder with an API whose $disconnect and messages are
// handled by a URL.
func filled(t *testing.T, backend string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "data")
	opened, err := store.Open(t.Context(), store.Options{Dir: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	c := store.NewConfiguration(opened, nil)
	api := &apigw.API{
		ApiId: "testapi123", Name: "test", ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action",
		Routes: []*apigw.Route{
			{RouteId: "r1", RouteKey: "$disconnect", Target: "integrations/i1"},
			{RouteId: "r2", RouteKey: "$default", Target: "integrations/i1", RouteResponses: []*apigw.RouteResponse{{RouteResponseId: "rr", RouteResponseKey: "$default"}}},
		},
		Integrations: []*apigw.Integration{{IntegrationId: "i1", IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: backend}},
	}
	_, errAPI := c.APIs.Put(t.Context(), api, 0)
	_, errDeployment := c.Deployments.Put(t.Context(), &apigw.Deployment{DeploymentId: "d1", API: api}, 0)
	_, errStage := c.Stages.Put(t.Context(), &apigw.Stage{ApiId: api.ApiId, StageName: "prod", DeploymentId: "d1"}, 0)
	if err := errors.Join(errAPI, errDeployment, errStage); err != nil {
		t.Fatal(err)
	}
	return folder
}

// SIGTERM: /readyz says 503, nobody more gets in, connections are closed with
// 1001, and the end waits for $disconnect.
func TestServeStopsInOrder(t *testing.T) {
	t.Parallel()
	disconnecting, release := make(chan struct{}), make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if len(body) > 0 {
			_, _ = w.Write(body)
			return
		}
		close(disconnecting)
		<-release
	}))
	defer backend.Close()
	p := start(t, nil, "--data", filled(t, backend.URL))
	conn := p.dial("/prod")
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"action":"echo"}`)); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := conn.Read(t.Context()); err != nil || string(answer) != `{"action":"echo"}` {
		t.Fatalf("%s %v", answer, err)
	}
	if status, body := request(t, "GET", p.Admin+"/readyz", ""); status != 200 || !strings.Contains(body, `"status":"ready"`) {
		t.Errorf("/readyz: %d %s", status, body)
	}

	p.signal(syscall.SIGTERM)
	_, _, err := conn.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the connection ended with %v", err)
	}
	<-disconnecting
	if status, body := request(t, "GET", p.Admin+"/readyz", ""); status != 503 || !strings.Contains(body, `"status":"stopping"`) {
		t.Errorf("/readyz while it stops: %d %s", status, body)
	}
	if status, body := request(t, "GET", p.Admin+"/healthz", ""); status != 200 {
		t.Errorf("/healthz while it stops: %d %s", status, body)
	}
	if status, body := request(t, "GET", p.Public+"/prod", ""); status != 0 {
		t.Errorf("the public port still answers: %d %s", status, body)
	}
	close(release)
	if err := p.wait(); err != nil {
		t.Errorf("the program ended with %v; its log:\n%s", err, p.log)
	}
}

// A second signal ends the program at once, whatever it waits for.
func TestServeSecondSignal(t *testing.T) {
	t.Parallel()
	disconnecting, release := make(chan struct{}), make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(disconnecting)
		<-release
	}))
	defer backend.Close()
	defer close(release)
	p := start(t, nil, "--data", filled(t, backend.URL))
	conn := p.dial("/prod")
	p.signal(syscall.SIGTERM)
	_, _, err := conn.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the connection ended with %v", err)
	}
	<-disconnecting
	p.signal(syscall.SIGTERM)
	var exit *exec.ExitError
	if err := p.wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the program ended with %v", err)
	}
}

// What was answered is there after kill -9, and nobody without credentials gets
// at it unless the gateway is open.
func TestServeRestart(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	p := start(t, nil, "--data", folder, "--open")
	p.log.await(t, "OPEN: signatures are not checked")
	const api = `{"name":"kept","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`
	if status, body := request(t, "POST", p.Admin+"/v2/apis", api); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	p.signal(syscall.SIGKILL)
	_ = p.wait()

	p = start(t, nil, "--data", folder)
	p.log.await(t, "closed: there are no credentials")
	for _, url := range []string{p.Admin + "/v2/apis", p.Admin + "/other"} {
		if status, body := request(t, "GET", url, ""); status != 403 || body != `{"message":"Missing Authentication Token"}` {
			t.Errorf("%s without credentials: %d %s", url, status, body)
		}
	}
	p.signal(syscall.SIGINT)
	if err := p.wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}

	p = start(t, nil, "--data", folder, "--open")
	if status, body := request(t, "GET", p.Admin+"/v2/apis", ""); status != 200 || !strings.Contains(body, `"name":"kept"`) {
		t.Errorf("after the restart: %d %s", status, body)
	}
}

// The configuration is read again on SIGHUP: some of it takes effect, the rest
// is told, and with a mistake nothing changes.
func TestServeReload(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "stagedoor.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("data: data\nlog: {level: info}\n")
	p := start(t, nil, "--config", file)
	write("data: data\nlog: {level: info}\nquotas: {apis: 7}\n")
	p.signal(syscall.SIGHUP)
	p.log.await(t, `"the change takes effect at the next restart","key":"quotas.apis"`)
	p.log.await(t, `"the configuration was read again"`)
	write("data: data\nlog: {level: loud}\n")
	p.signal(syscall.SIGHUP)
	p.log.await(t, "the configuration was not taken; what ran before goes on")
	p.log.await(t, "is none of debug, error, info, warn")
	write("data: data\nlog: {level: debug}\n")
	p.signal(syscall.SIGHUP)
	p.log.await(t, `"the change is in effect","key":"log.level"`)
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil || !strings.Contains(p.log.String(), `"level":"DEBUG"`) {
		t.Errorf("the program ended with %v, or tells nothing for debugging; its log:\n%s", err, p.log)
	}
}

// The service manager is told of the gateway's life.
func TestServeNotifies(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "sd") // the address of a socket has 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	address := filepath.Join(folder, "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	p := start(t, func(c *exec.Cmd) {
		c.Env = append(c.Env, "NOTIFY_SOCKET="+address, "WATCHDOG_USEC=20000")
	}, "--data", t.TempDir())
	expect := func(want string) {
		t.Helper()
		_ = socket.SetReadDeadline(time.Now().Add(timeout))
		buffer := make([]byte, 1<<10)
		for {
			n, err := socket.Read(buffer)
			if err != nil {
				t.Fatalf("%s was not told: %v", want, err)
			}
			if strings.HasPrefix(string(buffer[:n]), want) {
				return
			}
		}
	}
	expect("READY=1")
	expect("WATCHDOG=1")
	p.signal(syscall.SIGHUP)
	expect("RELOADING=1\nMONOTONIC_USEC=")
	expect("READY=1")
	p.signal(syscall.SIGTERM)
	expect("STOPPING=1")
	if err := p.wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// Sockets that the service manager opened take the place of the addresses.
func TestServeSocketActivation(t *testing.T) {
	t.Parallel()
	var files []*os.File
	var addresses []string
	for range 2 {
		port, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		file, err := port.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		files, addresses = append(files, file), append(addresses, "http://"+port.Addr().String())
		_ = port.Close()
	}
	p := start(t, func(c *exec.Cmd) {
		// Only the process itself knows its id.
		c.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, c.Path}, c.Args[1:]...)
		c.Path = "/bin/sh"
		c.ExtraFiles = files
		c.Env = append(c.Env, "LISTEN_FDS=2", "LISTEN_FDNAMES=stagedoor.socket:admin")
	}, "--data", t.TempDir())
	for _, file := range files {
		_ = file.Close()
	}
	if p.Public != addresses[0] || p.Admin != addresses[1] {
		t.Errorf("serves %s and %s, want %v", p.Public, p.Admin, addresses)
	}
	if status, body := request(t, "GET", addresses[1]+"/readyz", ""); status != 200 {
		t.Errorf("/readyz: %d %s", status, body)
	}
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// Two gateways on one folder would destroy it.
func TestServeFolderInUse(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	start(t, nil, "--data", folder)
	got := execute(t.Context(), strings.NewReader(""), "serve", "--data", folder, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	if got.code != exitFailure || !strings.Contains(got.stderr, folder) {
		t.Errorf("code %d: %s", got.code, got.stderr)
	}
}

func TestServeRefusals(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "wrong.yaml")
	if err := os.WriteFile(file, []byte("listn: :80\nlog:\n  level: loud\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		args   []string
		code   int
		stderr []string
	}{
		{[]string{"serve", "--config", file}, exitFailure, []string{file + ":1: listn: unknown key; did you mean listen?", file + ":3: log.level: ", "2 mistakes in the configuration"}},
		{[]string{"check", file}, exitFailure, []string{file + ":1: listn: unknown key; did you mean listen?", "2 mistakes in the configuration"}},
		{[]string{"serve", "--listen", "nowhere"}, exitFailure, []string{`--listen: "nowhere" is not an address`, "1 mistake in the configuration"}},
		{[]string{"serve", "--config", "/does/not/exist"}, exitFailure, []string{"no such file"}},
		{[]string{"serve", "--data", folder, "--listen", taken.Addr().String(), "--admin", "127.0.0.1:0"}, exitFailure, []string{"is in use by another program"}},
		{[]string{"serve", "--data", file, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, exitFailure, []string{"data directory"}},
		{[]string{"serve", "file.yaml"}, exitUsage, []string{"unexpected argument"}},
	}
	for _, tt := range tests {
		got := execute(t.Context(), strings.NewReader(""), tt.args...)
		if got.code != tt.code || got.stdout != "" {
			t.Errorf("%v: code %d, want %d; standard output %q", tt.args, got.code, tt.code, got.stdout)
		}
		for _, want := range tt.stderr {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("%v: %q is missing in:\n%s", tt.args, want, got.stderr)
			}
		}
	}
}

// What a person sees.
func TestServeText(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	code := make(chan int, 1)
	log := &logFile{}
	folder := t.TempDir()
	go func() {
		p := &process{
			args: []string{"serve", "--data", folder, "--open"},
			env:  func(string) string { return "" }, stdin: strings.NewReader(""), stdout: writer, stderr: log,
			environ:    []string{"STAGEDOOR_LISTEN=127.0.0.1:0,127.0.0.1:0", "STAGEDOOR_ADMIN_LISTEN=127.0.0.1:0", "STAGEDOOR_LISTN=x"},
			isTerminal: func(any) bool { return false },
		}
		status := run(ctx, p)
		_ = writer.Close()
		code <- status
	}()
	var text string
	lines := bufio.NewScanner(reader)
	for lines.Scan() && !strings.Contains(text, "Ctrl-C stops it") {
		text += lines.Text() + "\n"
	}
	cancel()
	for lines.Scan() {
		text += lines.Text() + "\n"
	}
	if status := <-code; status != exitOK {
		t.Errorf("exit code %d: %s", status, log)
	}
	if strings.Count(text, "public  http://127.0.0.1:") != 2 {
		t.Errorf("not two public addresses in:\n%s", text)
	}
	for _, want := range []string{"Stagedoor  no configuration file: defaults\n", "admin   http://127.0.0.1:", "data    " + folder + "\n", "OPEN: no signatures are checked", "Ready in "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	for _, want := range []string{"STAGEDOOR_LISTN sets nothing; did you mean STAGEDOOR_LISTEN?", "level=WARN msg=\"OPEN: ", "msg=stopped"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is missing in the log:\n%s", want, log)
		}
	}
}

func TestCheckConfiguration(t *testing.T) {
	t.Parallel()
	file := written(t, "gateway.yaml", "region: eu-central-1\n")
	got := execute(t.Context(), strings.NewReader(""), "check", file)
	if got.code != exitOK || !strings.Contains(got.stdout, "a configuration without mistakes") {
		t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
}
