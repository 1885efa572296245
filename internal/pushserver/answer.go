package pushserver

import (
	"context"
	"io"
	"net/http"
	"time"
)

// scope is the context of requests. It does not end.
type scope struct {
	context.Context
	head Head
}

// Head is the head of a request of this package, as the client sent it. It may be used
// until the request is answered.
type Head struct{ Text string }

// HeadOf returns the head of a request of this package, nil for others.
func HeadOf(r *http.Request) *Head {
	head, _ := r.Context().Value(headKey{}).(*Head)
	return head
}

type headKey struct{}

// Value implements context.Context.
func (s *scope) Value(key any) any {
	if _, ok := key.(headKey); ok {
		return &s.head
	}
	return s.Context.Value(key)
}

// body is the body of a request.
type body struct{ rest []byte }

func (b *body) Read(p []byte) (n int, err error) {
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n = copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *body) Close() error { return nil }

// answer has the handler answer the request that was parsed. An error says that the
// connection is to be closed.
func (c *Conn) answer(p []byte) error {
	h := &c.head
	c.scope.head.Text = h.text
	r := &c.request
	*r = *c.blank
	r.URL, r.RequestURI, r.Host, r.ContentLength = h.url, h.target, h.host, int64(h.length)
	r.Body = http.NoBody
	if h.length > 0 {
		c.body.rest = p[len(h.text):h.size()]
		r.Body = &c.body
	}
	clear(r.Header)
	h.fill(r.Header)

	now := time.Now()
	w := &c.response
	w.begin(c, now)
	c.server.Handler.ServeHTTP(w, r)
	return w.finish()
}

// write writes a part of an answer. The client has its time for all that it gets of
// answers that begin within the slack.
func (c *Conn) write(p []byte, now time.Time) error {
	if limit := c.server.AnswerTime; limit > 0 && now.Sub(c.writable) > slack {
		c.writable = now
		if err := c.socket.SetWriteDeadline(now.Add(limit + slack)); err != nil {
			return err
		}
	}
	_, err := c.socket.Write(p)
	return err
}
