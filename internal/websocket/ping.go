package websocket

// Pings keep proxies between the gateway and a silent client from taking the
// connection for dead. They are no activity, nor are the answers.

// startPingsLocked sets the first ping of a new connection. It comes in the second
// half of Limits.Ping, at a place that follows from the connection's number by
// the golden ratio: however many connections open at once, and whatever is sent
// to all of them, their pings stay spread evenly.
func (c *Conn) startPingsLocked() {
	interval := int64(c.limits.Ping)
	if interval <= 0 {
		return
	}
	const golden = 0x9E3779B9 // 2^32 divided by the golden ratio
	half := interval / 2
	c.ping = c.born + interval - half + int64(float64(c.serial*golden)/(1<<32)*float64(half))
}

// sendPingLocked sends the ping that is due, unless something waits to be sent
// anyway, and sets the time of the next.
func (c *Conn) sendPingLocked(now int64) {
	interval := int64(c.limits.Ping)
	c.ping += ((now-c.ping)/interval + 1) * interval
	if c.state == stateOpen && !c.writeEnded && c.out.head == nil {
		c.writeLocked(opPing, nil)
	}
}
