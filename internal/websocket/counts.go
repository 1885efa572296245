package websocket

import "sync/atomic"

// Counts are what an engine has done since its start, and what it holds. Bytes are those
// of frames, with their headers and without TLS.
type Counts struct {
	ReceivedFrames, ReceivedBytes uint64
	SentFrames, SentBytes         uint64 // queued for peers
	InFlight, Waiting             int    // messages with the handler, and those whose turn has not come
	QueueBytes                    int64  // memory of what waits for peers whose sockets are full
}

// tally counts frames of some of the connections, so that the loops don't write to one
// cache line.
type tally struct {
	receivedFrames, receivedBytes, sentFrames, sentBytes atomic.Uint64
	_                                                    [32]byte // alone on its cache line
}

// tallies is a power of two.
const tallies = 16

// tally is the connection's.
func (c *Conn) tally() *tally { return &c.engine.tallies[c.slot%tallies] }

// countReceived counts frames that ended among bytes of the peer.
func (c *Conn) countReceived(frames, bytes int) {
	t := c.tally()
	t.receivedFrames.Add(uint64(frames)) // never negative, as what follows
	t.receivedBytes.Add(uint64(bytes))
}

// countSent counts a frame that is queued.
func (c *Conn) countSent(payload int) {
	t := c.tally()
	t.sentFrames.Add(1)
	t.sentBytes.Add(uint64(headerSize(payload) + payload))
}

// Counts returns the counts as they are now.
func (e *Engine) Counts() Counts {
	n := Counts{InFlight: int(e.dispatcher.running.Load()), Waiting: e.dispatcher.waiting(), QueueBytes: e.budget.unsent.Load()}
	for i := range e.tallies {
		t := &e.tallies[i]
		n.ReceivedFrames += t.receivedFrames.Load()
		n.ReceivedBytes += t.receivedBytes.Load()
		n.SentFrames += t.sentFrames.Load()
		n.SentBytes += t.sentBytes.Load()
	}
	return n
}

// waiting is how many messages wait for their turn.
func (d *dispatcher) waiting() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.ring {
		n += len(s.waiting) - s.first
	}
	return n
}
