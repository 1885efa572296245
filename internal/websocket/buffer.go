package websocket

import (
	"math/bits"
	"slices"
	"sync"
)

// Buffers come in classes of powers of two from 256 bytes to 256 KiB; larger
// ones are made to measure and left to the garbage collector.
const (
	smallestBuffer = 256
	bufferClasses  = 11
)

var bufferPools [bufferClasses]sync.Pool

// buffer is a pooled byte slice. It belongs to exactly one holder at a time.
type buffer struct {
	data []byte
	next *buffer // in a queue
	sent int     // bytes of data already written to the socket
}

// newBuffer takes an empty buffer with room for at least size bytes.
func newBuffer(size int) *buffer {
	class := bufferClass(size)
	if class >= bufferClasses {
		return &buffer{data: make([]byte, 0, size)}
	}
	if b, ok := bufferPools[class].Get().(*buffer); ok {
		return b
	}
	return &buffer{data: make([]byte, 0, smallestBuffer<<class)}
}

// fittedBuffer makes an empty buffer for size bytes that is no larger than the
// allocator makes it anyway.
func fittedBuffer(size int) *buffer { return &buffer{data: slices.Grow([]byte(nil), size)} }

// free gives the buffer back; its holder must not touch it any more.
func (b *buffer) free() {
	if b == nil {
		return
	}
	class := bufferClass(cap(b.data))
	if class >= bufferClasses || cap(b.data) != smallestBuffer<<class {
		return
	}
	b.data, b.next, b.sent = b.data[:0], nil, 0
	bufferPools[class].Put(b)
}

// room is how many bytes can be appended in place.
func (b *buffer) room() int { return cap(b.data) - len(b.data) }

// grow returns a buffer with b's content and room for extra bytes more: b
// itself, or a larger one in its place.
func (b *buffer) grow(extra int) *buffer {
	if b.room() >= extra {
		return b
	}
	larger := newBuffer(max(len(b.data)+extra, 2*cap(b.data)))
	larger.data = append(larger.data, b.data...)
	b.free()
	return larger
}

// bufferClass is the smallest class that holds size bytes.
func bufferClass(size int) int {
	if size <= smallestBuffer {
		return 0
	}
	return bits.Len(uint(size-1)) - bits.Len(uint(smallestBuffer-1))
}
