package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// served is a running "stagedoor serve" on a folder of its own.
type served struct {
	t      *testing.T
	Public string // URL of the public port
	Admin  string // URL of the control plane
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

// serve runs "stagedoor serve" with a configuration and waits until it is
// ready. At the test's end it is interrupted and must leave well.
func serve(t *testing.T, configuration string, variables []string, flags ...string) *served {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "stagedoor.yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"serve", "--config", file, "--json", "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, flags...)
	g := &served{t: t, cmd: exec.Command(binary, args...)}
	g.cmd.Env = append(environment(), variables...)
	g.cmd.Stderr = &g.stderr
	stdout, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatalf("start stagedoor: %v", err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, g)
	}
	if err != nil || g.Admin == "" {
		_ = g.cmd.Process.Kill()
		_ = g.cmd.Wait()
		t.Fatalf("stagedoor is not ready: %v\n%s%s", err, line, g.stderr.String())
	}
	t.Cleanup(g.stop)
	return g
}

// stop interrupts the gateway, which must exit with 0.
func (g *served) stop() {
	_ = g.cmd.Process.Signal(os.Interrupt)
	late := time.AfterFunc(patience, func() { _ = g.cmd.Process.Kill() })
	defer late.Stop()
	if err := g.cmd.Wait(); err != nil {
		g.t.Errorf("stagedoor ended with %v", err)
	}
	if g.t.Failed() {
		g.t.Logf("log of stagedoor:\n%s", g.stderr.String())
	}
}

// dial connects to a stage. The status is that of the handshake.
func (g *served) dial(apiID, stage, query string) (*client, int) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	url := strings.Replace(g.Public, "http", "ws", 1) + "/_aws/execute-api/" + apiID + "/" + stage + query
	conn, response, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	if response == nil {
		g.t.Fatalf("dial: %v", err)
	}
	if err != nil {
		return nil, response.StatusCode
	}
	g.t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{Conn: conn, t: g.t}, response.StatusCode
}
