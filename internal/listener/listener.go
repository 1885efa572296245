// Package listener is the HTTP server in front of the gateway: one port, plain
// and TLS, with limits for hostile clients.
//
// A connection passes these gates before a handler sees its request:
//
//   - the number of connections that are no WebSockets yet, in total and per
//     source, in the accept loop (gate.go);
//   - the PROXY protocol, from trusted proxies (package forwarded);
//   - the time for the TLS handshake and the header, and the header's size;
//   - the request itself: its framing, the number of its lines, its target, the
//     time for its body (guard.go), and the time for the answer (package dualport);
//   - who the client is, where a trusted proxy says so (package forwarded).
//
// A connection that becomes a WebSocket has left the server, and uses no memory
// here.
//
// Packages server and dev open and serve their public and admin ports with it.
package listener

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/stagedoor/stagedoor/internal/dualport"
	"github.com/stagedoor/stagedoor/internal/forwarded"
)

// Options configure a port. The zero value serves plain HTTP with the default
// limits, and trusts no proxy.
type Options struct {
	// TLS, if it is set, is used with clients that begin with a TLS handshake.
	// HTTP/2 is not offered.
	TLS *tls.Config
	// Plain answers requests that do not come by TLS, for instance TLSRequired,
	// which refuses them. nil stands for the port's own handler.
	Plain http.Handler
	// Trusted are the proxies whose X-Forwarded-* lines are believed.
	Trusted forwarded.Networks
	// ProxyProtocol is set where connections from Trusted begin with a PROXY
	// header.
	ProxyProtocol bool
	// LeavesReserve closes connections that would take one of the process's last
	// file descriptors: package descriptors.
	LeavesReserve bool
	Limits        Limits
	// Refused is called for connections that were closed when they were
	// accepted. The accept loop calls it, so it must not wait for anything. It
	// may be nil.
	Refused func(source netip.Addr, reason string)
}

// Limits of one port. Zero stands for the default, less than zero for none.
type Limits struct {
	HeaderBytes int           // of the request line and the header: 32 KiB, and at most 60 KiB
	HeaderLines int           // 128
	URLBytes    int           // of the request target: 8 KiB
	HeaderTime  time.Duration // for the TLS handshake and the header, and before that for a PROXY header: 10 s
	BodyTime    time.Duration // for the body: 30 s
	WriteTime   time.Duration // for a client to take an answer, from its first byte, and a second more for each 64 KiB: 30 s
	IdleTime    time.Duration // between two requests: 1 min
	// Connections and PerSource are the largest numbers of connections that are
	// not WebSockets, or not yet: 16384, and 1024 from one IPv4 address or one
	// IPv6 /64 network. For trusted proxies only the total counts.
	Connections, PerSource int
}

func (l Limits) withDefaults() Limits {
	return Limits{
		HeaderBytes: headerBytes(l.HeaderBytes),
		HeaderLines: limit(l.HeaderLines, 128),
		URLBytes:    limit(l.URLBytes, 8<<10),
		HeaderTime:  limit(l.HeaderTime, 10*time.Second),
		BodyTime:    limit(l.BodyTime, 30*time.Second),
		WriteTime:   limit(l.WriteTime, 30*time.Second),
		IdleTime:    limit(l.IdleTime, time.Minute),
		Connections: limit(l.Connections, 16384),
		PerSource:   limit(l.PerSource, 1024),
	}
}

// headerBytes returns the limit for net/http, which accepts somewhat more than
// its limit: heads must not be larger than what package dualport keeps.
func headerBytes(value int) int {
	const tolerance = 4 << 10
	most := dualport.MaxHead - tolerance
	if value < 0 {
		return most
	}
	return min(cmp.Or(value, 32<<10), most)
}

// limit returns the value, its default, or 0 for no limit.
func limit[T int | time.Duration](value, standard T) T { return max(0, cmp.Or(value, standard)) }

// Server serves a port.
type Server struct {
	listener net.Listener
	stop     func(context.Context) error // of dualport.Attach
	accepted acceptance                  // of a connection
	done     chan struct{}               // closed when serving has ended
}

// Serve serves what inner accepts, until Close. Requests reach handler through
// the gates that the package's comment lists.
func Serve(inner net.Listener, handler http.Handler, o Options) *Server {
	limits := o.Limits.withDefaults()
	s := &Server{done: make(chan struct{})}
	g := newGate(limits, o)
	s.listener = inner
	if o.ProxyProtocol {
		// Without a limit of time a silent proxy would hold the connection for good.
		inner = forwarded.Listen(inner, o.Trusted, cmp.Or(limits.HeaderTime, time.Minute))
	}
	s.listener = dualport.NewListener(&gatedListener{inner, g, &s.accepted}, o.TLS)
	server := &http.Server{
		Handler:           guard(limits, forwarded.Handler(o.Trusted, byTransport(handler, o.Plain))),
		ReadHeaderTimeout: limits.HeaderTime,
		IdleTimeout:       limits.IdleTime,
		MaxHeaderBytes:    limits.HeaderBytes,
		ConnState:         leaveWhenHijacked,
		ErrorLog:          log.New(io.Discard, "", 0), // clients' mistakes are reported where they are refused
	}
	s.stop = dualport.Attach(server, limits.WriteTime)
	go func() {
		defer close(s.done)
		_ = server.Serve(s.listener) // ends when the server is closed
	}()
	return s
}

// byTransport passes requests that came by TLS to secure, and others to plain.
func byTransport(secure, plain http.Handler) http.Handler {
	if plain == nil {
		return secure
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			plain.ServeHTTP(w, r)
			return
		}
		secure.ServeHTTP(w, r)
	})
}

// TLSRequired refuses requests that should have come by TLS.
func TLSRequired() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "this port speaks TLS only")
	})
}

// Addr is the address that is listened on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// URL is the address that clients on this machine reach the server by, over
// plain HTTP.
func (s *Server) URL() string {
	address, ok := s.Addr().(*net.TCPAddr)
	if !ok {
		return s.Addr().String()
	}
	host := address.IP.String()
	if address.IP.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(address.Port))
}

// StopAccepting refuses new connections from now on; those that are open stay.
func (s *Server) StopAccepting() {
	_ = s.listener.Close() // it is not used any more, also after an error
	<-s.done
}

// Close stops the server. It waits for requests that are under way until ctx
// ends, and then closes their connections.
func (s *Server) Close(ctx context.Context) {
	_ = s.stop(ctx) // what was not done in time has no answer
	<-s.done
}
