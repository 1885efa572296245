package listener_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/listener"
)

// A port is alive until its accept loop is held up, and again afterwards. One at
// its limit of connections is alive: it accepts and refuses.
func TestAlive(t *testing.T) {
	t.Parallel()
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var holding sync.RWMutex // the accept loop is held up while it is locked
	var refused atomic.Int64
	s := listener.Serve(port, http.NotFoundHandler(), listener.Options{
		Limits: listener.Limits{Connections: 1, HeaderTime: gatewaytest.Timeout},
		Refused: func(netip.Addr, string) {
			refused.Add(1)
			holding.RLock()
			defer holding.RUnlock()
		},
	})
	defer s.Close(t.Context())
	alive := func(timeout time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		return s.Alive(ctx)
	}
	for range 3 {
		if err := alive(gatewaytest.Timeout); err != nil {
			t.Fatal(err)
		}
	}
	dial(t, s.Addr().String()) // takes the only place, once the last question has left it
	holding.Lock()
	before := refused.Load()
	gatewaytest.Eventually(t, func() error {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			return err
		}
		defer conn.Close()
		if refused.Load() == before {
			return errors.New("no connection was refused yet")
		}
		return nil
	})
	err = alive(50 * time.Millisecond)
	holding.Unlock()
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with an accept loop that is held up: %v", err)
	}
	if err := alive(gatewaytest.Timeout); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	s.StopAccepting()
	if err := alive(gatewaytest.Timeout); err != nil {
		t.Errorf("after its end: %v", err)
	}
}
