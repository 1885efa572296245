package websocket

// claim makes the caller the one that reads, unless another does or nothing is
// to be read. c.mu is held.
func (c *Conn) claim() bool {
	if c.state == stateClosed || c.reading || c.paused || c.ended {
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

// received takes bytes from the socket. It returns false when reading has to
// pause; what is then left over is kept. It takes a claim.
func (c *Conn) received(p []byte) (more bool) {
	n, more := c.decode(p)
	if n < len(p) {
		c.rest = newBuffer(len(p) - n)
		c.rest.data = append(c.rest.data, p[n:]...)
	}
	return more
}

// catchUp decodes what a pause left over, before anything else is read. It
// returns false when reading has to pause again. It takes a claim.
func (c *Conn) catchUp() (more bool) {
	if c.rest == nil {
		return true
	}
	n, more := c.decode(c.rest.data[c.rest.sent:])
	if c.rest.sent += n; c.rest.sent == len(c.rest.data) {
		c.rest.free()
		c.rest = nil
	}
	return more
}

// decode takes frames from p until a message has to wait, and returns how many
// bytes it took. Bytes behind a close frame or a violation are dropped.
func (c *Conn) decode(p []byte) (taken int, more bool) {
	if c.decoder == nil {
		if c.deaf() {
			return len(p), true
		}
		c.decoder = decoderPool.Get().(*decoder)
	}
	active, more := false, true
	for taken < len(p) && more {
		n, ev, bad := c.decoder.decode(p[taken:], c.limits)
		taken += n
		active = active || ev.data
		if bad != nil {
			c.fail(bad)
		} else if ev.op != 0 {
			more, bad = c.handle(ev)
		}
		if bad != nil || ev.op == opClose {
			c.decoder.free()
			c.decoder = nil
			return len(p), true
		}
	}
	if active {
		c.active.Store(c.engine.clock.now())
	}
	if c.decoder.idle() {
		c.decoder.free()
		c.decoder = nil
	}
	return taken, more
}

// deaf says that the connection is past the point where frames matter.
func (c *Conn) deaf() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state >= stateDraining
}

// handle does what a whole message or control frame asks for. It returns false
// when the message has to wait for others, so that reading must pause.
func (c *Conn) handle(ev event) (more bool, bad *violation) {
	switch ev.op {
	case opText, opBinary:
		return c.deliver(newMessage(c, Opcode(ev.op), ev.message)), nil
	case opPing:
		c.pong(ev.control)
	case opClose:
		code, reason, bad := parseClose(ev.control)
		if bad != nil {
			c.fail(bad)
			return true, bad
		}
		c.peerClosed(code, reason)
	}
	return true, nil
}

// pong answers a ping. Where the peer doesn't read, the answer is left out
// (RFC 6455, section 5.5.3, asks for the latest only).
func (c *Conn) pong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == stateOpen && !c.broken && !c.overfull(len(payload)) {
		c.write(opPong, payload)
	}
}

// peerClosed takes in the peer's close frame and echoes it, unless it answers
// our own.
func (c *Conn) peerClosed(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state >= stateDraining {
		return
	}
	if c.state == stateOpen {
		c.code, c.reason = uint16(code), reason
		c.lastWord(code, reason)
	}
	c.drain()
}

// fail ends the connection because of what the peer sent.
func (c *Conn) fail(bad *violation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state >= stateDraining {
		return
	}
	if c.state == stateOpen {
		c.code, c.reason = uint16(bad.code), bad.reason
		c.lastWord(bad.code, bad.reason)
	}
	c.drain()
}

// lastWord queues a close frame for drain to write.
func (c *Conn) lastWord(code int, reason string) {
	if !c.broken {
		c.out.frame(opClose, closePayload(code, reason))
	}
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
		c.inFlight--
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
	if c.reading {
		c.resumed = true
		return
	}
	c.goOn()
}
