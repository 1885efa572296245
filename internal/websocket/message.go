package websocket

import (
	"sync"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

// Message is a whole message of a peer, from Handler.Message until Done. It counts as in flight so long.
type Message struct {
	conn    *Conn
	op      Opcode
	payload *buffer         // nil: it was discarded
	memory  uint32          // what payload counts in the budget
	loop    *eventloop.Loop // that it is begun on
	queued  bool            // guarded by dispatcher.mu: it is in Share.waiting

	submitted bool // guarded by Conn.mu: the dispatcher has it, or has had it

	posted func() // begin, once it was needed
}

var messagePool = sync.Pool{New: func() any { return new(Message) }}

// newMessage makes the message that was read by a goroutine which reads for the connection: its loop, where it has one.
func newMessage(c *Conn, op Opcode, payload *buffer) *Message {
	m := messagePool.Get().(*Message)
	*m = Message{conn: c, op: op, payload: payload, memory: countedSize(payload), loop: c.loop(), submitted: true, posted: m.posted}
	return m
}

func (m *Message) free() {
	m.payload.free()
	*m = Message{posted: m.posted}
	messagePool.Put(m)
}

// Conn is the connection that the message came on.
func (m *Message) Conn() *Conn { return m.conn }

// Opcode tells text from binary messages.
func (m *Message) Opcode() Opcode { return m.op }

// Payload is valid until Done, and must not be changed. That of a text message is valid UTF-8.
func (m *Message) Payload() []byte { return m.payload.data }

// Loop is the event loop that Handler.Message is called on for this message; nil: it is called by another goroutine.
func (m *Message) Loop() *eventloop.Loop { return m.loop }

// Done says that the handler has nothing more to do with the message. It is called once for each message, by any goroutine,
// and doesn't wait. The message must not be used any more.
func (m *Message) Done() {
	c, memory := m.conn, int64(m.memory)
	m.free()
	d := &c.engine.dispatcher
	d.ended(d.shareOf(c), memory, c.answered())
	c.engine.live.Done()
}

// beginLater has a message begun that has waited: soon, where its connection is read.
func (m *Message) beginLater() {
	if m.posted == nil {
		m.posted = m.begin
	}
	if m.loop == nil || !m.loop.Post(m.posted) {
		m.loop = nil
		go m.begin()
	}
}

// begin begins a message that has waited, on its loop or, where there is none, in a goroutine. It goes on reading,
// which had stopped for the message.
func (m *Message) begin() {
	c := m.conn
	reading := c.delivered(m)
	if m.payload == nil {
		m.Done()
	} else {
		c.handler.Message(m)
	}
	if reading {
		c.catchUp()
		c.releaseReading(true)
	}
}
