//go:build linux

package peers

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

const centrifugo = "v6.9.1"

// installCentrifugo builds it from the modules that its go.mod names.
func installCentrifugo(ctx context.Context, folder string) (string, error) {
	program := filepath.Join(folder, centrifugo, "centrifugo")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	fmt.Println("Building Centrifugo", centrifugo)
	env := []string{"GOBIN=" + filepath.Dir(program), "GOFLAGS="}
	return program, command(ctx, folder, env, "go", "install", "-trimpath", "-ldflags=-s -w", "github.com/centrifugal/centrifugo/v6@"+centrifugo)
}

// startCentrifugo runs it with its RPC proxy: a client calls a method, which is a
// POST request to the backend. Its messages are in an envelope, and so is what it
// asks of the backend.
func startCentrifugo(ctx context.Context, r *run) (rounds.System, error) {
	host, port, err := net.SplitHostPort(r.address)
	if err != nil {
		return rounds.System{}, err
	}
	configuration := filepath.Join(r.Folder, "centrifugo.json")
	text := fmt.Sprintf(`{
  "http_server": {"address": %q, "port": %q},
  "client": {"insecure": true},
  "rpc": {
    "proxy": {"endpoint": "http://%s/centrifugo"},
    "without_namespace": {"proxy_enabled": true, "proxy_name": "default"}
  },
  "log": {"level": "error"}
}`, host, port, r.backend)
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		return rounds.System{}, err
	}
	p, err := r.Start(ctx, process.Spec{Name: "centrifugo", Command: []string{r.program, "--config", configuration}, Address: r.address})
	if err != nil {
		return rounds.System{}, err
	}
	call := fmt.Sprintf(`{"id":2,"rpc":{"method":"call","data":%s}}`, r.message)
	answer := fmt.Sprintf(`{"id":2,"rpc":{"data":%s}}`, r.message)
	protocol := load.NewWebSocket(r.address, "/connection/websocket", []byte(call)).AnsweredBy([]byte(answer)).Greeting([]byte(`{"id":1,"connect":{}}`))
	return rounds.System{Name: "Centrifugo " + centrifugo[1:], Process: p, Protocol: protocol}, nil
}
