package gateway

import (
	"testing"
	"unsafe"
)

// A million connections are held: what each needs of the gateway itself stays in
// a size class of Go's allocator, with its message bucket and its place among the
// open ones.
func TestSizes(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(connection{}); size > 160 {
		t.Errorf("a connection has %d bytes", size)
	}
	if size := unsafe.Sizeof(pipeline{}); size > 352 {
		t.Errorf("an event on its way has %d bytes", size)
	}
}
