package websocket

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
)

// serve is an HTTP server whose upgrades go to e, as the gateway does it.
func serve(t *testing.T, e *Engine, secure bool, h Handler) (url string, client *http.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := CheckUpgrade(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		nc, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		ahead, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
		_, err = e.Adopt(nc, Socket{
			Response: []byte("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" +
				"Sec-WebSocket-Accept: " + AcceptKey(r.Header.Get("Sec-WebSocket-Key")) + "\r\n\r\n"),
			Buffered: ahead,
			// In flight one, so that answers come in order; a queue for the largest of them, however
			// late the engine notices that what was queued before has gone.
			Limits:  &Limits{InFlight: 1, QueueBytes: 64 << 20},
			Handler: h,
		})
		if err != nil {
			t.Error(err)
		}
	}))
	if secure {
		server.Listener = switching{server.Listener}
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http"), server.Client()
}

// forSecurity runs a test over plain connections and over TLS, on each driver.
func forSecurity(t *testing.T, test func(t *testing.T, e *Engine, secure bool)) {
	t.Helper()
	forPlainDrivers(t, func(t *testing.T, driver Driver) {
		for name, secure := range map[string]bool{"plain": false, "tls": true} {
			t.Run(name, func(t *testing.T) { test(t, newEngine(t, Options{Driver: driver}), secure) })
		}
	})
}

func TestCoderClient(t *testing.T) {
	t.Parallel()
	forSecurity(t, func(t *testing.T, e *Engine, secure bool) {
		r := &recorder{answer: echo}
		url, web := serve(t, e, secure, r)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c, _, err := coder.Dial(ctx, url, &coder.DialOptions{HTTPClient: web, CompressionMode: coder.CompressionContextTakeover})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
			payload := bytes.Repeat([]byte{'x'}, size)
			if err := c.Write(ctx, coder.MessageText, payload); err != nil {
				t.Fatal(err)
			}
			kind, got, err := c.Read(ctx)
			if err != nil || kind != coder.MessageText || !bytes.Equal(got, payload) {
				t.Fatalf("echo of %d bytes: %d bytes of kind %v, %v", size, len(got), kind, err)
			}
		}
		c.CloseRead(ctx)
		if err := c.Ping(ctx); err != nil {
			t.Error(err)
		}
		if err := c.Close(4000, "bye"); err != nil {
			t.Error(err)
		}
		r.awaitClosed(t, 4000, "bye")
	})
}

func TestGorillaClient(t *testing.T) {
	t.Parallel()
	forSecurity(t, func(t *testing.T, e *Engine, secure bool) {
		r := &recorder{answer: func(c *Conn, op Opcode, payload []byte) {
			c.Send(op, payload)
			if op == Binary {
				c.Close(4001, "that was binary")
			}
		}}
		url, web := serve(t, e, secure, r)
		dialer := gorilla.Dialer{EnableCompression: true}
		if secure {
			dialer.TLSClientConfig = web.Transport.(*http.Transport).TLSClientConfig.Clone()
			dialer.TLSClientConfig.NextProtos = nil
		}
		c, _, err := dialer.DialContext(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetReadDeadline(time.Now().Add(patience))
		for _, kind := range []int{gorilla.TextMessage, gorilla.BinaryMessage} {
			w, err := c.NextWriter(kind)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(bytes.Repeat([]byte{'x'}, 10_000)) // becomes several fragments
			w.Write([]byte("tail"))
			w.Close()
			got, payload, err := c.ReadMessage()
			if err != nil || got != kind || len(payload) != 10_004 {
				t.Fatalf("echo: %d bytes of kind %d, %v", len(payload), got, err)
			}
		}
		_, _, err = c.ReadMessage() // the client answers the close frame
		var closed *gorilla.CloseError
		if !errors.As(err, &closed) || closed.Code != 4001 || closed.Text != "that was binary" {
			t.Errorf("got %v, want the server's close frame", err)
		}
		r.awaitClosed(t, 4001, "that was binary")
	})
}
