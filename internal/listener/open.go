package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Open opens a port. Clients that connect wait until somebody accepts.
func Open(ctx context.Context, address string) (net.Listener, error) {
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
