//go:build unix

package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The configuration is read again on SIGHUP: some of it takes effect, the rest
// is told, and with a mistake nothing changes.
func TestServeReload(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "stagedoor.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("data: data\nlog: {level: info}\n")
	p := start(t, nil, "--config", file)
	write("data: data\nlog: {level: info}\nquotas: {apis: 7}\n")
	p.signal(syscall.SIGHUP)
	p.log.await(t, `"the change takes effect at the next restart","key":"quotas.apis"`)
	p.log.await(t, `"the configuration was read again"`)
	write("data: data\nlog: {level: loud}\n")
	p.signal(syscall.SIGHUP)
	p.log.await(t, "the configuration was not taken; what ran before goes on")
	p.log.await(t, "is none of debug, error, info, warn")
	write("data: data\nlog: {level: debug}\n")
	p.signal(syscall.SIGHUP)
	p.log.await(t, `"the change is in effect","key":"log.level"`)
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil || !strings.Contains(p.log.String(), `"level":"DEBUG"`) {
		t.Errorf("the program ended with %v, or tells nothing for debugging; its log:\n%s", err, p.log)
	}
}

func TestServeRefusals(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "wrong.yaml")
	if err := os.WriteFile(file, []byte("listn: :80\nlog:\n  level: loud\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		args   []string
		code   int
		stderr []string
	}{
		{[]string{"serve", "--config", file}, exitFailure, []string{file + ":1: listn: unknown key; did you mean listen?", file + ":3: log.level: ", "2 mistakes in the configuration"}},
		{[]string{"check", file}, exitFailure, []string{file + ":1: listn: unknown key; did you mean listen?", "2 mistakes in the configuration"}},
		{[]string{"serve", "--listen", "nowhere"}, exitFailure, []string{`--listen: "nowhere" is not an address`, "1 mistake in the configuration"}},
		{[]string{"serve", "--config", "/does/not/exist"}, exitFailure, []string{"no such file"}},
		{[]string{"serve", "--data", folder, "--listen", taken.Addr().String(), "--admin", "127.0.0.1:0"}, exitFailure, []string{"is in use by another program"}},
		{[]string{"serve", "--data", file, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, exitFailure, []string{"data directory"}},
		{[]string{"serve", "file.yaml"}, exitUsage, []string{"unexpected argument"}},
	}
	for _, tt := range tests {
		got := execute(t.Context(), strings.NewReader(""), tt.args...)
		if got.code != tt.code || got.stdout != "" {
			t.Errorf("%v: code %d, want %d; standard output %q", tt.args, got.code, tt.code, got.stdout)
		}
		for _, want := range tt.stderr {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("%v: %q is missing in:\n%s", tt.args, want, got.stderr)
			}
		}
	}
}

func TestCheckConfiguration(t *testing.T) {
	t.Parallel()
	file := written(t, "gateway.yaml", "region: eu-central-1\n")
	got := execute(t.Context(), strings.NewReader(""), "check", file)
	if got.code != exitOK || !strings.Contains(got.stdout, "a configuration without mistakes") {
		t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
}
