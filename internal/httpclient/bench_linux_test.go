package httpclient

import (
	"net/http"
	"testing"

	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/eventloop"
)

// repeater starts a call again when it has been answered, until there were enough.
type repeater struct {
	b      testing.TB
	client *Client
	loop   *eventloop.Loop
	r      *Request
	left   int
	done   chan struct{}
}

// Answer implements Caller.
func (o *repeater) Answer(r *Response, err error) {
	if err != nil || r.Status != http.StatusOK {
		o.b.Error(r, err)
		o.left = 0
	}
	if o.left--; o.left <= 0 {
		o.done <- struct{}{}
		return
	}
	o.start()
}

func (o *repeater) start() { o.client.Start(o.b.Context(), o.loop, o.r, o) }

// BenchmarkStart is BenchmarkClient on an event loop.
func BenchmarkStart(b *testing.B) {
	r := messageRequest(b)
	r.WithoutHeader = true
	client := New(Options{})
	defer client.Close()
	o := &repeater{b: b, client: client, loop: newLoop(b), r: r, left: b.N, done: make(chan struct{}, 1)}
	b.ReportAllocs()
	b.ResetTimer()
	o.loop.Post(o.start)
	<-o.done
}

// A call on a loop takes no allocation.
func TestStartAllocations(t *testing.T) { // not parallel: it counts those of the process
	r := request(t, "http://"+talker(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), "hello")
	r.WithoutHeader = true
	o := &repeater{b: t, client: newClient(t), loop: newLoop(t), r: r, done: make(chan struct{}, 1)}
	start := o.start
	allocations.AtMost(t, 0, func() {
		o.left = 1
		o.loop.Post(start)
		<-o.done
	})
}
