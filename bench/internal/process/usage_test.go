//go:build linux

package process

import (
	"os"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const line = "42 (a (b) c) S 1 42 42 0 -1 4194304 100 0 0 0 150 25 7 8 20 0 9 0 100 1 2 3\n"
	if own, waited, err := parseStat([]byte(line)); err != nil || own != 1750*time.Millisecond || waited != 150*time.Millisecond {
		t.Errorf("%v, %v, %v", own, waited, err)
	}
	for _, bad := range []string{"", "42 (a) S 1 2", "42 (a) S 1 42 42 0 -1 4194304 100 0 0 0 x 25 7 8", "42 (a) S 1 42 42 0 -1 4194304 100 0 0 0 1 y 7 8", "42 (a) S 1 42 42 0 -1 4194304 100 0 0 0 1 2 7"} {
		if own, waited, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q gives %v and %v", bad, own, waited)
		}
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	const text = "Name:\tx\nVmRSS:\t  9000 kB\nRssAnon:\t    1234 kB\nRssFile:\t 1 kB\n"
	if got, err := parseStatus([]byte(text), "RssAnon:"); err != nil || got != 1234<<10 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "RssAnon:\tmuch kB\n"} {
		if got, err := parseStatus([]byte(bad), "RssAnon:"); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}

// What the kernel really says is understood.
func TestOwnUsage(t *testing.T) {
	t.Parallel()
	if _, err := ProcessorTime(os.Getpid()); err != nil {
		t.Error(err)
	}
	if n, err := Memory(os.Getpid()); err != nil || n < 1<<16 {
		t.Errorf("%d bytes, %v", n, err)
	}
}
