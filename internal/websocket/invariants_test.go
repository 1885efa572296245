package websocket

import (
	"fmt"
	"slices"
)

// checkInvariants panics with what is wrong with a connection. The tests' peers and
// recorders call it after each of their steps.
func (c *Conn) checkInvariants() {
	c.mu.Lock()
	wrong := c.wrongLocked()
	c.mu.Unlock()
	if len(wrong) > 0 {
		panic(fmt.Sprintf("websocket: connection %d (state %d, reading %t): %q", c.serial, c.state, c.reading, wrong))
	}
}

// checkInvariants checks every open connection of the engine.
func (e *Engine) checkInvariants() {
	for _, c := range e.table.all() {
		c.checkInvariants()
	}
}

// wrongLocked is what does not hold of a connection that holds whenever nobody has
// its lock. It is what the package comment promises, and what each part takes for
// granted of the others.
func (c *Conn) wrongLocked() (wrong []string) {
	must := func(ok bool, what string) {
		if !ok {
			wrong = append(wrong, what)
		}
	}
	ended := c.state >= stateDraining
	// The steps from state to state.
	must(c.state == stateOpen || c.end != nil, "how it ended is unknown")
	must(!ended || c.reported || !c.openedDone, "it has ended, and Closed is not called")
	must(!c.reported || ended && c.openedDone, "Closed is called before the end, or before Opened has returned")
	must(c.state != stateEnding || c.inFlight > 0, "it awaits answers, and no message is in flight")
	must(c.state == stateOpen || c.state == stateClosed || c.deadline != 0, "it ends, and has no deadline")
	must(!c.writeShut || ended, "our side is shut before the end")
	must(!c.writeEnded || c.state == stateOpen || c.state == stateClosed, "writing failed, and the socket is kept")
	must(!c.peerHungUp || c.state == stateEnding || ended, "the peer has hung up, and the connection goes on")
	// Reading.
	must(!c.held || c.state == stateOpen, "it is held, and not open")
	must(!c.resumeDue || c.reading, "reading is to go on when the claim is released, and nobody has it")
	must(!c.reading || c.started, "it is read before the driver has begun")
	if !c.reading {
		must(!c.ignoresInputLocked() || c.decoder == nil && c.undecoded == nil, "it keeps input that it ignores")
		must(c.decoder == nil || !c.decoder.idle(), "it keeps a decoder between messages")
		must(c.undecoded == nil || c.undecoded.sent < len(c.undecoded.data), "it keeps bytes that are decoded")
		held := countedSize(c.undecoded)
		if c.decoder != nil {
			held += countedSize(c.decoder.payload)
		}
		if s := c.secure(); s != nil && c.state != stateClosed {
			held += uint32(s.heldLocked())
		}
		if c.waiting != nil {
			held += c.waiting.memory
		}
		must(held == c.unprocessed, "the memory of what is unprocessed is counted wrongly")
	}
	// Messages.
	limit := int32(c.limits.InFlight)
	if limit <= 0 {
		limit = defaultInFlight
	}
	must(0 <= c.inFlight && c.inFlight <= limit, "more messages are in flight than may be, or fewer than none")
	if m := c.waiting; m != nil {
		must(m.conn == c, "the message that waits is another's")
		must(m.submitted || c.inFlight == limit, "a message waits for the others of its connection, which are fewer than may be")
		must(c.inFlight > 0, "a message waits, and none is in flight")
	}
	// What is to be written.
	held := 0
	for b := c.out.head; b != nil; b = b.next {
		held += cap(b.data)
		must(b.next != nil || b == c.out.tail, "the queue has another end")
	}
	must(held == int(c.out.held), "the queue's memory is counted wrongly")
	must(c.out.head != nil || c.out.progress == 0, "the socket is full of nothing")
	must(c.reading || c.out.progress == 0 || c.out.counted == c.out.held, "what waits is not what the engine has counted")
	must(c.out.progress != 0 || c.out.counted == 0, "the engine has counted what does not wait")
	must(c.state != stateClosed || c.out.head == nil && c.out.counted == 0, "a closed connection has something to write")
	return wrong
}

// checkIdle panics when the engine counts something although it drives nothing and no
// Message call runs.
func (e *Engine) checkIdle() {
	d := &e.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	if running := d.running.Load(); running != 0 || len(d.ring) != 0 || e.MemoryInUse() != 0 {
		panic(fmt.Sprintf("websocket: an idle engine has %d messages in flight, %d shares that wait, and %d and %d bytes",
			running, len(d.ring), e.Waiting(), e.MemoryInUse()))
	}
	if !e.wheel.places.Empty() || slices.ContainsFunc(e.table.conns, func(c *Conn) bool { return c != nil }) {
		panic("websocket: an idle engine has connections")
	}
}
