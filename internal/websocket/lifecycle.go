package websocket

// state of a connection; it only goes up. The package comment draws the steps.
type state uint8

const (
	stateOpen     state = iota
	stateEnding         // the peer's last frame was read; answers to those before it are awaited
	stateClosing        // our close frame is queued, the peer's is awaited
	stateDraining       // no frame is awaited: flush, then wait for the peer to hang up
	stateClosed         // the socket is released
)

// ending is how a connection ended, as Handler.Closed is told.
type ending struct {
	code   int
	reason string
}

// leaveOpenLocked is the step from open to another state, but for closed. Reading goes
// on if it was stopped.
func (c *Conn) leaveOpenLocked(next state, code int, reason string) {
	stopped := c.stoppedLocked()
	c.state, c.end, c.held = next, &ending{code, reason}, false
	if stopped {
		c.stopEndedLocked()
	}
}

// openedReturned is called when Handler.Opened has returned.
func (c *Conn) openedReturned() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.openedDone = true
	if c.state >= stateDraining {
		c.reportClosedLocked()
	}
}

// closeLocked is Close with c.mu held.
func (c *Conn) closeLocked(code int, reason string) {
	if c.state != stateOpen {
		return
	}
	reason = cutReason(reason)
	c.leaveOpenLocked(stateClosing, code, reason)
	c.setCloseDeadlineLocked()
	if !c.writeEnded {
		c.writeLocked(opClose, closePayload(code, reason))
	}
}

// peerEnded is called when nothing of what the peer may still send matters: its
// close frame has come, whose code and reason are echoed, or a violation, which
// the code tells. Unless the frame answers our own, messages from before it get
// their answers first.
func (c *Conn) peerEnded(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case stateOpen:
		c.leaveOpenLocked(stateEnding, code, reason)
		if c.inFlight > 0 && !c.writeEnded {
			c.setDeadlineLocked(c.engine.options.AnswerTimeout)
			return
		}
		c.sendLastFrameLocked()
	case stateClosing:
		c.drainLocked()
	}
}

// sendLastFrameLocked ends the state ending: our close frame goes out behind the
// answers.
func (c *Conn) sendLastFrameLocked() {
	if !c.writeEnded {
		c.frameLocked(opClose, closePayload(c.end.code, c.end.reason))
	}
	c.drainLocked()
}

// drainLocked is the step to draining: there is nothing more to be said or heard.
// What is queued still goes out, then our side is shut and the peer is given until
// the deadline to hang up, so that no reset overtakes the close frame.
func (c *Conn) drainLocked() {
	c.state = stateDraining
	c.reportClosedLocked()
	c.setCloseDeadlineLocked()
	if c.writeEnded {
		c.finishLocked()
		return
	}
	if s := c.secure(); s != nil {
		s.endLocked()
	}
	c.flushLocked()
}

// finishLocked is the step to closed, from any state: it releases the socket.
func (c *Conn) finishLocked() {
	if c.state == stateClosed {
		return
	}
	if c.state == stateOpen {
		c.end = &ending{CloseAbnormal, ""}
	}
	c.state, c.held = stateClosed, false
	c.reportClosedLocked()
	c.writeEnded = c.writeEnded || c.out.head != nil // nothing can be written behind what is left out
	c.out.drop()
	c.countQueueLocked()
	if !c.reading { // or else releaseReading does so
		c.dropInputLocked()
		c.countUnprocessedLocked()
	}
	c.engine.wheel.remove(c)
	c.engine.table.remove(c)
	c.driver.closeLocked(c)
}

// reportClosedLocked has Handler.Closed called, once, but not while Opened is;
// openedReturned then comes back to it.
func (c *Conn) reportClosedLocked() {
	if c.reported || !c.openedDone {
		return
	}
	c.reported = true
	end := c.end
	go func() {
		defer c.engine.live.Done()
		c.handler.Closed(c, end.code, end.reason)
	}()
}

// writeFailedLocked is called by the driver when the socket accepts nothing any
// more. What the peer sent before it went away, a close frame perhaps, is still
// read: it has until the deadline for that, which begins once reading isn't
// stopped.
func (c *Conn) writeFailedLocked() {
	c.out.drop()
	c.countQueueLocked()
	c.writeEnded = true
	if c.state != stateOpen {
		c.finishLocked()
		return
	}
	if !c.stoppedLocked() {
		c.setCloseDeadlineLocked()
	}
}

// flushedLocked is called by the driver when the queue is empty. It reports
// whether the driver has to shut our side of the socket now.
func (c *Conn) flushedLocked() (shut bool) {
	if c.state != stateDraining || c.writeShut {
		return false
	}
	if c.peerHungUp {
		c.finishLocked()
		return false
	}
	c.writeShut = true
	return true
}

// readEnded is called by the driver when there is nothing more to read: the peer
// hung up in good order, or the socket failed.
func (c *Conn) readEnded(inOrder bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if inOrder && (c.state == stateEnding || c.state == stateDraining && c.out.head != nil) {
		c.peerHungUp = true
		return
	}
	c.finishLocked()
}
