//go:build unix

package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

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
