package stagedoor

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/internal/dualport"
)

// server is an HTTP server on a listener of its own.
type server struct {
	http     *http.Server
	listener net.Listener
	done     chan struct{} // closed when serving has ended
}

// serverOptions are what a server is made with.
type serverOptions struct {
	tls    *tls.Config   // nil: plain HTTP only
	header time.Duration // for a client to send a request's header; 0: 10 s
	idle   time.Duration // between two requests on a connection; 0: 1 min
}

// listen opens a port and serves it with handler: TLS too, where a
// configuration is given.
func listen(ctx context.Context, address string, handler http.Handler, config *tls.Config) (*server, error) {
	listener, err := openPort(ctx, address)
	if err != nil {
		return nil, err
	}
	return serveOn(listener, handler, serverOptions{tls: config}), nil
}

// openPort opens a port. Clients that connect wait until somebody accepts.
func openPort(ctx context.Context, address string) (net.Listener, error) {
	// Kernel keep-alive timers of a million connections are a load of their
	// own; dead peers are found by the idle timeout.
	listener, err := (&net.ListenConfig{KeepAlive: -1}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is in use by another program; choose another, or port 0 for any free one", address)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return listener, nil
}

// serveOn serves what a listener accepts.
func serveOn(listener net.Listener, handler http.Handler, o serverOptions) *server {
	s := &server{
		http: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: cmp.Or(o.header, 10*time.Second),
			IdleTimeout:       cmp.Or(o.idle, time.Minute),
			MaxHeaderBytes:    32 << 10,
			ErrorLog:          log.New(io.Discard, "", 0), // what clients do wrong is no one's business here
		},
		listener: dualport.NewListener(listener, o.tls),
		done:     make(chan struct{}),
	}
	dualport.Attach(s.http)
	go func() {
		defer close(s.done)
		_ = s.http.Serve(s.listener) // ends when the server is closed
	}()
	return s
}

// url is the address that clients on this machine reach the server by.
func (s *server) url() string {
	address := s.listener.Addr().(*net.TCPAddr)
	host := address.IP.String()
	if address.IP.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(address.Port))
}

// stopAccepting refuses new connections from now on; those that are open stay.
func (s *server) stopAccepting() {
	_ = s.listener.Close() // it cannot be of use any more, whatever this says
	<-s.done
}

// close stops the server. Requests under way have until ctx ends.
func (s *server) close(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	<-s.done
}
