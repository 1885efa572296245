package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

const upgrade = "GET /dev HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// raw opens a socket to the gateway.
func raw(t *testing.T, g *Gateway) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", g.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(Timeout))
	return conn
}

// upgraded opens a WebSocket connection by hand.
func upgraded(t *testing.T, g *Gateway) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn := raw(t, g)
	if _, err := io.WriteString(conn, upgrade); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != 101 {
		t.Fatalf("%v %v", response, err)
	}
	return conn, reader
}

// What a client does to its own connection is nothing to its neighbour.
func TestHostileClients(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func(*testing.T, *Gateway)
	}{
		{"garbage instead of HTTP", func(t *testing.T, g *Gateway) {
			conn := raw(t, g)
			_, _ = conn.Write([]byte("\x00\x01\x02garbage\r\n\r\n"))
			if answer, _ := io.ReadAll(conn); !strings.HasPrefix(string(answer), "HTTP/1.1 400") {
				t.Errorf("answer %q", answer)
			}
		}},
		{"TLS where there is none", func(t *testing.T, g *Gateway) {
			conn := raw(t, g)
			_, _ = conn.Write([]byte("\x16\x03\x01\x00\x05hello"))
			_, _ = io.Copy(io.Discard, conn)
		}},
		{"an upgrade that stops in the middle", func(t *testing.T, g *Gateway) {
			_, _ = io.WriteString(raw(t, g), upgrade[:60])
		}},
		{"an upgrade byte by byte", func(t *testing.T, g *Gateway) {
			conn := raw(t, g)
			for i := range upgrade {
				_, _ = io.WriteString(conn, upgrade[i:i+1])
			}
			if line, _ := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, "101") {
				t.Errorf("answer %q", line)
			}
		}},
		{"a head over the limit", func(t *testing.T, g *Gateway) {
			conn := raw(t, g)
			_, _ = fmt.Fprintf(conn, "GET /dev HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 2<<20))
			if line, _ := bufio.NewReader(conn).ReadString('\n'); line != "" && !strings.Contains(line, "431") {
				t.Errorf("answer %q", line)
			}
		}},
		{"garbage after the upgrade", func(t *testing.T, g *Gateway) {
			conn, reader := upgraded(t, g)
			_, _ = conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
			frame := make([]byte, 4)
			if _, err := io.ReadFull(reader, frame); err != nil || frame[0] != 0x88 || int(frame[2])<<8|int(frame[3]) != 1002 {
				t.Errorf("frame %x, %v; want a close with 1002", frame, err)
			}
		}},
		{"a frame that promises more than it may", func(t *testing.T, g *Gateway) {
			conn, reader := upgraded(t, g)
			_, _ = conn.Write([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4})
			frame := make([]byte, 4)
			if _, err := io.ReadFull(reader, frame); err != nil || int(frame[2])<<8|int(frame[3]) != 1009 {
				t.Errorf("frame %x, %v; want a close with 1009", frame, err)
			}
		}},
		{"a frame that never ends", func(t *testing.T, g *Gateway) {
			conn, _ := upgraded(t, g)
			_, _ = conn.Write([]byte{0x81, 0x85, 1, 2, 3, 4, 'x'})
		}},
		{"a peer that resets", func(t *testing.T, g *Gateway) {
			conn, _ := upgraded(t, g)
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
			if r := g.Records.Wait(t, "disconnect", 1); r.Status != 1006 {
				t.Errorf("close code %d", r.Status)
			}
		}},
		{"a peer that answers no close frame", func(t *testing.T, g *Gateway) {
			g.Deploy(API("shortlived", Route{Key: "$default"}), &apigw.Stage{StageName: "short", Tags: map[string]string{"stagedoor:idle-timeout": "100ms"}})
			conn := raw(t, g)
			_, _ = io.WriteString(conn, strings.Replace(upgrade, "/dev", "/short", 1))
			if r := g.Records.Wait(t, "disconnect", 1); r.Status != 1001 {
				t.Errorf("close code %d", r.Status)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			EachDriver(t, func(t *testing.T, driver websocket.Driver) {
				g := New(t, driver)
				g.Functions.Set("echo", Echo)
				g.DeployRoutes(Route{Key: "$default", Function: "echo", TwoWay: true})
				neighbour := g.Dial("/dev")
				test.do(t, g)
				neighbour.Send("still here")
				if got := neighbour.Receive(); got != "still here" {
					t.Errorf("the neighbour received %q", got)
				}
			})
		})
	}
}

// A defect of ours that panics ends one message, not the process.
func TestPanic(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("panic", func(context.Context, Event) (string, error) { panic("a defect") })
	g.Functions.Set("echo", Echo)
	g.DeployRoutes(Route{Key: "x", Function: "panic"}, Route{Key: "$disconnect", Function: "panic"}, Route{Key: "$default", Function: "echo", TwoWay: true})
	c := g.Dial("/dev")
	c.Send(`{"action":"x"}`)
	checkFrame(t, c.Receive(), "Internal server error")
	if r := g.Records.Wait(t, "message", 1); !strings.Contains(r.Error, "a defect") {
		t.Errorf("record %+v", r)
	}
	c.Send("on it goes")
	if got := c.Receive(); got != "on it goes" {
		t.Errorf("%q", got)
	}
	_ = c.CloseNow()
	g.Records.Wait(t, "disconnect", 1)
}
