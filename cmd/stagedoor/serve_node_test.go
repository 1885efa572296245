//go:build linux

package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// A gateway that was killed starts again with its number at once: it is not
// refused, and does not wait for a lease.
func TestServeNodeAfterKill(t *testing.T) {
	t.Parallel()
	n, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	n.Start()
	t.Cleanup(func() { n.Shutdown(); n.WaitForShutdown() })
	if !n.ReadyForConnections(timeout) {
		t.Fatal("the NATS server does not start")
	}
	file := written(t, "gateway.yaml", "node: 3\nnats: {url: \""+n.ClientURL()+"\"}\n")
	for range 3 {
		p := start(t, nil, "--config", file)
		p.log.await(t, `"msg":"the node has a number","node":3`)
		if strings.Contains(p.log.String(), "the start waits") {
			t.Errorf("it waited for a process that was killed:\n%s", p.log)
		}
		p.signal(syscall.SIGKILL)
		_ = p.wait()
	}
}
