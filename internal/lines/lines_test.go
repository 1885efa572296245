package lines

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// output keeps what is written to it. While hold is full it stands still.
type output struct {
	hold   chan struct{}
	mu     sync.Mutex
	writes []string
	err    error
}

func newOutput(err error) *output { return &output{hold: make(chan struct{}, 1), err: err} }

func (o *output) Write(text []byte) (int, error) {
	o.hold <- struct{}{}
	defer func() { <-o.hold }()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes = append(o.writes, string(text))
	return len(text), o.err
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.writes, "")
}

// Lines that come together are written together, in their order; one alone is written
// after the delay.
func TestTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := newOutput(nil)
		w := New(out, Options{Limit: 1 << 20, Delay: 10 * time.Millisecond})
		for n := range 100 {
			fmt.Fprintln(w, n)
		}
		if got := out.text(); got != "" {
			t.Errorf("%q was written before the delay", got)
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if len(out.writes) != 1 || !strings.HasPrefix(out.text(), "0\n1\n2\n") {
			t.Errorf("%d writes: %.20q", len(out.writes), out.text())
		}
		fmt.Fprintln(w, strings.Repeat("x", together)) // enough for a write of its own
		synctest.Wait()
		if len(out.writes) != 2 {
			t.Errorf("%d writes", len(out.writes))
		}
		fmt.Fprintln(w, "last")
		w.Close()
		if !strings.HasSuffix(out.text(), "last\n") {
			t.Error("the last line is missing")
		}
	})
}

// An output that stands still holds up nobody. Of what is written meanwhile so many bytes
// are kept, and it is told how many lines were lost.
func TestStandingStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 10_000
		out := newOutput(nil)
		lost := 0
		var w *Writer
		w = New(out, Options{Limit: limit, Lost: func(n int) {
			lost += n
			fmt.Fprintln(w, "some were lost")
		}})
		out.hold <- struct{}{}
		const written = 5000
		for n := range written {
			fmt.Fprintf(w, "%08d\n", n)
			if n == 0 {
				synctest.Wait() // it is being written
			}
			if len(w.waiting) > limit {
				t.Fatalf("%d bytes wait", len(w.waiting))
			}
		}
		<-out.hold
		synctest.Wait()
		time.Sleep(time.Second)
		w.Close()
		kept := strings.Count(out.text(), "\n") - 1
		if kept != 1+limit/9 || kept+lost != written || !strings.HasSuffix(out.text(), "some were lost\n") {
			t.Errorf("%d lines are kept, %d lost, of %d; the last is %q", kept, lost, written, out.writes[len(out.writes)-1])
		}
	})
}

// Close waits for an output that stands still, but not for ever.
func TestCloseWhileStandingStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := newOutput(nil)
		w := New(out, Options{Limit: 1 << 20})
		out.hold <- struct{}{}
		fmt.Fprintln(w, "first")
		began := time.Now()
		w.Close()
		if took := time.Since(began); took != closeTime {
			t.Errorf("Close took %v", took)
		}
		<-out.hold
		synctest.Wait()
		if out.text() != "first\n" {
			t.Errorf("%q was written", out.text())
		}
	})
}

// Who nobody reads any more is told so.
func TestUnread(t *testing.T) {
	t.Parallel()
	for _, err := range []error{syscall.EPIPE, errors.New("another")} {
		synctest.Test(t, func(t *testing.T) {
			unread := 0
			w := New(newOutput(err), Options{Limit: 1 << 20, Unread: func() { unread++ }})
			fmt.Fprintln(w, "line")
			w.Close()
			if (unread > 0) != errors.Is(err, syscall.EPIPE) {
				t.Errorf("%v: called %d times", err, unread)
			}
		})
	}
}

// A writer keeps two buffers for the next lines: never a very large one, and a large one
// while there is that much to write. One of many keeps none.
func TestBuffers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		oneOfMany   bool
		writes      []int // bytes
		least, most int   // bytes that are kept
	}{
		"a few lines":        {false, []int{1000, 1000}, 2000, 3000},
		"many lines":         {false, []int{1 << 19, 1 << 19}, 1 << 20, 2 * mostKept},
		"a burst":            {false, []int{2 * mostKept, 2 * mostKept}, 0, 0},
		"many, then a few":   {false, []int{1 << 19, 1 << 19, 1000, 1000}, 0, 3000},
		"a few, one of many": {true, []int{1000, 1000}, 0, 0},
		"a lot, one of many": {true, []int{1 << 19, 1 << 19}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := New(newOutput(nil), Options{Limit: 4 * mostKept, OneOfMany: test.oneOfMany})
				defer w.Close()
				for _, size := range test.writes {
					fmt.Fprintln(w, strings.Repeat("x", size))
					synctest.Wait()
					time.Sleep(time.Millisecond)
				}
				spare := <-w.spares
				w.spares <- spare
				if kept := cap(spare) + cap(w.waiting); kept < test.least || kept > test.most {
					t.Errorf("%d bytes are kept", kept)
				}
			})
		})
	}
}

// A line may come in two parts. Those that are too much are counted at once, and those that
// come after the end are lost.
func TestWriteLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := newOutput(nil)
		w := New(out, Options{Limit: 20, Delay: time.Second})
		w.WriteLine([]byte("head "), []byte("first"))
		w.WriteLine(nil, []byte("second"))
		w.WriteLine([]byte("head "), []byte("third"))
		fmt.Fprint(w, "fourth\nfifth\n")
		if got := w.Lost(); got != 3 {
			t.Errorf("%d lines are lost", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if !w.CloseWithin(ctx) || out.text() != "head first\nsecond\n" {
			t.Errorf("%q was written", out.text())
		}
		w.WriteLine(nil, []byte("late"))
		time.Sleep(time.Minute)
		if strings.Contains(out.text(), "late") {
			t.Error("a line was written after the end")
		}
	})
}

// Whoever closes says how long an output that stands still is waited for.
func TestCloseWithin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := newOutput(nil)
		w := New(out, Options{Limit: 20})
		out.hold <- struct{}{}
		w.WriteLine(nil, []byte("first"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if w.CloseWithin(ctx) || time.Since(began) != time.Minute {
			t.Errorf("it returned after %v", time.Since(began))
		}
		<-out.hold
	})
}
