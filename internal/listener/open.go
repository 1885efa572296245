package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Open opens a port. Clients can connect at once, and wait until their
// connections are accepted.
func Open(ctx context.Context, address string) (net.Listener, error) {
	// TCP keep-alive is off: its timers are a load with a million connections,
	// and the idle timeout finds dead peers.
	port, err := (&net.ListenConfig{KeepAlive: -1}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is in use by another program; choose another, or port 0 for any free one", address)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return port, nil
}
