//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/administration"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// watching is a running `stagedoor tail`.
type watching struct {
	t           *testing.T
	command     *exec.Cmd
	out, status *logFile
	exited      chan error
}

// watch runs `stagedoor tail` until it watches. Without a key it signs nothing.
func watch(t *testing.T, key *administration.AccessKey, gateway string, args ...string) *watching {
	t.Helper()
	w := startTail(t, key, gateway, args...)
	w.status.await(t, "watching")
	return w
}

func startTail(t *testing.T, key *administration.AccessKey, gateway string, args ...string) *watching {
	t.Helper()
	w := &watching{t: t, out: &logFile{}, status: &logFile{}, exited: make(chan error, 1)}
	w.command = exec.Command(os.Args[0], append([]string{"tail", "--gateway", gateway}, args...)...)
	w.command.Stdout, w.command.Stderr = w.out, w.status
	none := filepath.Join(t.TempDir(), "none")
	w.command.Env = append(os.Environ(), asProgram+"=1", "AWS_CONFIG_FILE="+none, "AWS_SHARED_CREDENTIALS_FILE="+none, "AWS_PROFILE=", "AWS_REGION=us-east-1")
	if key != nil {
		w.command.Env = append(w.command.Env, "AWS_ACCESS_KEY_ID="+key.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+key.SecretAccessKey)
	}
	if err := w.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { w.exited <- w.command.Wait() }()
	t.Cleanup(func() {
		_ = w.command.Process.Kill()
		w.wait()
	})
	return w
}

// wait returns the exit code.
func (w *watching) wait() int {
	w.t.Helper()
	select {
	case err := <-w.exited:
		w.exited <- err
		return w.command.ProcessState.ExitCode()
	case <-time.After(timeout):
		w.t.Fatalf("tail does not end; it said:\n%s%s", w.out, w.status)
		return 0
	}
}

// events are the objects that were printed.
func (w *watching) events() (all []map[string]any) {
	w.t.Helper()
	text := w.out.String()
	for line := range strings.Lines(text[:strings.LastIndexByte(text, '\n')+1]) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			w.t.Fatalf("%v: %s", err, line)
		}
		all = append(all, e)
	}
	return all
}

// await waits until an event was printed that is as wanted, and returns it.
func (w *watching) await(what string, is func(map[string]any) bool) (found map[string]any) {
	w.t.Helper()
	gatewaytest.Eventually(w.t, func() error {
		for _, e := range w.events() {
			if is(e) {
				found = e
				return nil
			}
		}
		return fmt.Errorf("%s is missing in\n%s%s", what, w.out, w.status)
	})
	return found
}

func ofKind(kind string) func(map[string]any) bool {
	return func(e map[string]any) bool { return e["event"] == kind }
}

// interrupt is Ctrl-C.
func (w *watching) interrupt() {
	w.t.Helper()
	if err := w.command.Process.Signal(syscall.SIGINT); err != nil {
		w.t.Fatal(err)
	}
	if code := w.wait(); code != exitOK {
		w.t.Errorf("Ctrl-C ends it with %d; it said:\n%s", code, w.status)
	}
}

// A gateway that asks for signatures shows its events to who has stagedoor:Tail, and to
// nobody else: those that the filters let through, as they happen, with payloads for those
// who ask, and without secrets.
func TestTail(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"answer": "from the backend", "sessionToken": "SECRET-ANSWER"}`))
	}))
	defer backend.Close()
	folder := filled(t, backend.URL)
	allowed := newKey(t, nil, "watcher", "--allow", "stagedoor:Tail", "--data", folder)
	other := newKey(t, nil, "other", "--allow", "stagedoor:Backup", "--data", folder)
	policy := written(t, "policy.json", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "stagedoor:Tail", "Resource": "arn:aws:stagedoor:us-east-1:*:events/testapi123"}}`)
	one := newKey(t, nil, "one", "--policy", policy, "--data", folder)
	p := start(t, nil, "--data", folder)

	for name, refused := range map[string]*watching{
		"AccessDenied":      startTail(t, other, p.Admin),
		"not signed":        startTail(t, nil, p.Admin),
		"is not authorized": startTail(t, one, p.Admin),
		"authorized to perform: stagedoor:Tail on": startTail(t, one, p.Admin, "--api", "testapi123,other"),
	} {
		if code := refused.wait(); code != exitFailure || !strings.Contains(refused.status.String(), name) || refused.out.String() != "" {
			t.Errorf("%s: code %d: %s%s", name, code, refused.out, refused.status)
		}
	}
	everything := watch(t, allowed, p.Admin, "--json", "--payload")
	filtered := watch(t, one, p.Admin, "--json", "--api", "testapi123", "--route", "$connect", "--route", "$disconnect")
	nothing := watch(t, allowed, p.Admin, "--json", "--status", "4xx,1006", "--stage", "prod")
	pretty := watch(t, allowed, p.Admin, "--payload")

	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(p.Public, "http", "ws", 1)+"/prod?access_token=SECRET-QUERY&room=1", &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: http.Header{"Authorization": {"Bearer SECRET-HEADER"}, "X-Room": {"one"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	gatewaytest.Send(t, conn, `{"action": "join", "password": "SECRET-BODY", "name": "`+"\u202e\x7f"+`"}`)
	gatewaytest.Receive(t, conn)
	message := everything.await("the message", ofKind("message"))
	for key, want := range map[string]any{
		"apiId": "testapi123", "stage": "prod", "routeKey": "$default", "status": 200.0, "answerBytes": 63.0,
		"answer": `{"answer": "from the backend", "sessionToken": "***"}`,
		"body":   `{"action": "join", "password": "***", "name": "` + "\u202e\x7f" + `"}`,
	} {
		if message[key] != want {
			t.Errorf("the message's %s is %#v, want %#v", key, message[key], want)
		}
	}
	connect := everything.await("the connection", ofKind("connect"))
	headers, _ := connect["headers"].(map[string]any)
	query, _ := connect["query"].(map[string]any)
	if headers["X-Room"] != "one" || headers["Authorization"] != "***" || query["room"] != "1" || query["access_token"] != "***" {
		t.Errorf("the handshake: %v %v", headers, query)
	}
	if err := conn.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*watching{everything, filtered} {
		if e := w.await("the end", ofKind("disconnect")); e["reason"] != "bye" || e["status"] != 1000.0 {
			t.Errorf("the end: %v", e)
		}
	}
	if _, shown := filtered.await("the connection", ofKind("connect"))["headers"]; shown || len(filtered.events()) != 2 {
		t.Errorf("with filters: %s", filtered.out)
	}
	pretty.out.await(t, "disconnect")
	for _, want := range []string{
		"\n    > X-Room: one\n", "\n    > ?access_token=***\n", "  $default  200  ", `    > {"action":"join","password":"***","name":"` + "\ufffd\ufffd" + `"}`,
		`    < {"answer":"from the backend","sessionToken":"***"}`, "  1000 bye  ",
	} {
		if !strings.Contains(pretty.out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, pretty.out)
		}
	}
	for _, w := range []*watching{everything, filtered, nothing, pretty} {
		w.interrupt()
		if strings.Contains(w.out.String(), "SECRET") || bytes.ContainsRune([]byte(w.out.String()), '\u202e') {
			t.Errorf("a secret, or what drives a terminal, is in\n%s", w.out)
		}
	}
	if nothing.out.String() != "" {
		t.Errorf("no event fits, and yet: %s", nothing.out)
	}
	p.log.await(t, "stagedoor:Tail")
}

// Who watches is told when the gateway stops, sees what happens until the end, and goes on
// when another is there: the gap is told where it is.
func TestTailAcrossRestart(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer backend.Close()
	folder := filled(t, backend.URL)
	first := start(t, nil, "--data", folder, "--open")
	w := watch(t, nil, first.Admin, "--json")
	first.dial("/prod")
	w.await("the first connection", ofKind("connect"))
	first.signal(syscall.SIGTERM)
	if err := first.wait(); err != nil {
		t.Errorf("the gateway: %v", err)
	}
	if e := w.await("the end of the connection", ofKind("disconnect")); e["status"] != 1001.0 {
		t.Errorf("the end: %v", e)
	}
	w.status.await(t, "the gateway has ended the stream; trying again") // and was not cut off when the time for stopping was over

	address := strings.TrimPrefix(first.Admin, "http://")
	second := start(t, func(c *exec.Cmd) { c.Env = append(c.Env, "STAGEDOOR_ADMIN_LISTEN="+address) }, "--data", folder, "--open")
	notice := w.await("the gap", ofKind("notice"))
	if text, _ := notice["text"].(string); !strings.Contains(text, "are missing here") || notice["gapMs"] == nil {
		t.Errorf("the gap: %v", notice)
	}
	second.dial("/prod")
	gatewaytest.Eventually(t, func() error {
		events := w.events()
		var kinds []string
		for _, e := range events {
			kinds = append(kinds, e["event"].(string))
		}
		if got := strings.Join(kinds, " "); got != "connect disconnect notice connect" {
			return errors.New(got)
		}
		return nil
	})
	w.interrupt()
}

// Wrong flags are told before a gateway is asked, and what is no gateway is known as such.
func TestTailMistakes(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	defer page.Close()
	nobody := httptest.NewServer(nil)
	nobody.Close()
	for _, tt := range []struct {
		args   string
		code   int
		stderr string
	}{
		{"tail --status 4x", exitUsage, `"4x" is not a status`},
		{"tail --status abc", exitUsage, `"abc" is not a status`},
		{"tail --stage a,,b", exitUsage, "an empty value"},
		{"tail --gateway ftp://localhost", exitUsage, "is not the URL of a gateway's admin port"},
		{"tail --dance", exitUsage, "unknown flag --dance"},
		{"tail --gateway " + page.URL, exitFailure, "is it the admin port of a gateway?"},
		{"tail --gateway " + nobody.URL, exitFailure, "does not answer"},
	} {
		got := tool(t, nil, "", strings.Fields(tt.args)...)
		if got.code != tt.code || !strings.Contains(got.stderr, tt.stderr) || got.stdout != "" {
			t.Errorf("%s: %+v", tt.args, got)
		}
	}
}

// An admin port that speaks TLS, and wants certificates of clients, is watched like any
// other.
func TestTailTLS(t *testing.T) {
	t.Parallel()
	cert, key := selfSigned(t)
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer backend.Close()
	configuration := written(t, "gateway.yaml", "data: "+filled(t, backend.URL)+"\nadmin: {tls: {cert: "+cert+", key: "+key+", clientCA: "+cert+"}}\n")
	p := start(t, nil, "--config", configuration, "--open")
	gateway := strings.Replace(p.Admin, "127.0.0.1", "localhost", 1)
	if w := startTail(t, nil, gateway, "--ca", cert); w.wait() != exitFailure {
		t.Errorf("without a certificate: %s", w.status)
	}
	w := watch(t, nil, gateway, "--ca", cert, "--cert", cert, "--key", key, "--json")
	p.dial("/prod")
	w.await("the connection", ofKind("connect"))
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		t.Errorf("the gateway ends with %v:\n%s", err, p.log)
	}
	w.await("the end of the connection", ofKind("disconnect"))
	w.status.await(t, "the gateway has ended the stream")
	w.interrupt()
}
