package websocket

// What a peer asks for by control frames is little, and a peer that asks for a
// lot of it gets less.

// pongsPerTurn is how many pings of one turn are answered one by one. Of more,
// the latest is (RFC 6455, section 5.5.3, asks for no other).
const pongsPerTurn = 16

// pongs are the answers of a turn: they go out together, at its end.
type pongs struct {
	queued int
	latest *buffer // payload of the last that was not queued; nil: none
}

// pong answers a ping, at the end of the turn. Where the peer doesn't read what is
// sent to it, the answer is left out.
func (c *Conn) pong(payload []byte, p *pongs) {
	if p.queued < pongsPerTurn {
		c.queuePong(payload)
		p.queued++
		return
	}
	if p.latest == nil {
		p.latest = newBuffer(maxControl)
	}
	p.latest.data = append(p.latest.data[:0], payload...)
}

func (c *Conn) queuePong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == stateOpen && !c.writeEnded && c.pongFitsLocked(len(payload)) {
		c.frameLocked(opPong, payload)
	}
}

// pongFitsLocked reports whether there is room for a pong with that payload: in the
// queue, or in one small buffer behind a large message that is being written. That may
// fill the queue alone, and the peer may have read all of it already.
func (c *Conn) pongFitsLocked(payload int) bool {
	if !c.queueFullLocked(payload) {
		return true
	}
	behind := int(c.out.held) - cap(c.out.head.data)
	return behind+c.out.growth(c.wireSize(payload)) <= backlogBuffer
}

// sendPongs ends a turn: it writes the answers to its pings.
func (c *Conn) sendPongs(p *pongs) {
	if p.queued == 0 {
		return
	}
	if p.latest != nil {
		c.queuePong(p.latest.data)
		p.latest.free()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.head != nil {
		c.flushLocked()
	}
}

// controlWindow is the time over which Limits.ControlRate is an average, in
// milliseconds.
const controlWindow = 5000

// flooded counts a control frame, and reports whether it is one too many, by the
// generic cell rate algorithm: Conn.controlAhead, in milliseconds, runs ahead of the clock by
// what each frame takes of the rate, and at most by controlWindow. They begin
// again after 49 days: a peer that was silent for just as long may be taken for
// one that was not. The caller has the claim.
func (c *Conn) flooded() bool {
	rate := c.limits.ControlRate
	if rate <= 0 {
		return false
	}
	now := c.engine.clock.milliseconds()
	ahead := c.controlAhead - now
	if ahead > controlWindow {
		ahead = 0
	}
	ahead += uint32(max(1, 1000/rate))
	if ahead > controlWindow {
		return true
	}
	c.controlAhead = now + ahead
	return false
}
