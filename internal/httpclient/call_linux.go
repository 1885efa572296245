package httpclient

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/eventloop"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// call is a call that was started. It is on one loop at a time, whose goroutine alone
// uses it: the loop of its caller, its home, or that of its socket. The two differ where as
// many sockets are open as may be, and none of the caller's loop is idle.
type call struct {
	ctx      context.Context
	request  *Request
	to       Caller
	deadline time.Time
	home, on *branch

	// leg is another number each time that the call comes to a loop or leaves one:
	// what was posted for a leg does nothing later.
	leg   atomic.Uint64
	watch *watch          // of ctx, on this leg
	timer eventloop.Timer // on this leg

	// What the call has, or waits for.
	waiter turnstile.Waiter
	lane   *turnstile.Lane    // it is the call's turn
	host   *host              // the call has a slot there
	cancel context.CancelFunc // ends the dialling of a connection
	socket *socket
	state  callState

	// The outcome.
	parser   parser
	body     []byte // where the parser puts it, if it fits
	response Response
	err      error

	// The methods that are posted, so that posting takes no allocation.
	begin, arrive, deliver func()
}

// callState is what a call does.
type callState int

const (
	callWaits callState = iota // for its turn, which is told by post
	callDials                  // in a goroutine, which tells by post
	callTalks                  // connects, or sends and receives
	callLate                   // the caller has an answer, but Turn or the dialler has yet to come
)

// maxScratch is the capacity, in bytes, of what calls keep for the next ones.
const maxScratch = 8 << 10

var callPool sync.Pool // of *call

// newCall returns a call that is not used.
func newCall() *call {
	if o, _ := callPool.Get().(*call); o != nil {
		return o
	}
	o := new(call)
	o.begin, o.arrive, o.deliver = o.turned, o.arrived, o.delivered
	return o
}

// startPlain starts a call by the client's branch on the loop. It reports whether there is one.
func (c *Client) startPlain(ctx context.Context, loop *eventloop.Loop, r *Request, to Caller) bool {
	b := c.loops.of(c, loop)
	if b == nil {
		return false
	}
	o := newCall()
	o.ctx, o.request, o.to, o.home, o.deadline = ctx, r, to, b, time.Now().Add(r.Timeout)
	o.state = callWaits
	lane, err := c.turns.Start(turnstile.Call{Backend: c.backend(r), Patient: r.Patient}, &o.waiter, o)
	if err != nil {
		o.release()
		to.Answer(nil, err)
		return true
	}
	o.come(b, r.Timeout)
	if lane != nil {
		o.lane = lane
		o.enter()
	}
	return true
}

// come begins a leg.
func (o *call) come(b *branch, timeout time.Duration) {
	o.on = b
	b.loop.StartTimer(&o.timer, timeout, o)
	o.watch = b.watches.watch(o.ctx, o)
}

// depart ends a leg, and reports whether the context has ended meanwhile.
func (o *call) depart() (ended bool) {
	o.on.loop.StopTimer(&o.timer)
	ended = o.on.watches.unwatch(o.watch, o)
	o.leg.Add(1) // only now: until unwatch has returned, interrupt may post for this leg
	return ended
}

// Turn implements turnstile.Turner.
func (o *call) Turn(l *turnstile.Lane) {
	o.lane = l
	o.home.post(o.begin)
}

// turned is posted when it is the call's turn.
func (o *call) turned() {
	if o.state == callLate {
		o.leave()
		o.release()
		return
	}
	o.enter()
}

// enter takes a slot, and goes where it is used.
func (o *call) enter() {
	own := o.home.host(o.home.client.backend(o.request))
	at := own.take()
	switch {
	case at == &own.keeper:
		o.run(own)
	case at.host == nil: // an idle connection of calls that block is closed for it
		own.move(at)
		at.drop()
		o.run(own)
	default:
		o.depart()
		o.host = at.host
		at.host.branch.post(o.arrive)
	}
}

// arrived is posted to the loop of the socket.
func (o *call) arrived() {
	o.come(o.host.branch, time.Until(o.deadline))
	o.run(o.host)
}

// run sends the request over an idle socket of a host, or over a new one.
func (o *call) run(h *host) {
	o.host, o.state = h, callTalks
	if s := h.pop(); s != nil {
		o.talk(s)
	} else if !h.ip.IsValid() {
		o.dial()
	} else if s, err := connect(h, o); err != nil {
		o.fail(err)
	} else if o.socket = s; s.connecting {
		h.branch.loop.StartTimer(&o.timer, min(time.Until(o.deadline), dialTimeout), o)
	}
}

// dial has package net connect to a host, whose name it has to look up.
func (o *call) dial() {
	ctx, cancel := context.WithDeadline(o.ctx, o.deadline)
	o.cancel, o.state = cancel, callDials
	h := o.host
	go func() {
		conn, err := h.branch.client.dial(ctx, "tcp", h.backend)
		fd := -1
		if err == nil {
			fd, err = detach(conn)
		}
		h.branch.post(func() { o.dialled(fd, err) })
	}()
}

// dialled is posted with the socket, or with what came instead.
func (o *call) dialled(fd int, err error) {
	o.cancel()
	o.cancel = nil
	var s *socket
	if err == nil {
		s, err = adopt(o.host, fd)
	}
	if o.state == callLate {
		if s != nil {
			o.host.put(s)
		} else {
			o.host.free()
		}
		o.leave()
		o.release()
		return
	}
	if o.state = callTalks; err != nil {
		o.fail(err)
		return
	}
	o.talk(s)
}

// talk sends the request over a socket, which is connected.
func (o *call) talk(s *socket) {
	o.socket, s.call = s, o
	r, b := o.request, o.host.branch
	head, err := appendWholeHead(b.request[:0], r)
	if err != nil {
		o.fail(err)
		return
	}
	if o.body == nil { // those that wait have none
		o.body = make([]byte, 0, 512)
	}
	o.parser.begin(r.Method, !r.WithoutHeader, o.body)
	if len(r.Body) <= maxPlainBody {
		head = append(head, r.Body...)
		err = s.write(head)
	} else {
		err = s.writeBoth(head, r.Body)
	}
	if cap(head) <= maxPooled {
		b.request = head
	}
	if err != nil {
		o.broken(err)
	}
}

// broken handles a socket that failed: the request is sent again where that is safe.
func (o *call) broken(err error) {
	s, h := o.socket, o.host
	again := s.used && o.parser.untouched() && (isIdempotent(o.request.Method) || s.unheard(err))
	if !again {
		o.fail(s.describe(err, &o.parser))
		return
	}
	o.drop()
	h.lose() // the slot of the next one, if there is one: the call has its own
	o.run(h)
}

// Expired implements eventloop.Expirer.
func (o *call) Expired(*eventloop.Timer) {
	var err error = context.DeadlineExceeded
	if s := o.socket; s != nil && s.connecting {
		err = &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(o.host.ip), Err: err}
	}
	o.fail(err)
}

// interrupt implements interruptible: the context has ended.
func (o *call) interrupt() {
	leg := o.leg.Load()
	o.on.post(func() {
		if o.leg.Load() == leg {
			o.fail(o.ctx.Err())
		}
	})
}

// drop closes the call's socket.
func (o *call) drop() {
	if o.socket != nil {
		o.socket.close()
		o.socket = nil
	}
}

// leave makes room for the next call of the backend.
func (o *call) leave() {
	l := o.lane
	o.lane = nil
	l.Leave()
}

// fail ends the call with an error, whatever it does. What Turn or the dialler may bring
// later is given back then.
func (o *call) fail(err error) {
	switch o.state {
	case callWaits:
		if !o.waiter.Abandon() {
			o.abandon(err)
			return
		}
	case callDials:
		o.cancel()
		o.abandon(err)
		return
	default:
		o.drop()
		o.host.free()
		o.leave()
	}
	o.err = err
	o.end()
}

// abandon answers a call that something will still come for.
func (o *call) abandon(err error) {
	o.depart()
	o.state = callLate
	to := o.to
	if o.on == o.home {
		to.Answer(nil, err)
		return
	}
	o.home.post(func() { to.Answer(nil, err) })
}

// end brings the call home, where its caller gets the outcome.
func (o *call) end() {
	if ended := o.depart(); ended && o.err != nil {
		o.err = o.ctx.Err()
	}
	if o.on == o.home {
		o.delivered()
		return
	}
	o.home.post(o.deliver)
}

// delivered is posted home with the outcome.
func (o *call) delivered() {
	if o.err != nil {
		o.to.Answer(nil, o.err)
	} else {
		p := &o.parser
		o.response = Response{Status: p.head.status, Header: p.head.header, Body: p.body}
		o.to.Answer(&o.response, nil)
		if cap(p.body) <= maxScratch {
			o.body = p.body[:0]
		}
	}
	o.release()
}

// release has the call used for another.
func (o *call) release() {
	o.ctx, o.request, o.to, o.home, o.on, o.watch = nil, nil, nil, nil, nil, nil
	o.host, o.socket, o.response, o.err = nil, nil, Response{}, nil
	if cap(o.parser.kept) > maxScratch {
		o.parser.kept = nil
	}
	o.parser.begin("", false, nil)
	callPool.Put(o)
}
