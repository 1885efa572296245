package websocket

// queue is what waits to be written to a socket: a list of buffers. Small
// frames that wait share a buffer, so that a backlog takes few system calls.
type queue struct {
	head, tail *buffer
	bytes      int   // not yet written
	progress   int64 // when the socket was last found full after taking bytes; 0: it isn't full
}

// backlogBuffer is the least size of a buffer for frames behind other frames.
const backlogBuffer = 4096

// space returns a buffer at the end of the queue with room for size bytes,
// and counts them as queued.
func (q *queue) space(size int) *buffer {
	q.bytes += size
	if q.tail != nil {
		if q.tail.room() >= size {
			return q.tail
		}
		b := newBuffer(max(size, backlogBuffer))
		q.tail.next, q.tail = b, b
		return b
	}
	q.head = newBuffer(size)
	q.tail = q.head
	return q.head
}

// raw queues bytes as they are.
func (q *queue) raw(p []byte) {
	b := q.space(len(p))
	b.data = append(b.data, p...)
}

// frame queues one frame.
func (q *queue) frame(op byte, payload []byte) {
	b := q.space(headerSize(len(payload)) + len(payload))
	b.data = append(appendHeader(b.data, op, len(payload)), payload...)
}

// next is what to write next; empty when nothing waits.
func (q *queue) next() []byte {
	if q.head == nil {
		return nil
	}
	return q.head.data[q.head.sent:]
}

// advance takes n bytes, which next returned, off the queue.
func (q *queue) advance(n int) {
	q.bytes -= n
	q.head.sent += n
	if q.head.sent < len(q.head.data) {
		return
	}
	first := q.head
	if q.head = first.next; q.head == nil {
		q.tail, q.progress = nil, 0
	}
	first.free()
}

// drop forgets everything that waits. The buffers aren't pooled again: a write
// may be under way on the first.
func (q *queue) drop() { *q = queue{} }
