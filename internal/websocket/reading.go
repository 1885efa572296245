package websocket

// Who reads from a connection's socket and decodes, what stops it, and how it goes
// on. The package comment draws the states.

// stoppedLocked reports whether the connection is open, but nothing is to be read
// from it: a message waits to be handled, or HoldGreediest has stopped it.
func (c *Conn) stoppedLocked() bool {
	return c.state == stateOpen && (c.waiting != nil || c.held)
}

// mayReadLocked reports whether the socket is to be read, by the one who has the
// claim.
func (c *Conn) mayReadLocked() bool {
	return c.state != stateClosed && !c.peerHungUp && !c.stoppedLocked()
}

// claimReadingLocked makes the caller the one that reads. It returns false when
// another does or nothing is to be read. Whoever got true calls releaseReading.
func (c *Conn) claimReadingLocked() bool {
	if c.reading || !c.mayReadLocked() {
		return false
	}
	c.reading = true
	return true
}

// releaseReading ends a claim, and counts the memory that the turn has left in use.
// Where again is set there may be more to read: the driver looks at the connection
// again, now or when a stop ends. The caller holds no lock.
func (c *Conn) releaseReading(again bool) {
	c.mu.Lock()
	again = again || c.resumeDue
	c.reading, c.resumeDue = false, false
	if c.ignoresInputLocked() {
		c.dropInputLocked()
	}
	c.countUnprocessedLocked()
	if again {
		c.resumeReadingLocked()
	}
	c.mu.Unlock()
	c.engine.keepBudget()
}

// resumeReadingLocked has the driver look at the connection again: now, when the
// claim on it is released, or, where it is stopped, when that ends.
func (c *Conn) resumeReadingLocked() {
	switch {
	case !c.mayReadLocked():
	case c.reading:
		c.resumeDue = true
	default:
		c.driver.resumeLocked(c)
	}
}

// stopEndedLocked is called when something that stopped reading has ended. It goes
// on unless something else stops it still.
func (c *Conn) stopEndedLocked() {
	if c.writeEnded && c.mayReadLocked() {
		c.setCloseDeadlineLocked() // see writeFailedLocked
	}
	c.resumeReadingLocked()
}

// hold stops reading for HoldGreediest. A read that is under way goes on to its end.
func (c *Conn) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = c.state == stateOpen
}

// endHold takes hold back.
func (c *Conn) endHold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held {
		c.held = false
		c.stopEndedLocked()
	}
}

// deliver hands a message to the handler, or stops reading until the handler can have it.
// It returns false then: nothing more is to be decoded. The caller has the claim.
func (c *Conn) deliver(m *Message) (more bool) {
	switch c.admit(m) {
	case admitted:
		c.handler.Message(m)
	case discarded:
		m.free()
	case waits:
		return false
	}
	return true
}

// admission is what becomes of a message that has come.
type admission int

const (
	admitted admission = iota
	discarded
	waits
)

func (c *Conn) admit(m *Message) admission {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen {
		return discarded
	}
	limit := c.limits.InFlight
	if limit <= 0 {
		limit = defaultInFlight
	}
	c.engine.live.Add(1)
	if int(c.inFlight) >= limit {
		m.submitted = false // answered submits it
		c.waiting = m
		return waits
	}
	c.inFlight++
	if !c.engine.dispatcher.submit(m) {
		c.waiting = m
		return waits
	}
	return admitted
}

// delivered is called when a message is about to be begun that reading stopped for. It
// reports whether the caller has the claim now: it decodes what is undecoded behind the
// message, here and now, since a client that sends many messages in one go would otherwise
// wait for the driver each time.
func (c *Conn) delivered(m *Message) (claimed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stopped := c.stoppedLocked()
	c.waiting = nil
	if !c.reading { // or else releaseReading does so
		c.countUnprocessedLocked()
	}
	if !stopped {
		return false // it has left the state open, and reading went on then
	}
	if c.held || c.reading || m.loop != c.loop() {
		c.stopEndedLocked() // c.reading: the one who found the message has not released the claim yet
		return false
	}
	if c.writeEnded {
		c.setCloseDeadlineLocked()
	}
	c.reading = true
	return true
}

// answered is called when a message is done. Where one waited for that, because of
// Limits.InFlight, it is returned, to be submitted in its place.
func (c *Conn) answered() (next *Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.waiting; m != nil && !m.submitted {
		m.submitted = true
		return m
	}
	if c.inFlight--; c.inFlight == 0 && c.state == stateEnding {
		c.sendLastFrameLocked()
	}
	return nil
}

// received takes bytes from the socket. It returns false when not all of them
// could be decoded in this turn; what is left over is kept. The caller has the
// claim.
func (c *Conn) received(p []byte) (all bool) {
	c.engine.keepBudget()
	n := c.decode(p)
	if n < len(p) {
		c.undecoded = newBuffer(len(p) - n)
		c.undecoded.data = append(c.undecoded.data, p[n:]...)
	}
	return n == len(p)
}

// catchUp decodes what is left over, before anything else is read. It reports
// whether the socket may be read now: nothing is left over, and no message waits. The
// caller has the claim.
func (c *Conn) catchUp() (may bool) {
	if c.undecoded == nil {
		return true
	}
	n := c.decode(c.undecoded.data[c.undecoded.sent:])
	if c.undecoded.sent += n; c.undecoded.sent < len(c.undecoded.data) {
		return false
	}
	c.undecoded.free()
	c.undecoded = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mayReadLocked() // the last message may be one that has to wait
}

// ignoresInputLocked reports whether nothing that the peer still sends matters.
func (c *Conn) ignoresInputLocked() bool {
	return c.state == stateEnding || c.state >= stateDraining
}

// dropInputLocked frees what was read but made no message yet. Nobody has the claim.
func (c *Conn) dropInputLocked() {
	c.decoder.free()
	c.undecoded.free()
	c.decoder, c.undecoded = nil, nil
}
