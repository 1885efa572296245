package stagedoor

import (
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

// listen opens a port and serves it with handler: TLS too, where a
// configuration is given.
func listen(ctx context.Context, address string, handler http.Handler, config *tls.Config) (*server, error) {
	// Kernel keep-alive timers of a million connections are a load of their
	// own; dead peers are found by the idle timeout.
	listener, err := (&net.ListenConfig{KeepAlive: -1}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is in use by another program; choose another, or port 0 for any free one", address)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	s := &server{
		http: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       time.Minute,
			MaxHeaderBytes:    32 << 10,
			ErrorLog:          log.New(io.Discard, "", 0), // what clients do wrong is no one's business here
		},
		listener: dualport.NewListener(listener, config),
		done:     make(chan struct{}),
	}
	dualport.Attach(s.http)
	go func() {
		defer close(s.done)
		_ = s.http.Serve(s.listener) // ends when the server is closed
	}()
	return s, nil
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

// close stops the server. Requests under way have until ctx ends.
func (s *server) close(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	<-s.done
}
