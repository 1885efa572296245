//go:build linux

package eventloop

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds every wait for something that must happen.
const patience = time.Minute

func newLoop(t testing.TB) *Loop {
	t.Helper()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// on runs a function on the loop, and waits for it.
func on(t testing.TB, l *Loop, f func()) {
	t.Helper()
	done := make(chan struct{})
	if !l.Post(func() { f(); close(done) }) {
		t.Fatal("the loop is closed")
	}
	await(t, "what was posted", done)
}

func await[T any](t testing.TB, what string, c <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-c:
	case <-time.After(patience):
		t.Fatalf("%s: not in time", what)
	}
	return got
}

// pair is both ends of a connection that doesn't block.
func pair(t testing.TB) (ours, theirs int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fds[0], fds[1]
}

func write(t testing.TB, fd int, text string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(text)); err != nil || n != len(text) {
		t.Fatalf("wrote %d bytes: %v", n, err)
	}
}

// watcher hands on what it is told.
type watcher chan Events

func (w watcher) Ready(e Events) { w <- e }

// awaitEvents waits until all of some events have come.
func (w watcher) await(t testing.TB, what string, wanted Events) {
	t.Helper()
	for seen := Events(0); seen&wanted != wanted; {
		seen |= await(t, what, w)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	l := newLoop(t)
	ours, theirs := pair(t)
	defer unix.Close(ours)
	w := make(watcher, 100)
	watch, err := l.Watch(ours, w)
	if err != nil {
		t.Fatal(err)
	}
	w.await(t, "writable at once", Writable)
	write(t, theirs, "a")
	w.await(t, "a byte", Readable)
	write(t, theirs, "b")
	w.await(t, "a byte behind one that was not read", Readable)
	if err := l.Again(ours, watch); err != nil {
		t.Fatal(err)
	}
	w.await(t, "the same again", Readable|Writable)
	unix.Close(theirs)
	w.await(t, "the end", HungUp&0x2000)
	l.Unwatch(ours, watch)
	l.Unwatch(ours, watch) // does nothing
	l.Unwatch(ours, Watch{})
	if err := l.Again(ours, watch); err == nil {
		t.Error("a socket that is not watched can be watched again")
	}
	if _, err := l.Watch(-1, w); !errors.Is(err, unix.EBADF) {
		t.Errorf("watching no socket: %v", err)
	}
}

// funcWatcher is a Watcher that is a function.
type funcWatcher func(Events)

func (f funcWatcher) Ready(e Events) { f(e) }

// An event that was taken from the kernel with others is not told to who watches the same descriptor next.
func TestLateEventReachesNobody(t *testing.T) {
	t.Parallel()
	l := newLoop(t)
	const sockets = 20
	var fds [sockets]int
	for i := range fds {
		ours, theirs := pair(t)
		defer unix.Close(ours)
		defer unix.Close(theirs)
		fds[i] = ours
	}
	done := make(chan struct{}) // all successors have been told of their own events
	on(t, l, func() {
		var watches [sockets]Watch
		told := 0
		successor := func(Events) {
			if told++; told == sockets {
				close(done)
			}
		}
		replaced := false
		for i, fd := range fds {
			watches[i], _ = l.Watch(fd, funcWatcher(func(Events) {
				if replaced {
					t.Error("an event came for a socket that is not watched any more")
					return
				}
				// The first of a batch has all replaced, whose events were taken from the kernel with its own.
				replaced = true
				for j, fd := range fds {
					l.Unwatch(fd, watches[j])
					if _, err := l.Watch(fd, funcWatcher(successor)); err != nil {
						t.Error(err)
					}
				}
			}))
		}
	})
	await(t, "the successors' events", done)
}

// What is posted from anywhere is run in order, and the loop is not left asleep.
func TestPost(t *testing.T) {
	t.Parallel()
	l := newLoop(t)
	const posters, each = 8, 2000
	last := make([]int, posters)
	var all sync.WaitGroup
	all.Add(posters * each)
	for p := range posters {
		go func() {
			for i := 1; i <= each; i++ {
				l.Post(func() {
					if last[p] != i-1 {
						t.Errorf("poster %d: %d ran after %d", p, i, last[p])
					}
					last[p] = i
					all.Done()
				})
				if i%10 == 0 { // the loop falls asleep between
					on(t, l, func() {})
				}
			}
		}()
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	await(t, "all posts", done)

	nested := make(chan struct{})
	l.Post(func() { l.Post(func() { close(nested) }) })
	await(t, "a post of a post", nested)
}

// timed counts how often its timer was due.
type timed struct {
	timer   Timer
	expired chan time.Time
	after   func()
}

func (t *timed) Expired(timer *Timer) {
	if timer.Running() {
		panic("a timer that is due runs")
	}
	if t.after != nil {
		t.after()
	}
	t.expired <- time.Now()
}

func TestTimer(t *testing.T) {
	t.Parallel()
	l := newLoop(t)
	start := func(o *timed, d time.Duration) {
		on(t, l, func() { l.StartTimer(&o.timer, d, o) })
	}
	short, long := &timed{expired: make(chan time.Time, 10)}, &timed{expired: make(chan time.Time, 10)}
	start(long, time.Hour)
	start(short, 30*time.Millisecond) // before the one that the loop is set for
	await(t, "the short timer", short.expired)
	start(short, 0)
	await(t, "a timer that is due at once", short.expired)
	start(short, time.Hour)
	began := time.Now()
	start(short, 3*time.Second) // anew, and over the lowest level of the wheel
	if d := await(t, "the timer that was started anew", short.expired).Sub(began); d < 3*time.Second-Tick {
		t.Errorf("due after %s", d)
	}
	on(t, l, func() {
		if !long.timer.Running() || short.timer.Running() {
			t.Errorf("long runs: %t, short: %t", long.timer.Running(), short.timer.Running())
		}
		l.StopTimer(&long.timer)
		l.StopTimer(&long.timer) // does nothing
		if long.timer.Running() {
			t.Error("a timer that was stopped runs")
		}
	})

	// One of two that are due together stops the other, and starts itself.
	a, b := &timed{expired: make(chan time.Time, 10)}, &timed{expired: make(chan time.Time, 10)}
	var ran int
	one := func(self, other *timed) func() {
		return func() {
			if ran++; ran == 1 {
				l.StopTimer(&other.timer)
				l.StartTimer(&self.timer, 0, self)
			}
		}
	}
	a.after, b.after = one(a, b), one(b, a)
	on(t, l, func() {
		l.StartTimer(&a.timer, Tick, a)
		l.StartTimer(&b.timer, Tick, b)
	})
	for range 2 {
		select {
		case <-a.expired:
		case <-b.expired:
		case <-time.After(patience):
			t.Fatal("not in time")
		}
	}
	on(t, l, func() {
		if ran != 2 || !l.timers.Empty() {
			t.Errorf("%d came due, timers are left: %t", ran, !l.timers.Empty())
		}
	})
}

// Posts and timers wake the loop by the same means, and neither loses the other.
func TestTimersAmongPosts(t *testing.T) {
	t.Parallel()
	l := newLoop(t)
	o := &timed{expired: make(chan time.Time, 1)}
	stop := make(chan struct{})
	var posters sync.WaitGroup
	for range 4 {
		posters.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = l.Ask(t.Context())
				}
			}
		})
	}
	for range 20 {
		on(t, l, func() { l.StartTimer(&o.timer, 2*Tick, o) })
		await(t, "the timer", o.expired)
	}
	close(stop)
	posters.Wait()
}

func TestClose(t *testing.T) {
	t.Parallel()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := pair(t)
	defer unix.Close(ours)
	defer unix.Close(theirs)
	watch, _ := l.Watch(ours, funcWatcher(func(Events) {}))
	entered, leave := make(chan struct{}), make(chan struct{})
	l.Post(func() { close(entered); <-leave })
	<-entered
	ran := false
	l.Post(func() {
		ran = true
		l.Post(func() {}) // either way
	})
	if err := l.Ask(canceled()); !errors.Is(err, context.Canceled) {
		t.Errorf("a loop that is busy answers: %v", err)
	}
	closed := make(chan struct{})
	go func() { l.Close(); close(closed) }()
	close(leave)
	await(t, "Close", closed)
	if !ran {
		t.Error("what was posted before Close was not run")
	}
	if l.Post(func() { t.Error("run after Close") }) {
		t.Error("posted after Close")
	}
	if err := l.Ask(t.Context()); err != nil {
		t.Errorf("a closed loop: %v", err)
	}
	l.Unwatch(ours, watch)
	if _, err := l.Watch(ours, funcWatcher(func(Events) {})); !errors.Is(err, os.ErrClosed) {
		t.Errorf("watching after Close: %v", err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// Neither events nor timers nor the posting of a function that is at hand allocate.
func TestNoAllocations(t *testing.T) {
	l := newLoop(t)
	ours, theirs := pair(t)
	defer unix.Close(ours)
	defer unix.Close(theirs)
	turns := make(chan struct{}, 1)
	o := &timed{}
	read := func(Events) {
		if n, _ := unix.Read(ours, l.Buffer()); n > 0 {
			l.StartTimer(&o.timer, time.Hour, o)
			turns <- struct{}{}
		}
	}
	if _, err := l.Watch(ours, funcWatcher(read)); err != nil {
		t.Fatal(err)
	}
	posted := func() { turns <- struct{}{} }
	one := []byte("a")
	allocations := testing.AllocsPerRun(1000, func() {
		_, _ = unix.Write(theirs, one)
		<-turns
		l.Post(posted)
		<-turns
	})
	if allocations > 0 {
		t.Errorf("%.2f allocations for an event and a post", allocations)
	}
}

func BenchmarkPost(b *testing.B) {
	l := newLoop(b)
	done := make(chan struct{}, 1)
	f := func() { done <- struct{}{} }
	b.ReportAllocs()
	for b.Loop() {
		l.Post(f)
		<-done
	}
}
