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

// pong answers a ping, at the end of the turn. Where the peer doesn't read, the
// answer is left out.
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
	if c.state == stateOpen && !c.broken && !c.overfull(len(payload)) {
		c.out.frame(opPong, payload)
	}
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
		c.push()
	}
}

// controlWindow is the time over which Limits.ControlRate is an average, in
// milliseconds.
const controlWindow = 5000

// flooded counts a control frame, and says whether it is one too many, by the
// generic cell rate algorithm: Conn.control runs ahead of the clock by what each
// frame takes of the rate, and at most by controlWindow. Its milliseconds begin
// again after 49 days: a peer that was silent for just as long may be taken for
// one that was not. It takes a claim.
func (c *Conn) flooded() bool {
	rate := c.limits.ControlRate
	if rate <= 0 {
		return false
	}
	now := uint32(c.engine.clock.now() / 1e6)
	ahead := c.control - now
	if ahead > controlWindow {
		ahead = 0
	}
	ahead += uint32(max(1, 1000/rate))
	if ahead > controlWindow {
		return true
	}
	c.control = now + ahead
	return false
}
