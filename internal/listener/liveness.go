package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// Alive reports whether connections are accepted: it opens one from this machine
// and waits until the accept loop has taken that or another. The error says what
// had not happened when ctx ended. A process without descriptors left cannot ask,
// and counts as alive: it serves who is there. So does one that accepts nobody
// any more, on purpose.
func (s *Server) Alive(ctx context.Context) error {
	accepted := s.accepted.wait()
	address := s.Addr()
	conn, err := new(net.Dialer).DialContext(ctx, address.Network(), address.String())
	switch {
	case err == nil:
		defer conn.Close()
	case errors.Is(err, syscall.ECONNRESET): // it was accepted, and was one too many
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), s.hasEnded():
		return nil
	default:
		return fmt.Errorf("a connection to %s cannot be opened from this machine: %w", address, err)
	}
	select {
	case <-accepted:
		return nil
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("a connection to %s was not accepted: %w", address, ctx.Err())
	}
}

func (s *Server) hasEnded() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// acceptance tells who waits for it that the accept loop has taken a connection.
type acceptance struct {
	mu   sync.Mutex
	next chan struct{} // closed when a connection is taken; nil: nobody waits
}

func (a *acceptance) wait() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next == nil {
		a.next = make(chan struct{})
	}
	return a.next
}

func (a *acceptance) happened() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next != nil {
		close(a.next)
		a.next = nil
	}
}
