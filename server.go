package stagedoor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"

	"github.com/stagedoor/stagedoor/internal/listener"
)

// listen opens a port and serves it with handler: TLS too, where a
// configuration is given. It is for one developer's machine, where all clients
// are one source.
func listen(ctx context.Context, address string, handler http.Handler, config *tls.Config) (*listener.Server, error) {
	port, err := openPort(ctx, address)
	if err != nil {
		return nil, err
	}
	return listener.Serve(port, handler, listener.Options{TLS: config, Limits: listener.Limits{PerSource: -1}}), nil
}

// openPort opens a port. Clients that connect wait until somebody accepts.
func openPort(ctx context.Context, address string) (net.Listener, error) {
	// Kernel keep-alive timers of a million connections are a load of their
	// own; dead peers are found by the idle timeout.
	port, err := (&net.ListenConfig{KeepAlive: -1}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is in use by another program; choose another, or port 0 for any free one", address)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return port, nil
}
