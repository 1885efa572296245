package websocket

// queue is what waits to be written to a socket: a list of buffers. Small
// frames that wait share a buffer, so that a backlog takes few system calls, and
// larger ones have a buffer that fits.
type queue struct {
	head, tail *buffer
	held       uint32 // capacity of the buffers, in bytes
	counted    uint32 // what of it is in budget.waiting
	progress   int64  // when the socket was last found full after taking bytes; 0: it isn't full
}

// backlogBuffer is the least size of a buffer for frames behind other frames.
const backlogBuffer = 4096

// growth is how many bytes of memory the queue takes more with size bytes more.
func (q *queue) growth(size int) int {
	if q.tail != nil && q.tail.room() >= size {
		return 0
	}
	return max(size, backlogBuffer)
}

// space returns a buffer at the end of the queue with room for size bytes. The
// first is of the pool, since it seldom stays.
func (q *queue) space(size int) *buffer {
	var b *buffer
	switch {
	case q.tail == nil:
		b = newBuffer(size)
		q.head = b
	case q.tail.room() >= size:
		return q.tail
	case size <= backlogBuffer:
		b = newBuffer(backlogBuffer)
		q.tail.next = b
	default:
		b = fittedBuffer(size)
		q.tail.next = b
	}
	q.tail = b
	q.held += uint32(cap(b.data))
	return b
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
	q.head.sent += n
	if q.head.sent < len(q.head.data) {
		return
	}
	first := q.head
	if q.head = first.next; q.head == nil {
		q.tail, q.progress = nil, 0
	}
	q.held -= uint32(cap(first.data))
	first.free()
}

// fit has the first buffer take no more memory than what is left in it needs,
// before it waits. No write may be under way.
func (q *queue) fit() {
	first := q.head
	left := first.data[first.sent:]
	if first != q.tail || cap(first.data) <= backlogBuffer || len(left) > cap(first.data)*3/4 {
		return
	}
	b := fittedBuffer(max(len(left), backlogBuffer))
	b.data = append(b.data, left...)
	q.held += uint32(cap(b.data)) - uint32(cap(first.data))
	q.head, q.tail = b, b
	first.free()
}

// drop forgets everything that waits. The buffers aren't pooled again: a write
// may be under way on the first.
func (q *queue) drop() { *q = queue{counted: q.counted} }
