//go:build linux

package main

import (
	"bytes"
	"errors"
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

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// A disk that is full while the gateway runs stops the control plane, which says
// so, and nothing else; with space it goes on by itself.
func TestServeDiskFull(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if os.Geteuid() != 0 {
		t.Skip("a file system of its own needs root")
	}
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a file system of its own cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer backend.Close()
	data := filepath.Join(disk, "data")
	if out, err := exec.Command("cp", "-r", filled(t, backend.URL), data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := start(t, nil, "--data", data, "--open")
	conn := p.dial("/prod")
	say := func(when string) {
		t.Helper()
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(when)); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if _, answer, err := conn.Read(t.Context()); err != nil || string(answer) != when {
			t.Errorf("%s: %s %v", when, answer, err)
		}
	}
	const api = `{"name":"a","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`
	create := func() (int, string) { return request(t, "POST", p.Admin+"/v2/apis", api) }
	if status, body := create(); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, bytes.Repeat([]byte{1}, 2<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk takes too much: %v", err)
	}
	// It is known before anybody writes.
	storeIs := func(text string) {
		t.Helper()
		gatewaytest.Eventually(t, func() error {
			status, body := request(t, "GET", p.Admin+"/readyz", "")
			if status != 200 || !strings.Contains(body, `"status":"ready"`) || !strings.Contains(body, text) {
				return fmt.Errorf("/readyz: %d %s, want %s", status, body, text)
			}
			return nil
		})
	}
	storeIs(`"store":"unavailable","storeError":"the configuration store does not answer: it takes no writes: the disk of ` + data)
	gatewaytest.Eventually(t, func() error {
		if status, body := create(); status != 503 || !strings.Contains(body, "The configuration store does not answer") {
			return fmt.Errorf("on a full disk: %d %s", status, body)
		}
		return nil
	})
	say("on a full disk")
	storeIs(`"store":"unavailable"`)
	p.log.await(t, "no space left on device")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Eventually(t, func() error {
		if status, body := create(); status != 201 {
			return fmt.Errorf("with space again: %d %s", status, body)
		}
		return nil
	})
	say("with space again")
	storeIs(`"store":"available"`)
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		t.Errorf("the program ended with %v; its log:\n%s", err, p.log)
	}
}
