//go:build linux

package clock

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program prints, for each line that it reads, its wall clock and how much of its
// monotonic time is over, in nanoseconds.
const program = `package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

func main() {
	began := time.Now()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(time.Now().UnixNano(), int64(time.Since(began)))
	}
}
`

// A program that runs has its wall clock put forward and back, and what it measures
// is as it was.
func TestOverlay(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	overlay, err := Overlay(folder)
	if err != nil {
		t.Fatal(err)
	}
	source, binary := filepath.Join(folder, "main.go"), filepath.Join(folder, "program")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-overlay", overlay, "-o", binary, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	c, err := New(folder, "clock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ask := start(t, binary, c.Env())
	began := time.Now()
	ask()
	for _, ahead := range []time.Duration{
		0, time.Nanosecond, 1500 * time.Millisecond, 48 * time.Hour, -time.Nanosecond, -1500 * time.Millisecond, -9000 * time.Hour, 0,
	} {
		c.Set(ahead)
		before := c.Now()
		now, measured := ask()
		if after := c.Now(); now.Before(before) || now.After(after) {
			t.Errorf("%v ahead: the program's clock is at %v, not from %v to %v", ahead, now, before, after)
		}
		if measured < 0 || measured > time.Since(began)+time.Minute {
			t.Errorf("%v ahead: the program measured %v of %v", ahead, measured, time.Since(began))
		}
	}
	if now, _ := start(t, binary, "NONE=")(); time.Since(now).Abs() > time.Hour {
		t.Errorf("without a clock: %v", now)
	}
}

// start runs the program, and gives how to ask it for its times.
func start(t *testing.T, binary, env string) func() (time.Time, time.Duration) {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary)
	command.Env = append(os.Environ(), env)
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := command.Wait(); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	answers := bufio.NewReader(out)
	return func() (time.Time, time.Duration) {
		t.Helper()
		var now, measured int64
		_, err := io.WriteString(in, "\n")
		if err == nil {
			_, err = fmt.Fscanln(answers, &now, &measured)
		}
		if err != nil {
			t.Fatal(err)
		}
		return time.Unix(0, now), time.Duration(measured)
	}
}

// A source that is not as it is known is refused, with the reason.
func TestPatch(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"package time\n":                             "in 0 places",
		reading + "other\n" + reading:                "in 2 places",
		strings.ReplaceAll(reading, "nsec", "nanos"): "in 0 places",
	} {
		if got, err := patch(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v; want an error with %q", text, got, err, want)
		}
	}
	if got, err := patch("a\n" + reading + "b\n"); err != nil || got != "a\n"+shifting+"b\n" {
		t.Errorf("%q, %v", got, err)
	}
}
