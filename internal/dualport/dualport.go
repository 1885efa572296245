// Package dualport serves plain HTTP and TLS on one port, and keeps the header
// lines of each request as the client wrote them.
//
// The first byte that a client sends tells TLS from plain HTTP. It is looked at
// when the connection is first read, not in Accept, so a slow client does not
// hold up others, and the HTTP server's own time limits apply to it, also
// during the TLS handshake.
//
// net/http rewrites header names to their canonical form. Attach makes a server
// remember the original ones, and Header gives them to a handler.
//
// The gateway's public port and the endpoint of local functions use it.
package dualport

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/stagedoor/stagedoor/internal/pushserver"
)

type listener struct {
	net.Listener
	config *tls.Config
}

// NewListener returns a listener whose connections are *Conn, made from those
// of inner. They speak TLS with config when the client does. With a nil config
// every connection is plain.
//
// HTTP/2 is not offered: WebSocket handshakes are HTTP/1.1. Other protocols that
// config names, such as acme-tls/1, are.
func NewListener(inner net.Listener, config *tls.Config) net.Listener {
	return &listener{inner, http1Only(config)}
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(conn, nil, l.config), nil
}

func http1Only(config *tls.Config) *tls.Config {
	if config == nil {
		return nil
	}
	config = config.Clone()
	protocols := []string{"http/1.1"}
	for _, protocol := range config.NextProtos {
		if protocol != "h2" && protocol != "http/1.1" {
			protocols = append(protocols, protocol)
		}
	}
	config.NextProtos = protocols
	return config
}

type connKey struct{}
type headKey struct{}

// Attach prepares srv for connections of this package: it sets Request.TLS for
// those that speak TLS, and makes Header work. It must be called before srv
// serves and after its Handler is set. The server's own ConnContext and
// ConnState are still called.
//
// A client has answerTime to take an answer, from the answer's first byte to
// its last, and a second more for each 64 KiB that it took; then the connection
// fails. Unlike http.Server.WriteTimeout, that does not include the time that a
// handler takes before it answers. 0 stands for no limit, and a hijacked
// connection has none.
//
// Requests to @connections on plain connections are answered by package pushserver,
// with the same handler. http.Server.Shutdown does not wait for them: stop does. It
// stops the server, waits for all requests that are under way until ctx ends, and then
// closes their connections. Its error is nil when net/http had none to close.
func Attach(srv *http.Server, answerTime time.Duration) (stop func(ctx context.Context) error) {
	connContext, connState, handler := srv.ConnContext, srv.ConnState, srv.Handler
	pushes := &pushserver.Server{
		Handler: handler, HeaderBytes: cmp.Or(srv.MaxHeaderBytes, http.DefaultMaxHeaderBytes),
		IdleTime: cmp.Or(srv.IdleTimeout, srv.ReadTimeout), AnswerTime: answerTime,
	}

	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if connContext != nil {
			ctx = connContext(ctx, c)
		}
		if conn, ok := c.(*Conn); ok {
			conn.record()
			conn.limitAnswers(answerTime)
			ctx = context.WithValue(ctx, connKey{}, conn)
			conn.scope = context.WithValue(ctx, http.LocalAddrContextKey, c.LocalAddr())
		}
		return ctx
	}
	srv.ConnState = func(c net.Conn, state http.ConnState) {
		if conn, ok := c.(*Conn); ok {
			conn.follow(state, pushes)
		}
		if connState != nil {
			connState(c, state)
		}
	}
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn := FromRequest(r); conn != nil {
			conn.AwaitAnswer()
			if head, found := conn.takeHead(r.Method, r.RequestURI); found {
				r = r.WithContext(context.WithValue(r.Context(), headKey{}, head))
			}
			if r.TLS == nil {
				r.TLS = conn.connectionState()
			}
		}
		handler.ServeHTTP(w, r)
	})
	return func(ctx context.Context) error {
		err := srv.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, srv.Close())
		}
		pushes.Wait(ctx)
		return err
	}
}

// follow is told of each state that net/http puts the connection in.
func (c *Conn) follow(state http.ConnState, pushes *pushserver.Server) {
	switch state {
	case http.StateIdle:
		if recorder := c.recorder.Load(); recorder == nil || !recorder.answered() || c.IsTLS() || !c.settled.Load() {
			return
		}
		if c.pushes.Load() == nil {
			c.pushes.Store(pushes.NewConn(c.scope, c.raw))
		}
		c.between = true
	case http.StateHijacked:
		c.stopRecording()
		c.unlimit()
	case http.StateClosed:
		c.stopRecording()
	}
}

// FromRequest returns the connection that r came on, or nil when the server was
// not attached or does not listen through this package.
func FromRequest(r *http.Request) *Conn {
	conn, _ := r.Context().Value(connKey{}).(*Conn)
	return conn
}

// HasWholeBody reports whether the body of a request had come before the request was
// passed on.
func HasWholeBody(r *http.Request) bool { return pushserver.HeadOf(r) != nil }
