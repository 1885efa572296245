package gateway

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// connection is an open connection: what the engine calls and what the
// @connections API finds. A million of them are held, so it is small.
type connection struct {
	gateway *Gateway
	stage   *stage
	socket  websocket.Conn // of the engine, from Opened on
	facts   event.Connection
	rate    usage.Bucket // of messages
	working atomic.Int32 // messages that have no result yet
	counted bool         // among the open connections; belongs to the handshake, then to Closed
}

// id is what the registry knows the connection by.
func (c *connection) id() connections.ID {
	id, _ := connections.ParseID(c.facts.ID) // it was made here
	return id
}

// Opened makes the connection known before its first message is read.
func (c *connection) Opened(socket *websocket.Conn) {
	c.gateway.registry.Add(c.id(), c)
	if c.stage.removed.Load() {
		socket.Close(websocket.CloseGoingAway, goingAway)
	}
}

// Message takes one message on its way. It implements websocket.Handler.
func (c *connection) Message(m *websocket.Message) {
	c.working.Add(1)
	p := newPipeline(c, c.stage.plan.Load(), event.Message, time.Now())
	p.message, p.event.Body, p.event.Binary = m, m.Payload(), m.Opcode() == websocket.Binary
	p.run(m.Loop())
}

// reply sends what the client is to get for a message, and records it.
func (p *pipeline) reply() {
	c := p.connection
	sideBySide := c.working.Add(-1) > 0 // before the answer: the client may send its next message when it has that
	var err error
	if frame, sent := p.frame(); sent {
		p.replied(0, frame)
		err = c.socket.Send(websocket.Text, frame)
	}
	record := p.record(telemetry.EventMessage)
	record.SideBySide, record.Replied = sideBySide, err == nil && p.answers()
	if p.response != nil && !p.event.TwoWay {
		record.Unanswered = len(p.response.Body)
	}
	if err != nil && record.Error == "" {
		record.Error = "the answer was not delivered: " + err.Error()
	}
	p.tell(record)
}

// frame returns what the client is to get for a message; sent is false where that is
// nothing.
func (p *pipeline) frame() (frame []byte, sent bool) {
	switch {
	case p.event.Failed != nil:
		return errorFrame(p.event.Failed.Message(), p.connection.facts.ID, p.event.RequestID), true
	case p.answers():
		return connections.ToText(p.response.Body), true
	}
	return nil, false
}

// Control counts pings and pongs as messages: they use up the connection's rate,
// which refuses messages alone.
func (c *connection) Control(*websocket.Conn) {
	c.rate.Take(c.stage.plan.Load().Access.MessageRate, time.Now())
}

// Closed ends the connection.
func (c *connection) Closed(_ *websocket.Conn, code int, reason string) {
	c.gateway.registry.Remove(c.id())
	c.release()
	c.disconnected(code, reason)
}

// disconnected runs $disconnect. Its result changes nothing.
func (c *connection) disconnected(code int, reason string) {
	p := newPipeline(c, c.stage.plan.Load(), event.Disconnect, time.Now())
	p.event.CloseCode, p.event.CloseReason = code, reason
	switch {
	case reason != "":
	case code == websocket.CloseNoStatus:
		p.event.CloseReason = clientStatusNotSet
	case code == websocket.CloseAbnormal:
		p.event.CloseReason = connectionClosedNoFrame
	}
	p.run(nil)
}

// left records the end of a connection.
func (c *connection) left(p *pipeline) {
	record := p.record(telemetry.EventDisconnect)
	record.Status, record.Reason = p.event.CloseCode, p.event.CloseReason
	if record.Error == "" {
		record.Error = whyDropped(p.event.CloseCode, p.event.CloseReason)
	}
	p.tell(record)
}

// whyDropped is what the log is told of a client that the engine dropped; empty for all
// others.
func whyDropped(code int, reason string) string {
	if code != websocket.CloseTryAgainLater {
		return ""
	}
	switch reason {
	case websocket.ReasonSlow:
		return "the client was dropped: it read too slowly, and the memory for what waited was needed"
	case websocket.ReasonUnprocessed:
		return "the client was dropped: too much of what it sent was unfinished or waited, and the memory for it was needed"
	}
	return ""
}

// APIID implements connections.Connection.
func (c *connection) APIID() string { return c.facts.APIID }

// Post implements connections.Connection.
func (c *connection) Post(text []byte) *apigw.Error {
	err := c.socket.Send(websocket.Text, text)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, websocket.ErrQueueFull):
		return apigw.ErrLimit
	}
	return apigw.ErrGone
}

// Disconnect implements connections.Connection.
func (c *connection) Disconnect() {
	c.gateway.registry.Remove(c.id())
	c.socket.Close(websocket.CloseNormal, connectionClosed)
}

// Info implements connections.Connection.
func (c *connection) Info() connections.Info {
	return connections.Info{
		SourceIP: c.facts.SourceIP, UserAgent: c.facts.UserAgent,
		ConnectedAt: time.UnixMilli(c.facts.ConnectedAt), LastActiveAt: c.socket.LastActive(),
	}
}
