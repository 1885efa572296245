//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// door is a running `stagedoor dev --json`.
type door struct {
	*program
	Push, Note string
	APIs       []struct {
		APIID, Name string
		Stages      []string
	}
	out *logFile // standard output after the first line
}

// open runs `stagedoor dev` on free ports until it is ready.
func open(t *testing.T, args ...string) *door {
	t.Helper()
	d := &door{program: &program{t: t, log: &logFile{}, exited: make(chan error, 1)}, out: &logFile{}}
	args = append([]string{"dev", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)
	d.command = exec.Command(os.Args[0], args...)
	d.command.Env = append(os.Environ(), asProgram+"=1", "XDG_CACHE_HOME="+t.TempDir())
	if compiled, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output(); err == nil {
		d.command.Env = append(d.command.Env, "GOCACHE="+strings.TrimSpace(string(compiled))) // which is below the other
	}
	d.command.Stderr = d.log
	stdout, err := d.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.command.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(stdout)
	first, _ := reader.ReadBytes('\n')
	copied := make(chan struct{})
	go func() {
		_, _ = io.Copy(d.out, reader)
		close(copied)
	}()
	go func() {
		<-copied
		d.exited <- d.command.Wait()
	}()
	t.Cleanup(func() {
		d.signal(syscall.SIGTERM)
		if err := d.wait(); err != nil {
			t.Errorf("stopped with %v: %s", err, d.log)
		}
	})
	if err := json.Unmarshal(first, d); err != nil {
		t.Fatalf("%v: the first line is %q; %s", err, first, d.log)
	}
	return d
}

// call is a request that a backend got.
type call struct{ method, url, event, connection, route, body string }

// backend is an HTTP backend that keeps what it is asked. It answers messages
// with "echo " and the message, and refuses who comes with ?refuse.
type backend struct {
	*httptest.Server
	mu    sync.Mutex
	calls []call // guarded by mu
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		b.calls = append(b.calls, call{
			r.Method, r.URL.String(), r.Header.Get("X-Stagedoor-Event"), r.Header.Get("X-Connection-Id"), r.Header.Get("X-Route-Key"), string(body),
		})
		b.mu.Unlock()
		if r.URL.Query().Has("refuse") {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = fmt.Fprintf(w, "echo %s", body)
	}))
	t.Cleanup(b.Close)
	return b
}

// await waits for the call of an event, and returns it.
func (b *backend) await(t *testing.T, event string) call {
	t.Helper()
	var found call
	gatewaytest.Eventually(t, func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		i := slices.IndexFunc(b.calls, func(c call) bool { return c.event == event })
		if i < 0 {
			return fmt.Errorf("no %s among %v", event, b.calls)
		}
		found = b.calls[i]
		return nil
	})
	return found
}

// ask sends a message and returns the next one that comes.
func ask(t *testing.T, c *websocket.Conn, message string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if message != "" {
		if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	_, answer, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// A URL is all that a WebSocket in front of an HTTP backend needs: every event
// is a POST to it, whatever path the client connects at, and messages are pushed
// without a word about APIs, stages or signatures.
func TestURLDoor(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/", "/dev", "/rooms/42", "/dev/42", "/@connections"} {
		t.Run("path "+path, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t)
			d := open(t, b.URL+"/hook")
			c := d.dial(path)
			if got := ask(t, c, "hello"); got != "echo hello" {
				t.Errorf("answered %q", got)
			}
			id := b.await(t, "connect").connection
			push := d.Public + "/@connections/" + id
			if d.Push != d.Public+"/@connections/{id}" {
				t.Errorf("messages are pushed to %q", d.Push)
			}
			if status, body := request(t, "POST", push, "news"); status != http.StatusOK {
				t.Fatalf("push: %d %s", status, body)
			}
			if got := ask(t, c, ""); got != "news" {
				t.Errorf("pushed %q", got)
			}
			if status, body := request(t, "GET", push, ""); status != http.StatusOK || !strings.Contains(body, "connectedAt") {
				t.Errorf("info: %d %s", status, body)
			}
			if status, body := request(t, "DELETE", push, ""); status != http.StatusNoContent {
				t.Errorf("delete: %d %s", status, body)
			}
			b.await(t, "disconnect")
			if status, _ := request(t, "POST", push, "late"); status != http.StatusGone {
				t.Errorf("a push to nobody: %d", status)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			want := []call{
				{"POST", "/hook", "connect", id, "$connect", ""},
				{"POST", "/hook", "message", id, "$default", "hello"},
				{"POST", "/hook", "disconnect", id, "$disconnect", ""},
			}
			if !slices.Equal(b.calls, want) {
				t.Errorf("the backend got %q", b.calls)
			}
		})
	}
}

// The backend decides who comes in. A client cannot say who it is.
func TestURLDoorRefuses(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	d := open(t, b.URL)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	header := http.Header{"X-Connection-Id": {"forged"}, "X-Route-Key": {"forged"}, "X-Stagedoor-Event": {"message"}}
	_, response, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(d.Public, "http")+"/?refuse", &websocket.DialOptions{HTTPHeader: header})
	if err == nil || response == nil || response.StatusCode != http.StatusUnauthorized {
		t.Fatalf("%v, %v", response, err)
	}
	if c := b.await(t, "connect"); c.connection == "forged" || c.route != "$connect" || c.url != "/?refuse=" {
		t.Errorf("the backend got %q", c)
	}
	status, page := request(t, "GET", d.Public+"/", "")
	if status != http.StatusOK || !strings.Contains(page, "ws"+strings.TrimPrefix(d.Public, "http")+"/\n") {
		t.Errorf("the page: %d %s", status, page)
	}
}

// A backend that is not there is told at the start, and when somebody comes; one
// that comes later is used.
func TestURLDoorUnreachable(t *testing.T) {
	t.Parallel()
	address := "127.0.0.1:" + freePort(t)
	ctx, stop := context.WithCancel(t.Context())
	out := &logFile{}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, &process{
			args: []string{"dev", "http://" + address, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"},
			env:  func(string) string { return "" }, stdin: strings.NewReader(""), stdout: out, stderr: out,
			isTerminal: func(any) bool { return false },
		})
	}()
	defer func() {
		stop()
		<-done
	}()
	out.await(t, "nobody listens there yet")
	out.await(t, "Ctrl-C stops it.")
	url := ""
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "connect" {
			url = fields[1]
		}
		if len(line) > 81 {
			t.Errorf("a line of more than 80 columns: %q", line)
		}
	}
	dialing, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if _, response, err := websocket.Dial(dialing, url, nil); err == nil || response == nil || response.StatusCode != http.StatusBadGateway {
		t.Errorf("%s: %v, %v", url, response, err)
	}
	out.await(t, "connection refused")
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip("the port was given to somebody else: ", err)
	}
	late := &httptest.Server{Listener: again, Config: &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}}
	late.Start()
	defer late.Close()
	c, _, err := websocket.Dial(dialing, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.CloseNow()
}

// shortFile writes a stagedoor.yaml into a folder of its own.
func shortFile(t *testing.T, text string) string {
	t.Helper()
	return written(t, "stagedoor.yaml", text)
}

// chat is a short file with a route of each kind.
func chat(backend string) string {
	return strings.ReplaceAll(`
limits: {message: 64KiB}
apis:
  chat:
    routes:
      $connect: URL/ws/connect
      message: {url: URL/ws/message, timeout: 5s}
      log: {url: URL/ws/log, answer: false}
      $default: URL/ws
      price: {function: ./price, runtime: nodejs20.x}
`, "URL", backend)
}

// A short file is run: each route goes to its URL, a function runs here, and
// what is saved takes effect while connections stay open.
func TestShortFile(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	file := shortFile(t, chat(b.URL))
	price := filepath.Join(filepath.Dir(file), "price")
	if err := os.Mkdir(price, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(price, "index.js"), []byte(`exports.handler = async (e) => ({statusCode: 200, body: "42 for " + e.requestContext.routeKey})`), 0o600); err != nil {
		t.Fatal(err)
	}
	d := open(t, filepath.Dir(file)) // a folder stands for its file
	if len(d.APIs) != 1 || d.APIs[0].Name != "chat" || !slices.Equal(d.APIs[0].Stages, []string{"dev"}) {
		t.Fatalf("%+v", d.APIs)
	}
	c := d.dial("/dev")
	for _, tt := range []struct{ message, answer string }{
		{`{"action":"message","text":"hi"}`, `echo {"action":"message","text":"hi"}`},
		{`anything`, `echo anything`},
		{`{"action":"price"}`, `42 for price`},
	} {
		if got := ask(t, c, tt.message); got != tt.answer {
			t.Errorf("%s is answered with %q", tt.message, got)
		}
	}
	write := func(message string) {
		t.Helper()
		if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"action":"log"}`) // is not answered
	gatewaytest.Eventually(t, func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !slices.ContainsFunc(b.calls, func(c call) bool { return c.url == "/ws/log" && c.route == "log" }) {
			return fmt.Errorf("/ws/log is not among %v", b.calls)
		}
		return nil
	})
	if got := ask(t, c, "next"); got != "echo next" {
		t.Errorf("after a route that does not answer came %q", got)
	}
	if strings.Contains(d.out.String(), "go to nobody") {
		t.Errorf("a route that is not to answer is warned of:\n%s", d.out)
	}
	id := b.await(t, "message").connection
	for _, path := range []string{"/@connections/", "/dev/@connections/"} {
		if status, body := request(t, "POST", d.Public+path+id, path); status != http.StatusOK {
			t.Errorf("push to %s: %d %s", path, status, body)
		} else if got := ask(t, c, ""); got != path {
			t.Errorf("pushed %q", got)
		}
	}
	_ = d.dial("/").CloseNow()
	if status, _ := request(t, "GET", d.Public+"/prod", ""); status != http.StatusForbidden {
		t.Errorf("a path that names nothing: %d", status)
	}

	rewrite := func(text, event string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d.out.await(t, event)
	}
	rewrite(strings.Replace(chat(b.URL), "$default: ", "$defalt: ", 1), `"event":"rejected"`)
	d.out.await(t, "stagedoor.yaml\",\"line\":9")
	d.out.await(t, "did you mean $default?")
	rewrite(strings.Replace(chat(b.URL), "/ws/message", "/ws/changed", 1), `"event":"reloaded"`)
	rewrite(strings.NewReplacer("/ws/message", "/ws/changed", "64KiB", "32KiB").Replace(chat(b.URL)), "takes effect with the next start")
	if got := ask(t, c, `{"action":"message"}`); got != `echo {"action":"message"}` {
		t.Errorf("answered %q", got)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := b.calls[len(b.calls)-1]; last.url != "/ws/changed" {
		t.Errorf("after the file was saved the backend got %v", last)
	}
}

// The id of an API comes from its name alone.
func TestShortFileIDs(t *testing.T) {
	t.Parallel()
	const api = "\n  %s: {routes: {$default: http://127.0.0.1:1}}"
	one := open(t, shortFile(t, "apis:"+fmt.Sprintf(api, "chat")))
	two := open(t, shortFile(t, "apis:"+fmt.Sprintf(api, "first")+fmt.Sprintf(api, "chat")))
	if one.APIs[0].APIID != two.APIs[1].APIID || two.APIs[0].APIID == two.APIs[1].APIID {
		t.Errorf("%+v and %+v", one.APIs, two.APIs)
	}
	if two.Push != "" {
		t.Errorf("of two APIs messages are pushed to %q", two.Push)
	}
}

// Where a folder has a template as well, the template is taken, and it is said.
func TestShortFileBesideTemplate(t *testing.T) {
	t.Parallel()
	file := templateFile(t, mockTemplate)
	folder := filepath.Dir(file)
	if err := os.WriteFile(filepath.Join(folder, "stagedoor.yaml"), []byte(chat("http://127.0.0.1:1")), 0o600); err != nil {
		t.Fatal(err)
	}
	const note = "the folder has stagedoor.yaml as well; template.yaml is taken"
	if d := open(t, folder); d.Note != note || d.APIs[0].Name != "mocks" {
		t.Errorf("%q %+v", d.Note, d.APIs)
	}
	if got := execute(t.Context(), strings.NewReader(""), "check", folder); got.code != exitOK || !strings.Contains(got.stdout, note) {
		t.Errorf("%+v", got)
	}
	got := execute(t.Context(), strings.NewReader(""), "deploy", "--print-template", folder)
	if got.code != exitOK || got.stdout != mockTemplate {
		t.Errorf("%+v", got)
	}
}

// check looks at the whole file: the configuration, and its APIs as those of a
// template.
func TestCheckShortFile(t *testing.T) {
	t.Parallel()
	check := func(text string, code int, want ...string) {
		t.Helper()
		file := shortFile(t, text)
		got := execute(t.Context(), strings.NewReader(""), "check", file)
		for _, part := range want {
			if part = strings.ReplaceAll(part, "FILE", file); !strings.Contains(got.stdout+got.stderr, part) {
				t.Errorf("%q is missing in %+v", part, got)
			}
		}
		if got.code != code {
			t.Errorf("code %d: %+v", got.code, got)
		}
		if sound := strings.Contains(got.stdout, "without mistakes"); sound != (code == exitOK) {
			t.Errorf("without mistakes: %v, in %+v", sound, got)
		}
	}
	check("apis: {chat: {routes: {$default: http://app, b: http://app}}}\n", exitOK, "a configuration without mistakes", "1 WebSocket API, 2 routes, 0 functions")
	check(chat("http://app"), exitFailure, "FILE:10: apis.chat.routes.price: the code folder ./price does not exist", "1 mistake in the configuration")
	check("lisen: x\napis:\n  chat:\n    routes:\n      $default: app\n      audit: {nats: events/audit.{message}}\n      price: {function: ./price, runtime: nodejs99.x}\n", exitFailure,
		"FILE:1: lisen: unknown key; did you mean listen?", `FILE:5: apis.chat.routes.$default: "app" is not an http or https URL`,
		"FILE:6: apis.chat.routes.audit: nats: subjects are not built yet",
		`FILE:7: apis.chat.routes.price.runtime: "nodejs99.x" is none of Lambda's runtimes; did you mean nodejs24.x?`, "4 mistakes in the configuration")
}

// What the environment would change of a short file is no matter of check.
func TestCheckWithoutEnvironment(t *testing.T) {
	t.Parallel()
	command := exec.CommandContext(t.Context(), os.Args[0], "check", shortFile(t, "apis: {chat: {routes: {$default: http://app}}}\n"))
	command.Env = append(os.Environ(), asProgram+"=1", "STAGEDOOR_LIMITS_IDLE=nonsense")
	if said, err := command.CombinedOutput(); err != nil || !strings.Contains(string(said), "a configuration without mistakes") {
		t.Errorf("%v: %s", err, said)
	}
}

// The template that a short file stands for is one that check takes, and that
// is deployed as every other; no gateway is needed to see it.
func TestPrintTemplate(t *testing.T) {
	t.Parallel()
	file := shortFile(t, strings.Replace(chat("http://app:8000"), "      price: {function: ./price, runtime: nodejs20.x}\n", "", 1))
	got := execute(t.Context(), strings.NewReader(""), "deploy", "--print-template", file)
	if got.code != exitOK || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	template := templateFile(t, got.stdout)
	if checked := execute(t.Context(), strings.NewReader(""), "check", template); checked.code != exitOK || !strings.Contains(checked.stdout, "1 WebSocket API, 4 routes, 0 functions") {
		t.Errorf("%+v of\n%s", checked, got.stdout)
	}
	d := newDeployment(t)
	d.template = file
	if got := d.run(t, "", "--yes"); got.code != exitOK || !strings.Contains(got.stdout, "+ Route message") {
		t.Errorf("%+v", got)
	}
	if got := execute(t.Context(), strings.NewReader(""), "deploy", "--print-template", "http://localhost:8000"); got.code != exitOK || strings.Count(got.stdout, "IntegrationUri: http://localhost:8000\n") != 3 {
		t.Errorf("%+v", got)
	}
	for text, want := range map[string]string{"": "the template is empty", "\xff\x00": "not valid YAML or JSON", "- a\n": "a template is an object"} {
		got := execute(t.Context(), strings.NewReader(""), "deploy", "--print-template", templateFile(t, text))
		if got.code != exitFailure || got.stdout != "" || !strings.Contains(got.stderr, want) {
			t.Errorf("%q: %+v", text, got)
		}
	}
	for _, command := range []string{"dev", "check", "deploy"} {
		got := execute(t.Context(), strings.NewReader(""), command, "localhost:8000")
		if got.code != exitFailure || !strings.Contains(got.stderr, "an HTTP backend is written with its scheme: http://localhost:8000") {
			t.Errorf("%s: %+v", command, got)
		}
	}
}
