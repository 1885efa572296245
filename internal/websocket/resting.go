package websocket

import (
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

const (
	// restAfter is how long after its last message the keys of a connection are given back.
	restAfter = time.Second
	// maxResting is how many connections of a loop have keys between messages: those of TLS take about 2.7 KB. The others
	// derive them for each message.
	maxResting = 4096
)

// resting are the connections of a loop whose compactLayer has keys that are to be given back.
type resting struct {
	loop  *loop
	timer eventloop.Timer // runs while there are some; of the loop

	mu    sync.Mutex // guards what follows; taken with Conn.mu held
	count int        // of those in conns, and of those that Expired has taken from it and looks at
	conns []*Conn
}

// add has the keys of a connection given back in time. It returns false where there are too many.
func (r *resting) add(c *Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count >= maxResting || r.count == 0 && !r.loop.Post(r.start) {
		return false
	}
	r.count++
	r.conns = append(r.conns, c)
	return true
}

// start starts the timer, on the loop.
func (r *resting) start() { r.loop.StartTimer(&r.timer, restAfter, r) }

// Expired implements eventloop.Expirer.
func (r *resting) Expired(*eventloop.Timer) {
	r.mu.Lock()
	conns := r.conns
	r.conns = nil
	r.mu.Unlock()
	busy := conns[:0]
	for _, c := range conns {
		if !c.rest() {
			busy = append(busy, c)
		}
	}
	clear(conns[len(busy):])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count -= len(conns) - len(busy)
	if r.conns = append(busy, r.conns...); r.count > 0 {
		r.start()
	}
}

// rest gives back the keys of a connection that is idle. It returns false where it is not.
func (c *Conn) rest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.secure()
	if s == nil || s.layer == nil {
		return true
	}
	if c.engine.clock.now()-c.active.Load() < int64(restAfter) {
		return false
	}
	l := s.layer.(*compactLayer)
	l.records.Rest()
	l.rests = false
	return true
}
