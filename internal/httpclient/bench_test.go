package httpclient

import (
	"net"
	"net/http"
	neturl "net/url"
	"testing"
	"time"
)

// BenchmarkClient is a call of a plain HTTP backend that does next to nothing, as
// HTTP_PROXY integrations make it for messages; by this package, and by net/http.
func BenchmarkClient(b *testing.B) {
	r := messageRequest(b)
	client := New(Options{})
	defer client.Close()
	for name, withoutHeader := range map[string]bool{"header": false, "no-header": true} {
		b.Run(name, func(b *testing.B) {
			r.WithoutHeader = withoutHeader
			b.ReportAllocs()
			for b.Loop() {
				if response, err := client.Do(b.Context(), r); err != nil || response.Status != http.StatusOK {
					b.Fatal(response, err)
				}
			}
		})
	}
	b.Run("net-http", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if response, err := client.viaNetHTTP(b.Context(), r); err != nil || response.Status != http.StatusOK {
				b.Fatal(response, err)
			}
		}
	})
	// What the sockets take, of both sides.
	b.Run("sockets", func(b *testing.B) {
		c, err := net.Dial("tcp", r.URL.Host)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		request, err := appendRequest(nil, r)
		if err != nil {
			b.Fatal(err)
		}
		room := make([]byte, 4<<10)
		for b.Loop() {
			if _, err := c.Write(request); err != nil {
				b.Fatal(err)
			}
			if _, err := c.Read(room); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// messageRequest is a request as it is made for a message, and its backend.
func messageRequest(b *testing.B) *Request {
	b.Helper()
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Length: 15\r\n\r\n{\"result\":\"ok\"}"
	target, err := neturl.Parse("http://" + talker(b, answer) + "/messages")
	if err != nil {
		b.Fatal(err)
	}
	return &Request{
		Method: http.MethodPost, URL: target, Timeout: 29 * time.Second,
		Body: []byte(`{"action":"echo","text":"a message of ordinary length, as chats have them"}`),
		Header: Header{
			{"X-Amzn-Trace-Id", "Root=1-6722e8b1-3d1f0c1d2e3f405162738495"}, {"X-Forwarded-For", "192.0.2.1"},
			{"Content-Type", "application/json"}, {"User-Agent", "AmazonAPIGateway_abcdef1234"}, {"X-Amzn-Apigateway-Api-Id", "abcdef1234"},
		},
	}
}

// talker answers each request, which must come in one piece, with the same.
func talker(b testing.TB, answer string) (address string) {
	b.Helper()
	wire := []byte(answer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				buffer := make([]byte, 8<<10)
				for {
					if _, err := c.Read(buffer); err != nil {
						_ = c.Close()
						return
					}
					_, _ = c.Write(wire)
				}
			}()
		}
	}()
	return listener.Addr().String()
}
