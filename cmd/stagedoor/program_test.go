//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/outputtest"
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
type logFile struct{ outputtest.Buffer }

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
