package websocket

import (
	"math"
	"time"
)

// setCloseDeadlineLocked gives the connection Options.CloseTimeout from now, and no
// longer.
func (c *Conn) setCloseDeadlineLocked() { c.setDeadlineLocked(c.engine.options.CloseTimeout) }

func (c *Conn) setDeadlineLocked(d time.Duration) {
	c.deadline = c.engine.clock.now() + int64(d)
	c.scheduleLocked()
}

// socketFullLocked is called by the driver when the socket took what it could. It has
// the wheel watch whether it takes more in time.
func (c *Conn) socketFullLocked() {
	c.out.progress = max(c.engine.clock.now(), 1)
	c.countQueueLocked()
	c.scheduleLocked()
}

// scheduleLocked puts the connection into the wheel for the next time that matters.
func (c *Conn) scheduleLocked() {
	if next := c.nextDueLocked(); next != math.MaxInt64 {
		c.engine.wheel.schedule(c, next)
	}
}

// nextDueLocked is the next time that something has to be done about the connection;
// math.MaxInt64 where there is none.
func (c *Conn) nextDueLocked() int64 {
	next := int64(math.MaxInt64)
	if c.state == stateClosed {
		return next
	}
	if c.state == stateOpen {
		if c.ping != 0 {
			next = c.ping
		}
		if c.limits.Idle > 0 {
			next = min(next, c.active.Load()+int64(c.limits.Idle))
		}
		if c.limits.Lifetime > 0 {
			next = min(next, c.born+int64(c.limits.Lifetime))
		}
	}
	if c.deadline != 0 {
		next = min(next, c.deadline)
	}
	if c.out.progress != 0 {
		next = min(next, c.out.progress+int64(c.engine.options.WriteTimeout))
	}
	return next
}

// expire is called by the wheel: some time of the connection may have come.
func (c *Conn) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.engine.clock.now()
	if c.ping != 0 && now >= c.ping {
		c.sendPingLocked(now)
	}
	if now >= c.nextDueLocked() {
		stalled := c.out.progress != 0 && now >= c.out.progress+int64(c.engine.options.WriteTimeout)
		switch {
		case stalled:
			c.finishLocked()
		case c.deadline == 0 || now < c.deadline:
			c.closeLocked(CloseGoingAway, "Going away")
		case c.state == stateEnding:
			c.sendLastFrameLocked()
		default:
			c.finishLocked()
		}
	}
	c.scheduleLocked()
}
