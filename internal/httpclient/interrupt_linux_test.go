package httpclient

import (
	"bufio"
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// A context that ends just when a call has its answer does nothing to that call any more,
// nor to the next one that is made of it.
func TestStartInterruptedAtItsEnd(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
		if _, ok := receive(in); ok {
			<-release
			answer(c, "x")
		}
		echoes(c, in)
	})
	client, loop := newClient(t), newLoop(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first := start(ctx, client, loop, request(t, url, "x"))
	quiet(t, loop, func() {})
	b := client.loops.find(loop)
	// While the watches are held, as they are when a context has ended, the answer comes,
	// and the loop gets as far as to leave its watch.
	b.watches.mu.Lock()
	var o *call
	for c := range b.watches.byDone[ctx.Done()].calls {
		o, _ = c.(*call)
	}
	leg := o.leg.Load()
	close(release)
	time.Sleep(50 * time.Millisecond) // for the loop to get there; where it does not, less is tested
	cancel()
	o.interrupt()
	b.watches.mu.Unlock()
	if got := first.next(t); got.err != nil && !errors.Is(got.err, context.Canceled) {
		t.Error(got.err)
	}
	quiet(t, loop, func() {}) // what was posted has run
	if n := o.leg.Load() - leg; n != 1 {
		t.Errorf("the call has ended %d times", n)
	}
	ask(t, client, loop, request(t, url, "y")).want(t, "y")
}
