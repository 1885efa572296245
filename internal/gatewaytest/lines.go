package gatewaytest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stagedoor/stagedoor/internal/logsink"
)

// Lines is a logsink.Sink that keeps the lines.
type Lines struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

// Write implements logsink.Sink.
func (l *Lines) Write(e logsink.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(e.Line))
}

// Wait waits for the n-th line, counted from 1, and returns it. There must be no more
// lines than that.
func (l *Lines) Wait(t testing.TB, n int) string {
	t.Helper()
	var lines []string
	Eventually(t, func() error {
		l.mu.Lock()
		lines = l.lines[:len(l.lines):len(l.lines)]
		l.mu.Unlock()
		if len(lines) < n {
			return fmt.Errorf("%d lines, want %d: %q", len(lines), n, lines)
		}
		return nil
	})
	if len(lines) > n {
		t.Fatalf("%d lines, want %d: %q", len(lines), n, lines)
	}
	return lines[n-1]
}

// Take waits for n lines, and takes them away. There must be no more lines than that.
func (l *Lines) Take(t testing.TB, n int) []string {
	t.Helper()
	l.Wait(t, n)
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}
