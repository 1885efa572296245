package websocket

// claim makes the caller the one that reads, unless another does or nothing is
// to be read. c.mu is held.
func (c *Conn) claim() bool {
	if c.state == stateClosed || c.reading || c.paused || c.held || c.ended {
		return false
	}
	c.reading = true
	return true
}

// release ends a claim. c.mu is not held.
func (c *Conn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if c.resumed {
		c.resumed = false
		c.goOn()
	}
}

// goOn has the driver read again.
func (c *Conn) goOn() {
	if c.state == stateClosed {
		return
	}
	if c.broken {
		c.setDeadline()
	}
	c.driver.resume(c)
}

// received takes bytes from the socket. It returns false when not all of them
// could be decoded in this turn; what is left over is kept. It takes a claim.
func (c *Conn) received(p []byte) (all bool) {
	n := c.decode(p)
	if n < len(p) {
		c.rest = newBuffer(len(p) - n)
		c.rest.data = append(c.rest.data, p[n:]...)
	}
	return n == len(p)
}

// catchUp decodes what is left over, before anything else is read. It returns
// false when something is left over still. It takes a claim.
func (c *Conn) catchUp() (all bool) {
	if c.rest == nil {
		return true
	}
	n := c.decode(c.rest.data[c.rest.sent:])
	if c.rest.sent += n; c.rest.sent < len(c.rest.data) {
		return false
	}
	c.rest.free()
	c.rest = nil
	return true
}

// turnFrames is how many frames of one connection are decoded before others
// have their turn.
const turnFrames = 256

// decode takes frames from p until a message has to wait or the turn is over,
// and returns how many bytes it took. Bytes behind a close frame or a violation
// are dropped.
func (c *Conn) decode(p []byte) (taken int) {
	if c.decoder == nil {
		if c.deaf() {
			return len(p)
		}
		c.decoder = decoderPool.Get().(*decoder)
	}
	var pongs pongs
	active, more := false, true
	for frames := 0; taken < len(p) && more && frames < turnFrames; frames++ {
		n, ev, bad := c.decoder.decode(p[taken:], c.limits)
		taken += n
		active = active || ev.data
		if bad == nil && ev.op != 0 {
			more, bad = c.handle(ev, &pongs)
		}
		if bad == nil && ev.op != opClose {
			continue
		}
		c.sendPongs(&pongs)
		if bad != nil {
			c.peerEnded(bad.code, bad.reason)
		} else {
			c.closeReceived(ev.control)
		}
		c.decoder.free()
		c.decoder = nil
		return len(p)
	}
	c.sendPongs(&pongs)
	c.heard.Store(c.heard.Load() + uint32(taken))
	if active {
		c.active.Store(c.engine.clock.now())
	}
	if c.decoder.idle() {
		c.decoder.free()
		c.decoder = nil
	}
	return taken
}

// deaf says that the connection is past the point where frames matter.
func (c *Conn) deaf() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == stateEnding || c.state >= stateDraining
}

// handle does what a whole message, ping or pong asks for. It returns false when
// the message has to wait for others, so that reading must pause.
func (c *Conn) handle(ev event, pongs *pongs) (more bool, bad *violation) {
	switch ev.op {
	case opText, opBinary:
		return c.deliver(newMessage(c, Opcode(ev.op), ev.message)), nil
	case opPing, opPong:
		if c.flooded() {
			return true, &violation{ClosePolicyViolation, "Too many control frames"}
		}
		c.handler.Control(c)
		if ev.op == opPing {
			c.pong(ev.control, pongs)
		}
	}
	return true, nil
}

// closeReceived takes in the payload of the peer's close frame.
func (c *Conn) closeReceived(payload []byte) {
	code, reason, bad := parseClose(payload)
	if bad != nil {
		code, reason = bad.code, bad.reason
	}
	c.peerEnded(code, reason)
}

// peerEnded takes in that nothing of what the peer may send matters any more: by
// its close frame, whose code and reason are echoed, or by a violation, which the
// code tells. Unless the frame answers our own, messages from before it get their
// answers first.
func (c *Conn) peerEnded(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case stateOpen:
		c.state, c.code, c.reason = stateEnding, uint16(code), reason
		if c.inFlight > 0 && !c.broken {
			c.deadlineIn(c.engine.options.AnswerTimeout)
			return
		}
		c.lastWord()
	case stateClosing:
		c.drain()
	}
}

// lastWord ends the wait for answers with the close frame. c.mu is held.
func (c *Conn) lastWord() {
	if !c.broken {
		c.out.frame(opClose, closePayload(int(c.code), c.reason))
	}
	c.drain()
}

// deliver hands a message on, or keeps it until one of the connection's others
// is done. It returns false when reading has to pause.
func (c *Conn) deliver(m *message) (more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen {
		m.free()
		return true
	}
	limit := c.limits.InFlight
	if limit <= 0 {
		limit = defaultInFlight
	}
	c.engine.live.Add(1)
	if int(c.inFlight) >= limit {
		m.waited = true
		c.pending, c.paused = m, true
		return false
	}
	c.inFlight++
	if !c.engine.dispatcher.submit(m) {
		c.paused = true
		return false
	}
	return true
}

// delivered takes in that Message is about to be called for the message that
// reading paused for. What was left over is decoded here and now: a client that
// sends many messages in one go would otherwise wait for the driver each time.
func (c *Conn) delivered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.paused || c.reading || c.state != stateOpen {
		c.unpause()
		return
	}
	c.paused, c.reading = false, true
	c.mu.Unlock()
	c.catchUp()
	c.mu.Lock()
	c.reading, c.resumed = false, false
	if !c.paused {
		c.goOn()
	}
}

// answered takes in that Message has returned, and gives the message that
// waited for that, if any.
func (c *Conn) answered() (next *message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if next = c.pending; next == nil {
		if c.inFlight--; c.inFlight == 0 && c.state == stateEnding {
			c.lastWord()
		}
		return nil
	}
	c.pending = nil
	return next
}

// unpause lets reading go on.
func (c *Conn) unpause() {
	if !c.paused {
		return
	}
	c.paused = false
	c.readOn()
}

// readOn has reading go on when something that stopped it has ended, unless
// something else stops it still.
func (c *Conn) readOn() {
	switch {
	case c.paused || c.held:
	case c.reading:
		c.resumed = true
	default:
		c.goOn()
	}
}
