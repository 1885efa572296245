// Package history records what clients, backends and a control plane see of a
// gateway, and finds violations in it. Many goroutines report events as they
// happen.
//
// What must hold, whatever else breaks:
//
//   - a message has one answer at most, on its own connection, and in order where
//     the API keeps order;
//   - a push comes once at most, to the connection that it was for;
//   - a connection has exactly one $disconnect for its $connect, unless the
//     gateway was killed in between;
//   - a write of the configuration that was answered is not lost.
package history

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// killShadow is how long after a kill of the gateway data may still arrive that
// it had sent before.
const killShadow = 2 * time.Second

// Log is the record of a run. The zero value is an empty one.
type Log struct {
	mu         sync.Mutex // guards all, that of connections included
	byKey      map[string]*Connection
	byID       map[string]*Connection
	live       map[string]bool   // ids that have no $disconnect yet, and are of a gateway that lives
	pushes     map[string]string // for which connection's id, by the push
	killed     time.Time         // when the gateway was killed last
	violations []string
	totals     Totals
}

// Totals count what happened.
type Totals struct {
	Connections, Sent, Answered, Errors, Pushed, Delivered, Kills int
}

// Connection is one connection of a client.
type Connection struct {
	log     *Log
	key     string // the client's name for it
	id      string // the gateway's; empty until $connect
	ordered bool

	sent        int
	nameless    int // answers and errors that do not say which message they are for
	answered    map[int]bool
	last        int // number of the last answer
	pushes      map[string]bool
	disconnects int
	excused     bool // the gateway was killed, and may owe a $disconnect
}

func (l *Log) violate(format string, args ...any) {
	const enough = 100
	if len(l.violations) < enough {
		l.violations = append(l.violations, fmt.Sprintf(format, args...))
	}
}

// connection returns the connection with a key, and makes it if there is none.
func (l *Log) connection(key string) *Connection {
	c := l.byKey[key]
	if c == nil {
		if l.byKey == nil {
			l.byKey, l.byID = map[string]*Connection{}, map[string]*Connection{}
			l.live, l.pushes = map[string]bool{}, map[string]string{}
		}
		c = &Connection{log: l, key: key, answered: map[int]bool{}, last: -1, pushes: map[string]bool{}}
		l.byKey[key] = c
	}
	return c
}

// Connected records a $connect. The key is the one that the client sent in it.
func (l *Log) Connected(key, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.connection(key)
	if c.id != "" {
		l.violate("%s: a second $connect, for %s after %s", key, id, c.id)
		return
	}
	if l.byID[id] != nil {
		l.violate("%s: the id %s is that of %s", key, id, l.byID[id].key)
		return
	}
	c.id, c.excused = id, time.Since(l.killed) < killShadow
	l.byID[id], l.live[id] = c, true
	l.totals.Connections++
}

// Disconnected records a $disconnect.
func (l *Log) Disconnected(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.byID[id]
	if c == nil {
		l.violate("a $disconnect of %s, which had no $connect", id)
		return
	}
	delete(l.live, id)
	if c.disconnects++; c.disconnects > 1 {
		l.violate("%s: %d $disconnect", c.key, c.disconnects)
	}
}

// Killed records that the gateway was just killed: connections that are open
// now need no $disconnect.
func (l *Log) Killed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killed = time.Now()
	l.totals.Kills++
	for _, c := range l.byID {
		c.excused = c.excused || c.disconnects == 0
	}
	clear(l.live)
}

// Open returns the connection that a client has opened. ordered is true if its
// API keeps the order of messages.
func (l *Log) Open(key string, ordered bool) *Connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.connection(key)
	if c.id == "" {
		l.violate("%s: open without a $connect", key)
	}
	c.ordered = ordered
	return c
}

// Send returns the name of the next message.
func (c *Connection) Send() string {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.sent++
	c.log.totals.Sent++
	return c.key + "#" + strconv.Itoa(c.sent-1)
}

// Received records what the client got: the answer to a message, its name as
// "id", or where that is not known that of the connection as "connectionId"; a
// push, its name as "push"; or an error frame.
func (c *Connection) Received(text string) {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	var frame struct {
		ID, Push, Message, ConnectionID string
	}
	if err := json.Unmarshal([]byte(text), &frame); err != nil {
		l.violate("%s: got %.200q", c.key, text)
		return
	}
	switch {
	case frame.ID != "":
		c.receivedAnswer(frame.ID)
	case frame.Push != "":
		c.receivedPush(frame.Push)
	case frame.ConnectionID != "":
		if frame.Message != "" {
			l.totals.Errors++
		} else {
			l.totals.Answered++
		}
		if c.nameless++; frame.ConnectionID != c.id {
			l.violate("%s: an answer or error of %s, not of %s", c.key, frame.ConnectionID, c.id)
		}
	default:
		l.violate("%s: got %.200q", c.key, text)
		return
	}
	if n := len(c.answered) + c.nameless; n > c.sent {
		l.violate("%s: %d answers to %d messages", c.key, n, c.sent)
	}
}

func (c *Connection) receivedAnswer(name string) {
	l := c.log
	l.totals.Answered++
	key, number, _ := strings.Cut(name, "#")
	n, err := strconv.Atoi(number)
	switch {
	case key != c.key:
		l.violate("%s: got the answer to %s", c.key, name)
	case err != nil || n < 0 || n >= c.sent:
		l.violate("%s: an answer to %s, which was not sent", c.key, name)
	case c.answered[n]:
		l.violate("%s: a second answer to %s", c.key, name)
	case c.ordered && n <= c.last:
		l.violate("%s: the answer to %s came after that to message %d", c.key, name, c.last)
	}
	c.answered[n], c.last = true, n
}

func (c *Connection) receivedPush(name string) {
	l := c.log
	l.totals.Delivered++
	switch to, known := l.pushes[name]; {
	case !known:
		l.violate("%s: the push %s, which was not made", c.key, name)
	case to != c.id:
		l.violate("%s: the push %s, which was for %s", c.key, name, to)
	case c.pushes[name]:
		l.violate("%s: the push %s came again", c.key, name)
	}
	c.pushes[name] = true
}

// Push records that a push is about to be made, to any open connection, and
// returns the connection's id, or "" if there is none.
func (l *Log) Push(name string) (id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id = range l.live { // maps begin anywhere
		l.pushes[name] = id
		l.totals.Pushed++
		break
	}
	return id
}

// Violate records another violation.
func (l *Log) Violate(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violate(format, args...)
}

// Owed returns the connections without a $disconnect, which they must have once
// all clients are gone.
func (l *Log) Owed() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var owed []string
	for _, id := range slices.Sorted(maps.Keys(l.byID)) {
		if c := l.byID[id]; c.disconnects == 0 && !c.excused {
			owed = append(owed, c.key+" ("+id+")")
		}
	}
	return owed
}

// Totals returns the counts so far.
func (l *Log) Totals() Totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.totals
}

// Violations returns the first hundred violations.
func (l *Log) Violations() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.violations)
}

// Register records the writes of one value, each a greater number than the one
// before, and checks what is read.
type Register struct {
	Name string

	mu                  sync.Mutex // guards the following
	attempted, answered int
}

// Attempt returns the number to write.
func (r *Register) Attempt() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempted++
	return r.attempted
}

// Answered records that a write was answered with success.
func (r *Register) Answered(number int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered = max(r.answered, number)
}

// Read checks a value that was read. It is called while nothing writes.
func (r *Register) Read(number int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if number < r.answered || number > r.attempted {
		return fmt.Errorf("%s is %d; %d was answered last, and %d tried", r.Name, number, r.answered, r.attempted)
	}
	return nil
}
