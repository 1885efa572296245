package gateway

import (
	"testing"
	"unsafe"
)

// A million connections are held: what each needs, that of the engine included, stays in
// a size class of Go's allocator.
func TestSizes(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(connection{}); size > 384 {
		t.Errorf("a connection has %d bytes", size)
	}
	if size := unsafe.Sizeof(pipeline{}); size > 704 {
		t.Errorf("an event on its way has %d bytes", size)
	}
}
