//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/store"
)

// logging makes a data folder with an API that echoes, whose stage has execution logs.
func logging(t *testing.T) string {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	t.Cleanup(backend.Close)
	folder := filled(t, backend.URL)
	opened, err := store.Open(t.Context(), store.Options{Dir: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	stages := store.NewConfiguration(opened, nil).Stages
	stage, revision, err := stages.Get(t.Context(), "testapi123", "prod")
	if err != nil {
		t.Fatal(err)
	}
	stage.DefaultRouteSettings = &apigw.RouteSettings{LoggingLevel: "INFO"}
	if _, err := stages.Put(t.Context(), stage, revision); err != nil {
		t.Fatal(err)
	}
	return folder
}

// Whoever rotates a log renames it and sends SIGHUP; the file of the old name is there
// then, and gets the lines from now on. None is lost.
func TestServeLogFileIsRotated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "execution.log")
	p := start(t, func(c *exec.Cmd) { c.Env = append(c.Env, "STAGEDOOR_LOGS_EXECUTION_FILE="+path) }, "--open", "--data", logging(t))
	conn := p.dial("/prod")
	has := func(file string, messages int) {
		t.Helper()
		gatewaytest.Eventually(t, func() error {
			text, err := os.ReadFile(file)
			if got := strings.Count(string(text), "with response status code [200]"); got != messages {
				return fmt.Errorf("%s has %d messages (%w):\n%s", file, got, err, text)
			}
			return nil
		})
	}
	gatewaytest.Ask(t, conn, "first")
	has(path, 1)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.log.await(t, "the configuration was read again")
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	for range 10 {
		gatewaytest.Ask(t, conn, "second")
	}
	has(path, 10)
	has(path+".1", 1)
}

// Standard output whose reader has gone ends no gateway: the lines are dropped.
func TestServeOutlivesReader(t *testing.T) {
	t.Parallel()
	stdout, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	p := &program{t: t, log: &logFile{}, exited: make(chan error, 1)}
	p.command = exec.Command(os.Args[0], "serve", "--json", "--open", "--data", logging(t))
	p.command.Env = append(os.Environ(), asProgram+"=1", "STAGEDOOR_LISTEN=127.0.0.1:0", "STAGEDOOR_ADMIN_LISTEN=127.0.0.1:0", "STAGEDOOR_LOGS_EXECUTION_STDOUT=true")
	p.command.Stdout, p.command.Stderr = end, p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	end.Close()
	go func() { p.exited <- p.command.Wait() }()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		p.wait()
	})
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), p) != nil {
		t.Fatalf("no ready line: %q; the log:\n%s", lines.Text(), p.log)
	}
	conn := p.dial("/prod")
	gatewaytest.Ask(t, conn, "first")
	if !lines.Scan() || !strings.Contains(lines.Text(), "Z (") {
		t.Errorf("the line %q", lines.Text())
	}
	stdout.Close()
	gatewaytest.Ask(t, conn, "second")
	p.log.await(t, "broken pipe")
	gatewaytest.Ask(t, conn, "third")
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	p.log.await(t, "log lines were dropped")
}
