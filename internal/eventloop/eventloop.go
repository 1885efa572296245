// Package eventloop watches many sockets in one goroutine, and runs functions and timers there. The WebSocket engine
// drives its connections with it, and the HTTP client the sockets of backends, so that a message can go from the one to
// the other and back without another goroutine.
//
// What runs on the loop, that is Watcher.Ready, Expirer.Expired and posted functions, runs one at a time and in the
// loop's goroutine: it needs no lock for what only the loop uses. In return it must neither block nor work for long, since
// all sockets of the loop wait meanwhile. A panic in it ends the process.
//
// There is an event loop on Linux only. Elsewhere New returns an error, and sockets have a goroutine each.
package eventloop

import "time"

// BufferSize is the size of Loop.Buffer, in bytes.
const BufferSize = 64 << 10

// Events say what has come of a socket since the last time.
type Events uint32

// The bits of Events; their values are those of epoll.
const (
	Readable Events = 0x1    // there is something to read
	Writable Events = 0x4    // the socket takes something to write, or has been connected
	HungUp   Events = 0x2018 // the peer has shut its side, or the socket has failed: reading tells which
)

// Watcher is told what happens on a socket.
type Watcher interface {
	// Ready is called on the loop when one of the events has come. It is called for edges: an event that was not used up
	// does not come again by itself. A read that fills less than its buffer has used up Readable, unless HungUp came too;
	// a write that took less than all has used up Writable.
	Ready(Events)
}

// Watch is a socket that a loop watches, as Loop.Watch returns it. The zero value is none.
type Watch struct{ slot, serial uint32 }

// Expirer is told of a timer that is due.
type Expirer interface {
	// Expired is called on the loop. The timer is stopped, and may be started again.
	Expired(*Timer)
}

// Timer is for a deadline of what it is embedded in: starting and stopping it costs no allocation, lock or system call.
// The zero value is a stopped timer. It belongs to the loop that it was started on, and is used on that loop only.
type Timer struct {
	place Place[*Timer]
	owner Expirer
}

// Place implements Entry.
func (t *Timer) Place() *Place[*Timer] { return &t.place }

// Running reports whether the timer was started, and has neither been stopped nor come due.
func (t *Timer) Running() bool { return t.place.Due() != 0 }

// Tick is the resolution of timers: they come due up to so much late.
const Tick = 10 * time.Millisecond
