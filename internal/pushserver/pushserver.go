// Package pushserver answers requests to @connections on a connection that net/http
// serves, in its place, while net/http waits for the connection's next request.
//
// A push is small, and what net/http does for a request costs more than the push. So
// requests of one strict form are read and answered here: POST to a path that has
// @connections in it, in HTTP/1.1, with a Content-Length, with printable ASCII in the
// head, whole in one buffer. They go to the same http.Handler as all others, which alone
// knows what they mean, and the answer is byte for byte the one that net/http makes of
// what the handler says. Whatever has another form goes to net/http from its first byte,
// with all that follows: nothing is refused here, and nothing is read here that net/http
// would read otherwise.
//
// Package dualport uses it for the connections of its servers.
package pushserver

import (
	"context"
	"maps"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Server is what the connections of a server have in common. It must not be changed
// once there is one.
type Server struct {
	// Handler answers the requests. When it returns it must be done with the request,
	// its header and its body. It sends no trailers and hijacks nothing, and an answer
	// of the statuses 100 to 199 is left out.
	Handler http.Handler
	// HeaderBytes is the largest size of a head, in bytes.
	HeaderBytes int
	// IdleTime is how long a client may take until its next request, and AnswerTime
	// how long to take an answer, each up to a second more; 0: for ever.
	IdleTime, AnswerTime time.Duration

	mu   sync.Mutex
	late map[*Conn]chan struct{} // those that CloseLater leaves open, until the channel is closed; guarded by mu
}

// Wait waits until the connections are closed that CloseLater has left open. When ctx
// ends, it closes them without their answers.
func (s *Server) Wait(ctx context.Context) {
	s.mu.Lock()
	late := maps.Clone(s.late)
	s.mu.Unlock()
	for c, closed := range late {
		select {
		case <-closed:
		case <-ctx.Done():
			_ = c.socket.Close() // nobody is told of a failure
		}
	}
}

// Conn is a connection of a Server. It is used by the goroutine of net/http that reads
// the connection; only CloseLater may be called by others.
type Conn struct {
	server *Server
	socket net.Conn
	state  atomic.Int32

	scope    scope
	blank    *http.Request // has what is the same in all requests
	request  http.Request
	head     head
	body     body
	response response

	// When the deadlines of the socket were set last; zero: not by this package.
	readable, writable time.Time
	hurried            bool // the deadline of reading is that of the rest of a request
}

// States of a connection.
const (
	waiting int32 = iota // for a request
	busy                 // a request has come, perhaps in part, and is not answered
	closing              // as busy; then the socket is to be closed
	closed               // no request is answered any more
)

// NewConn makes a connection of a socket that net/http serves. The context is that of
// its requests.
func (s *Server) NewConn(ctx context.Context, socket net.Conn) *Conn {
	c := &Conn{server: s, socket: socket}
	c.scope.Context = ctx
	c.blank = (&http.Request{
		Method: http.MethodPost, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header), RemoteAddr: socket.RemoteAddr().String(),
	}).WithContext(&c.scope)
	c.response.header = make(http.Header)
	return c
}

// CloseLater ends the connection. It reports whether a request is being answered. If so
// the socket is closed when that is done, and the caller must not close it; otherwise
// the caller must.
func (c *Conn) CloseLater() bool {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.state.CompareAndSwap(busy, closing) {
		if s.late == nil {
			s.late = make(map[*Conn]chan struct{})
		}
		s.late[c] = make(chan struct{})
		return true
	}
	return !c.state.CompareAndSwap(waiting, closed) && c.state.Load() == closing
}

// closeNow does what CloseLater has left to do.
func (c *Conn) closeNow() {
	_ = c.socket.Close() // nobody is told of a failure
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.late[c])
	delete(s.late, c)
}

const (
	// grace is how long the rest of a request may take that has come in part, before
	// it is up to net/http, which has limits of time for that.
	grace = time.Second
	// slack is how long a deadline of the socket is left as it is.
	slack = time.Second
	// turns is how many times a client that is always ready comes before the others have
	// their turn.
	turns = 4
)

// Serve answers requests until one comes that is not of its form. That is in p then, or
// the beginning of it: n bytes. p is the buffer of net/http. An error is one of the
// socket, or says that it is to be closed; n is 0 then.
//
// It must be called between two requests only: when every byte that was read of the
// socket belongs to a request that is answered, the last of which was a POST.
func (c *Conn) Serve(p []byte) (n int, err error) {
	defer func() {
		if c.state.Swap(waiting) == closing {
			c.closeNow()
			n, err = 0, net.ErrClosed
		}
	}()
	c.readable, c.writable, c.hurried = time.Time{}, time.Time{}, false // net/http has set its own deadlines
	for turn := 1; ; turn++ {
		if turn%turns == 0 {
			runtime.Gosched()
		}
		m, readErr := c.socket.Read(p[n:])
		if n += m; n == 0 {
			return 0, readErr
		}
		if !c.state.CompareAndSwap(waiting, busy) && c.state.Load() == closed {
			return 0, net.ErrClosed
		}
		used, form, err := c.answerAll(p[:n], len(p))
		if err != nil {
			return 0, err
		}
		n = copy(p, p[used:n])
		switch {
		case form == foreign || form == partial && readErr != nil:
			c.handOver() // an error of the socket comes again, or its time was up
			return n, nil
		case form == partial && used > 0 && c.state.Load() == closing:
			return 0, net.ErrClosed
		case form == partial:
			c.awaitRest(used > 0)
		case !c.state.CompareAndSwap(busy, waiting):
			return 0, net.ErrClosed
		default:
			c.awaitNext()
		}
	}
}

// answerAll answers the requests that are whole in p. It returns how many bytes that
// were, and the form of what follows: whole, if that is nothing. room is the size of the
// buffer.
func (c *Conn) answerAll(p []byte, room int) (used int, f form, err error) {
	for used < len(p) {
		rest := p[used:]
		blank := leadingBlank(rest)
		switch f = c.head.parse(rest[blank:], min(room-blank, c.server.HeaderBytes), room-blank); f {
		case foreign:
			return used, foreign, nil
		case partial:
			return used, partial, nil
		}
		if err := c.answer(rest[blank:]); err != nil {
			return 0, whole, err
		}
		used += blank + c.head.size()
	}
	return used, whole, nil
}

// mostBlank is how many characters of line ends net/http passes over behind a POST.
const mostBlank = 4

// leadingBlank is how many of these p begins with.
func leadingBlank(p []byte) (n int) {
	for n < min(len(p), mostBlank) && (p[n] == '\r' || p[n] == '\n') {
		n++
	}
	return n
}

// awaitNext sets the time until the next request.
func (c *Conn) awaitNext() {
	c.hurried = false
	now := time.Now()
	if limit := c.server.IdleTime; limit > 0 && now.Sub(c.readable) > slack {
		c.readable = now
		_ = c.socket.SetReadDeadline(now.Add(limit + slack)) // fails when the socket is closed, and so does the next read
	}
}

// awaitRest sets the time for the rest of a request that has come in part. more says
// that it is not the one that it was set for last.
func (c *Conn) awaitRest(more bool) {
	if c.hurried && !more {
		return
	}
	c.hurried, c.readable = true, time.Time{}
	_ = c.socket.SetReadDeadline(time.Now().Add(grace))
}

// handOver leaves the socket as net/http has it between two requests.
func (c *Conn) handOver() {
	if !c.hurried && c.readable.IsZero() {
		return
	}
	c.hurried, c.readable = false, time.Time{}
	var end time.Time
	if c.server.IdleTime > 0 {
		end = time.Now().Add(c.server.IdleTime)
	}
	_ = c.socket.SetReadDeadline(end)
}
