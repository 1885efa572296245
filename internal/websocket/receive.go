package websocket

// turnFrames is how many frames of one connection are decoded before others
// have their turn.
const turnFrames = 256

// decode takes frames from p until a message has to wait or the turn is over,
// and returns how many bytes it took. Bytes behind a close frame or a violation
// are dropped. The caller has the claim.
func (c *Conn) decode(p []byte) (taken int) {
	if c.decoder == nil {
		if c.ignoresInput() {
			return len(p)
		}
		c.decoder = decoderPool.Get().(*decoder)
	}
	var pongs pongs
	active, more, whole := false, true, 0
	for frames := 0; taken < len(p) && more && frames < turnFrames; frames++ {
		n, ev, bad := c.decoder.decode(p[taken:], c.limits)
		if taken += n; ev.whole {
			whole++
		}
		active = active || ev.data
		if bad == nil && ev.op != 0 {
			more, bad = c.handle(ev, &pongs)
		}
		if bad == nil && ev.op != opClose {
			continue
		}
		c.sendPongs(&pongs)
		c.countReceived(whole, taken)
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
	c.countReceived(whole, taken)
	c.bytesIn.Store(c.bytesIn.Load() + uint32(taken))
	if active {
		c.active.Store(c.engine.clock.now())
	}
	if c.decoder.idle() {
		c.decoder.free()
		c.decoder = nil
	}
	return taken
}

func (c *Conn) ignoresInput() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ignoresInputLocked()
}

// handle does what a whole message, ping or pong asks for. It returns false when
// the message has to wait for others, so that reading has stopped.
func (c *Conn) handle(ev event, pongs *pongs) (more bool, bad *violation) {
	switch ev.op {
	case opText, opBinary:
		c.progressed = true
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

// closeReceived is called with the payload of the peer's close frame.
func (c *Conn) closeReceived(payload []byte) {
	code, reason, bad := parseClose(payload)
	if bad != nil {
		code, reason = bad.code, bad.reason
	}
	c.peerEnded(code, reason)
}
