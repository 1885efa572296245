package gateway_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Backends that hang, drip and flood have no message of another client wait for theirs:
// while all of those are under way, the others are answered. There are more clients of
// each kind than event loops, so that each loop has both.
func TestNeighboursOfHostileBackends(t *testing.T) {
	t.Parallel()
	const clients, messages = 4, 10
	head := "HTTP/1.1 200 OK\r\n"
	g := New(t, websocket.DriverAuto)
	echo := NewBackend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	proxy := func(url string) *apigw.Integration {
		return &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationUri: url}
	}
	routes := []Route{{Key: "$default", TwoWay: true, Integration: proxy(echo.URL)}}
	var held atomic.Int32
	end := make(chan struct{})
	let := sync.OnceFunc(func() { close(end) })
	defer let()
	hostile := map[string]func(net.Conn){
		"hang": func(net.Conn) { held.Add(1); <-end },
		"drip": func(c net.Conn) {
			go func() { <-end; _ = c.Close() }()
			drips(head+"Content-Length: 1000000\r\n\r\n", "x")(c)
		},
		"flood":  floods(head+"\r\n", "x", 64<<20),
		"header": floods(head, "X-Long: yes\r\n", 4<<20),
		"chunks": floods(head+"Transfer-Encoding: chunked\r\n\r\n", "400\r\n"+strings.Repeat("x", 1<<10)+"\r\n", 64<<20),
	}
	for name, answer := range hostile {
		routes = append(routes, Route{Key: name, TwoWay: true, Integration: proxy(rawBackend(t, answer))})
	}
	g.DeployRoutes(routes...)
	var attack sync.WaitGroup
	defer attack.Wait()
	defer let()
	for name := range hostile {
		for range clients {
			c := g.Dial("/dev")
			attack.Go(func() {
				for isOpen(end) {
					c.Send(fmt.Sprintf(`{"action":%q}`, name))
					if c.Receive(); name == "hang" {
						return
					}
				}
			})
		}
	}
	Eventually(t, func() error {
		if n := held.Load(); n < clients {
			return fmt.Errorf("%d messages are with the backend that hangs", n)
		}
		return nil
	})
	var neighbours sync.WaitGroup
	for i := range clients {
		c := g.Dial("/dev")
		neighbours.Go(func() {
			for n := range messages {
				text := fmt.Sprintf(`{"client":%d,"message":%d}`, i, n)
				c.Send(text)
				if got := c.Receive(); got != text {
					t.Errorf("received %q, want %q", got, text)
				}
			}
		})
	}
	neighbours.Wait()
	if n := held.Load(); n < clients {
		t.Errorf("%d messages still hang", n)
	}
}

// isOpen reports whether a channel has not been closed.
func isOpen(c chan struct{}) bool {
	select {
	case <-c:
		return false
	default:
		return true
	}
}
