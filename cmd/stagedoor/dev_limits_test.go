package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/dev"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// What flags say of connections takes the place of the defaults.
func TestDevLimitFlags(t *testing.T) {
	t.Parallel()
	got := usage.DefaultConnection
	if err := new(limitFlags).set(&got); err != nil || got != usage.DefaultConnection {
		t.Errorf("without flags: %+v, %v", got, err)
	}
	err := (&limitFlags{Idle: "1h", Lifetime: "none", Frame: "64KiB", Message: "4096", Ping: "none"}).set(&got)
	want := dev.ConnectionLimits{Idle: time.Hour, Frame: 64 << 10, Message: 4096}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for flag, message := range map[string]string{
		"--idle=5":     "--idle: 5 has no unit; write 5s for seconds, or none",
		"--lifetime=x": "--lifetime: \"x\" is not a duration such as 500ms, 30s or 1h30m, or none",
		"--ping=1":     "--ping: 1 has no unit",
		"--frame=64kb": "--frame: \"64kb\" is not a number of bytes such as 4096, 64KiB or 1MiB, or none",
		"--message=0":  "--message: 0 is not between 1 and 1073741824 bytes, or none",
	} {
		if got := execute(t.Context(), strings.NewReader(""), "dev", flag); got.code != exitUsage || !strings.Contains(got.stderr, message) {
			t.Errorf("%s: code %d, %s", flag, got.code, got.stderr)
		}
	}
}
