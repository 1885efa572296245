//go:build unix

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/server"
)

// A service manager's watchdog hears of a gateway for as long as its parts have
// their turns: nothing while its accept loop is held up, and again afterwards.
func TestWatchdogGoesSilent(t *testing.T) { // not parallel: the manager's address is in the environment
	folder, err := os.MkdirTemp("", "sd") // the address of a socket has 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(folder, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	const interval = 200 * time.Millisecond
	t.Setenv("NOTIFY_SOCKET", manager.LocalAddr().String())
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt(interval.Microseconds(), 10))
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))

	log := &logFile{}
	service, err := newService(log)
	if err != nil {
		t.Fatal(err)
	}
	defer service.close()
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Config{
			Source:    config.Options{Environ: []string{"STAGEDOOR_ADMIN_LISTEN=127.0.0.1:0", "STAGEDOOR_DATA=" + t.TempDir()}},
			Listeners: map[string][]net.Listener{"public": {port}},
			Reporter:  &serveReporter{p: &process{stdout: log, stderr: log}, json: true, service: service},
			Log:       log,
		})
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	buffer := make([]byte, 1<<10)
	// told gives what the manager is told next, or "" where that is nothing.
	told := func(wait time.Duration) string {
		_ = manager.SetReadDeadline(time.Now().Add(wait))
		n, err := manager.Read(buffer)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		return string(buffer[:n])
	}
	expect := func(want string) {
		t.Helper()
		got := ""
		for end := time.Now().Add(timeout); got != want; got = told(time.Until(end)) {
			if time.Now().After(end) {
				t.Fatalf("%s was not told, last was %q; the log:\n%s", want, got, log)
			}
		}
	}
	expect("READY=1")
	expect("WATCHDOG=1")

	// Nothing is accepted after this time.
	holdUp := func(since time.Time) {
		t.Helper()
		if err := port.(*net.TCPListener).SetDeadline(since); err != nil {
			t.Fatal(err)
		}
	}
	holdUp(time.Now())
	const silent = "the watchdog is told nothing: the public port: a connection to"
	log.await(t, silent)
	for told(time.Millisecond) != "" { // what was sent before
	}
	before := strings.Count(log.String(), silent)
	gatewaytest.Eventually(t, func() error {
		if n := strings.Count(log.String(), silent); n < before+3 {
			return errors.New("the watchdog was not silent for three times yet")
		}
		return nil
	})
	if got := told(time.Millisecond); got != "" {
		t.Errorf("while the accept loop was held up, the manager was told %q", got)
	}
	holdUp(time.Time{})
	expect("WATCHDOG=1")
}
