package eventloop

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// watchedEvents is what every socket is registered for, once: edges only, so that neither pausing nor waiting for room
// to write needs a system call.
const watchedEvents = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET

// batch is how many events are taken at a time.
const batch = 256

// Loop is an event loop: a goroutine that watches sockets, from New until Close. Methods may be called from any goroutine
// unless they say that they belong on the loop.
type Loop struct {
	poll *os.File // epoll, watched by Go's poller itself, so that waiting blocks no thread
	raw  syscall.RawConn
	done chan struct{} // closed when the goroutine has ended
	table

	registering sync.Mutex // guards what follows, and is held while epoll is told
	fd          int        // of epoll; -1 after Close

	// Of the goroutine:
	buffer []byte
	events [batch]unix.EpollEvent
	start  time.Time
	now    int64 // nanoseconds since start, when the turn began
	timers Wheel[*Timer]
	wake   int64 // the tick that the loop is woken at; 0: it is not
	rearm  bool  // wake is to be set anew
	spare  []func()

	posting sync.Mutex // guards what follows
	posted  []func()
	awake   bool // the loop looks at posted before it waits again
	closed  bool // nothing is posted any more
}

// New starts a loop. The error is that of the system.
func New() (*Loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// NewFile hands a descriptor to Go's poller only if it doesn't block.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	poll := os.NewFile(uintptr(fd), "epoll")
	raw, err := poll.SyscallConn()
	if err == nil {
		err = poll.SetReadDeadline(time.Time{}) // by deadlines the loop is woken
	}
	if err != nil {
		poll.Close()
		return nil, err
	}
	l := &Loop{
		poll: poll, raw: raw, fd: fd, done: make(chan struct{}),
		buffer: make([]byte, BufferSize), start: time.Now().Add(-Tick), // so that no tick is 0
	}
	go l.run()
	return l, nil
}

// Close ends the loop and waits until it has ended. What was posted before is run; timers come due no more, and nothing is
// watched any more. The sockets stay open. It must not be called on the loop.
func (l *Loop) Close() {
	l.posting.Lock()
	l.closed = true
	l.posting.Unlock()
	l.registering.Lock()
	l.fd = -1 // the number may soon be another's
	l.registering.Unlock()
	l.poll.Close()
	<-l.done
}

// Buffer is for what is read on the loop. It belongs to the function that runs there, until that returns or calls
// something that may use it as well.
func (l *Loop) Buffer() []byte { return l.buffer }

// Watch has the loop watch a socket, which doesn't block, until Unwatch. What is there already counts as an event. Ready
// may be called before Watch has returned, unless that is called on the loop. The error is that of the system.
func (l *Loop) Watch(fd int, w Watcher) (Watch, error) {
	watch := l.add(w)
	if err := l.control(unix.EPOLL_CTL_ADD, fd, watch); err != nil {
		l.remove(watch)
		return Watch{}, err
	}
	return watch, nil
}

// Again has the loop call Ready for all events that hold, as if they had just come.
func (l *Loop) Again(fd int, w Watch) error { return l.control(unix.EPOLL_CTL_MOD, fd, w) }

// Unwatch ends a Watch, if it is one, and goes before the closing of the socket. A call of Ready may be under way or about to be
// made, unless Unwatch is called on the loop.
func (l *Loop) Unwatch(fd int, w Watch) {
	if l.remove(w) {
		_ = l.control(unix.EPOLL_CTL_DEL, fd, w) // a child that was forked may hold the socket open for a moment
	}
}

func (l *Loop) control(op, fd int, w Watch) error {
	event := unix.EpollEvent{Events: watchedEvents, Fd: int32(w.slot), Pad: int32(w.serial)}
	l.registering.Lock()
	defer l.registering.Unlock()
	if l.fd < 0 {
		return os.ErrClosed
	}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(l.fd, op, fd, &event))
}

// Post has the loop run a function soon, after what was posted before. It doesn't wait. It returns false after Close; the
// function is not run then. Whoever posts bounds how much they post.
func (l *Loop) Post(f func()) bool {
	l.posting.Lock()
	if l.closed {
		l.posting.Unlock()
		return false
	}
	l.posted = append(l.posted, f)
	asleep := !l.awake
	l.awake = true
	l.posting.Unlock()
	if asleep {
		_ = l.poll.SetReadDeadline(time.Unix(1, 0)) // fails after Close, which runs what was posted
	}
	return true
}

// Ask waits until the loop has a turn, or has ended. The error is that of ctx.
func (l *Loop) Ask(ctx context.Context) error {
	answered := make(chan struct{})
	if !l.Post(func() { close(answered) }) {
		return nil
	}
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// StartTimer has the owner called when the duration is over, counted from when the loop's turn began. A timer that runs is
// started anew. It belongs on the loop.
func (l *Loop) StartTimer(t *Timer, d time.Duration, owner Expirer) {
	l.timers.Remove(t)
	t.owner = owner
	due := (l.now + int64(max(d, 0)) + int64(Tick) - 1) / int64(Tick)
	l.timers.Add(t, due, l.now/int64(Tick))
	l.rearm = l.rearm || l.wake == 0 || due < l.wake
}

// StopTimer stops a timer, if it runs. It belongs on the loop.
func (l *Loop) StopTimer(t *Timer) {
	l.timers.Remove(t)
	t.owner = nil
}

// run is the loop's goroutine.
func (l *Loop) run() {
	defer close(l.done)
	// Read calls turn, and again whenever something has come since. It returns when the deadline is over, by which Post and
	// timers wake the loop.
	turn := l.turn
	for errors.Is(l.raw.Read(turn), os.ErrDeadlineExceeded) {
		_ = l.poll.SetReadDeadline(time.Time{}) // or Read would not call turn; fails after Close
		l.wake, l.rearm = 0, !l.timers.Empty()
	}
	l.runPosted()
}

// turn does all that there is to do. It returns false, since there will be more.
func (l *Loop) turn(fd uintptr) bool {
	l.posting.Lock()
	l.awake = true
	l.posting.Unlock()
	for {
		n, err := poll(fd, l.events[:])
		l.now = int64(time.Since(l.start))
		for i := range l.events[:max(n, 0)] {
			event := &l.events[i]
			if w := l.get(Watch{uint32(event.Fd), uint32(event.Pad)}); w != nil {
				w.Ready(Events(event.Events))
			}
		}
		l.runTimers()
		l.runPosted()
		if n < batch && !errors.Is(err, unix.EINTR) && l.rest() {
			return false
		}
	}
}

func (l *Loop) runTimers() {
	for now := l.now / int64(Tick); ; {
		t := l.timers.Pop(now)
		if t == nil {
			return
		}
		owner := t.owner
		t.owner = nil
		owner.Expired(t)
	}
}

// runPosted runs what has been posted up to now.
func (l *Loop) runPosted() {
	l.posting.Lock()
	posted := l.posted
	l.posted = l.spare[:0]
	l.posting.Unlock()
	for _, f := range posted {
		f()
	}
	clear(posted)
	if l.spare = posted; cap(posted) > batch {
		l.spare = nil
	}
}

// rest ends a turn, unless something was posted meanwhile.
func (l *Loop) rest() bool {
	if l.rearm {
		l.setWake()
	}
	l.posting.Lock()
	defer l.posting.Unlock()
	l.awake = len(l.posted) > 0
	return !l.awake
}

// setWake has the loop woken for its timers. Where they are stopped it is not undone: most are.
func (l *Loop) setWake() {
	l.wake, l.rearm = l.timers.Next(), false
	var at time.Time // none
	if l.wake != 0 {
		at = l.start.Add(time.Duration(l.wake) * Tick)
	}
	_ = l.poll.SetReadDeadline(at) // fails after Close
}
