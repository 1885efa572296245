package websocket

import "time"

// Opcode of a data message.
type Opcode byte

// Data opcodes of RFC 6455, section 5.2.
const (
	Text   Opcode = 1
	Binary Opcode = 2
)

// Close codes of RFC 6455, section 7.4.1, that the engine itself produces.
const (
	CloseNormal          = 1000
	CloseGoingAway       = 1001
	CloseProtocolError   = 1002
	CloseUnsupportedData = 1003
	CloseNoStatus        = 1005 // only reported: the peer's close frame had no code
	CloseAbnormal        = 1006 // only reported: the socket ended without a close frame
	CloseInvalidPayload  = 1007
	ClosePolicyViolation = 1008
	CloseMessageTooBig   = 1009
	CloseInternalError   = 1011
	CloseTryAgainLater   = 1013
)

// Driver says how sockets are driven.
type Driver int

// Drivers.
const (
	DriverAuto      Driver = iota // the event loop where there is one, else goroutines
	DriverEventLoop               // Linux only
	DriverGoroutine
)

// Handler is told what happens on a connection. One Handler may serve one
// connection or many; each method is given the Conn that it is about. The calls
// for a connection come in this order: Opened, then Message and Control as
// frames arrive, then Closed. Messages may be done after Closed. A Handler may
// call the Conn's methods from any of them. A panic in any of them ends the process.
type Handler interface {
	// Opened is called once, by Adopt, before anything is read from the socket.
	Opened(*Conn)
	// Message begins a message. It is called by the goroutine that reads for many
	// connections (Message.Loop): it must neither block nor work for long, and hands on
	// what does. Message.Done, during the call or later, ends it. Up to Limits.InFlight
	// messages of a connection are not done at a time. They begin in their order; where
	// the connection has no loop, calls may overlap after one had to wait.
	Message(*Message)
	// Control is called for each ping and pong of the peer, by the goroutine
	// that reads for many connections: it must not block. The engine itself
	// answers pings.
	Control(*Conn)
	// Closed is called once, in a goroutine of its own, when the connection
	// has ended, and not before Opened has returned: with the peer's code and
	// reason when the peer closed, with our own when we did, with CloseNoStatus
	// or CloseAbnormal and no reason when there was none. Messages may still be
	// in flight. Where the peer ended the connection, by a close frame or by
	// breaking the protocol, the answers to messages from before that have had
	// Options.AnswerTimeout to be sent.
	Closed(c *Conn, code int, reason string)
}

// Limits of one connection. The zero value sets none but those of InFlight and
// QueueBytes. One Limits is shared by many connections and must not be changed
// once in use.
type Limits struct {
	FrameBytes   int           // payload of one incoming frame, past it 1009; 0: no limit
	MessageBytes int           // payload of one incoming message, past it 1009; 0: no limit
	NoBinary     bool          // refuse binary messages with 1003
	Idle         time.Duration // without data in either direction, after it 1001; 0: no limit
	Lifetime     time.Duration // since the connection was opened, after it 1001; 0: no limit
	Ping         time.Duration // between two pings that the engine sends; 0: none
	ControlRate  int           // pings and pongs that the peer may send in a second, over five seconds; past it 1008; 0: no limit
	InFlight     int           // messages that are not done; past it the socket is not read; 0: 16
	Share        *Share        // of Options.InFlight; nil: as much as there is
	QueueBytes   int           // memory for what is unsent; past it Send returns ErrQueueFull; 0: 1 MiB
}
