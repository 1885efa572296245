package logsink

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagedoor/stagedoor/internal/outputtest"
)

// outlet is standard output that stands still while hold is full, and fails by err.
type outlet struct {
	outputtest.Buffer
	hold chan struct{}
	err  atomic.Pointer[error]
}

func newOutlet() *outlet { return &outlet{hold: make(chan struct{}, 1)} }

func (o *outlet) Write(text []byte) (int, error) {
	o.hold <- struct{}{}
	defer func() { <-o.hold }()
	if err := o.err.Load(); err != nil {
		n, _ := o.Buffer.Write(text[:len(text)/2])
		return n, *err
	}
	return o.Buffer.Write(text)
}

// An output that stands still holds up nobody. It is told once, what is too much is
// dropped, and what was kept is written when it takes lines again.
func TestStandingStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := newOutlet()
		out.hold <- struct{}{}
		l := open(t, Options{Stdout: out, Access: everything(Place{Stdout: true})})
		l.sinks["stdout"].budget.limit = 100
		sink := l.Access(chatARN)
		for range 30 {
			write(sink, "123456789")
		}
		if n := l.dropped("stdout"); n != 20 {
			t.Errorf("%d were dropped", n)
		}
		time.Sleep(10 * time.Minute)
		if l.told("log lines cannot be written") != 1 || l.told("it stands still") != 1 {
			t.Errorf("the log has\n%s", l.own)
		}
		<-out.hold
		synctest.Wait()
		if got := strings.Count(out.String(), "123456789\n"); got != 10 || l.told("written again\" sink=stdout dropped=0") != 1 {
			t.Errorf("%d lines; the log has\n%s", got, l.own)
		}
		write(sink, "room again")
		l.Close()
		if !strings.HasSuffix(out.String(), "\nroom again\n") {
			t.Error("the last line is missing")
		}
	})
}

// A burst that is too much for an output that works is told, but not each time.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := open(t, Options{Stdout: newOutlet(), Access: everything(Place{Stdout: true})})
		l.sinks["stdout"].budget.limit = 100
		sink := l.Access(chatARN)
		for range 20 {
			for range 15 {
				write(sink, "123456789")
			}
			time.Sleep(10 * time.Second)
		}
		if n := l.dropped("stdout"); n != 100 || l.told("more came than could be written") != 4 {
			t.Errorf("%d were dropped; the log has\n%s", n, l.own)
		}
		l.Close()
		if l.told("dropped=5 ") != 0 || l.told("dropped=") != 5 {
			t.Errorf("the log has\n%s", l.own)
		}
	})
}

// What was written in part goes on where it ended. One failure is no trouble.
func TestHalfWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := newOutlet()
		out.err.Store(new(errors.New("no space left on device")))
		l := open(t, Options{Stdout: out, Access: everything(Place{Stdout: true})})
		write(l.Access(chatARN), "first", "second")
		time.Sleep(localDelay + firstBackoff/2)
		synctest.Wait()
		out.err.Store(nil)
		time.Sleep(firstBackoff)
		synctest.Wait()
		if out.String() != "first\nsecond\n" || l.own.String() != "" {
			t.Errorf("%q; the log has\n%s", out.String(), l.own)
		}
	})
}

// The end waits neither for an output that fails nor for one that stands still, and lines
// that are lost by it are told. One that works again just then gets them.
func TestEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(*outlet)
		takes   time.Duration
		told    string
	}{
		"failing":        {func(o *outlet) { o.err.Store(new(errors.New("broken"))) }, flushTime, `"log lines were dropped" sink=stdout dropped=1`},
		"standing still": {func(o *outlet) { o.hold <- struct{}{} }, flushTime + endTime, `"log lines are lost: until the end they could not be written" sink=stdout`},
		"working again":  {func(*outlet) {}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				out := newOutlet()
				out.err.Store(new(errors.New("broken")))
				l := open(t, Options{Stdout: out, Access: everything(Place{Stdout: true})})
				write(l.Access(chatARN), "first", "second")
				time.Sleep(time.Minute) // it waits for the next attempt
				synctest.Wait()
				out.err.Store(nil)
				test.prepare(out)
				began := time.Now()
				l.Close()
				if took := time.Since(began); took != test.takes {
					t.Errorf("the end took %v", took)
				}
				if l.told(test.told) == 0 {
					t.Errorf("the log has\n%s", l.own)
				}
				if test.takes == 0 && !strings.HasSuffix(out.String(), "second\n") {
					t.Errorf("%q", out.String())
				}
				if len(out.hold) > 0 {
					<-out.hold
				}
			})
		})
	}
}

// A line takes no memory of its own.
func TestWriteAllocatesNothing(t *testing.T) {
	out := newOutlet()
	l := open(t, Options{Stdout: out, Access: everything(Place{Stdout: true}), Execution: Place{Stdout: true}})
	line := []byte(strings.Repeat("x", 200))
	for name, sink := range map[string]Sink{"access": l.Access(chatARN), "execution": l.Execution("a1", "prod")} {
		sink.Write(Entry{noon, line})
		if n := testing.AllocsPerRun(1000, func() { sink.Write(Entry{noon, line}) }); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	l := Open(Options{Stdout: nowhere{}, Access: everything(Place{Stdout: true}), Execution: Place{Stdout: true}})
	defer l.Close()
	line := []byte(strings.Repeat("x", 200))
	for name, sink := range map[string]Sink{"access": l.Access(chatARN), "execution": l.Execution("a1", "prod")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink.Write(Entry{noon, line})
			}
		})
	}
}

// nowhere takes everything.
type nowhere struct{}

func (nowhere) Write(text []byte) (int, error) { return len(text), nil }
