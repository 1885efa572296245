package websocket

import (
	"cmp"
	"slices"
)

// HoldGreediest stops reading the connections whose peers sent most since it was
// called last: the fewest that together sent half of all. Those that it held
// before are read again, so that nobody is held for longer than it takes until
// the next call but one. Who is not read notices by its socket, which fills.
func (e *Engine) HoldGreediest() {
	e.holding.Lock()
	defer e.holding.Unlock()
	before := e.held
	e.held = make(map[*Conn]struct{})
	type sender struct {
		conn *Conn
		sent uint32
	}
	var senders []sender
	total := uint64(0)
	for _, c := range e.table.all() {
		if sent := c.bytesIn.Swap(0); sent > 0 {
			senders = append(senders, sender{c, sent})
			total += uint64(sent)
		}
	}
	slices.SortFunc(senders, func(a, b sender) int { return cmp.Compare(b.sent, a.sent) })
	taken := uint64(0)
	for _, s := range senders {
		if taken >= (total+1)/2 {
			break
		}
		taken += uint64(s.sent)
		s.conn.hold()
		e.held[s.conn] = struct{}{}
	}
	for c := range before {
		if _, again := e.held[c]; !again {
			c.endHold()
		}
	}
}

// ReleaseHeld has all connections be read again that HoldGreediest stopped.
func (e *Engine) ReleaseHeld() {
	e.holding.Lock()
	defer e.holding.Unlock()
	for c := range e.held {
		c.endHold()
	}
	e.held = nil
}

// InFlight is how many messages are not done, and how many may be.
func (e *Engine) InFlight() (running, limit int) {
	return int(e.dispatcher.running.Load()), e.dispatcher.limit
}
