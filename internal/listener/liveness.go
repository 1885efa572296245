package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// Alive returns an error unless connections are accepted: it opens one from
// this machine, and waits until the accept loop has taken that or another. The
// error says what had not happened when ctx ended. A process that has no
// descriptors left cannot open one, and counts as alive because it still serves
// its clients. So does a server that has stopped accepting on purpose.
func (s *Server) Alive(ctx context.Context) error {
	accepted := s.accepted.wait()
	address := s.Addr()
	conn, err := new(net.Dialer).DialContext(ctx, address.Network(), address.String())
	switch {
	case err == nil:
		defer conn.Close()
	case errors.Is(err, syscall.ECONNRESET): // it was accepted, and closed by the gate
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

// acceptance wakes goroutines that wait until the accept loop has taken a
// connection.
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
