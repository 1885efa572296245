//go:build linux

package load

import (
	"bytes"
	"testing"
	"time"
)

// All that sockets take is answered, and counted as what it is.
func TestFlood(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		answer  []byte
		refused bool
	}{
		{frame([]byte(payload), [4]byte{}, false), false},
		{frame(bytes.Repeat([]byte("x"), 300), [4]byte{}, false), true},
	} {
		address := frames(t, test.answer)
		protocol := NewWebSocket(address, "/", []byte(payload))
		conns, err := Open(address, protocol, 3)
		if err != nil {
			t.Fatal(err)
		}
		f, err := conns.Flood(protocol, 3000, 100*time.Millisecond, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		f.Wait()
		conns.Close()
		answered, refused := f.Answered.Load(), f.Refused.Load()
		if test.refused {
			answered, refused = refused, answered
		}
		if f.Taken.Load() == 0 || answered != f.Taken.Load() || refused != 0 || f.Offered.Load() < f.Taken.Load() || f.Ended.Load() != 0 {
			t.Errorf("%d offered, %d taken, %d answered, %d otherwise, %d ended", f.Offered.Load(), f.Taken.Load(), answered, refused, f.Ended.Load())
		}
	}
}
