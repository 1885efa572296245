//go:build unix

package main

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

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
