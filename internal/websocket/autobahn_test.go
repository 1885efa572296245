package websocket

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/autobahn"
)

// Every case of the Autobahn|Testsuite, strictly, on each driver, over plain
// connections and TLS. Of the large ones only those up to 1 MiB with -short.
func TestAutobahn(t *testing.T) {
	t.Parallel()
	forSecurity(t, func(t *testing.T, e *Engine, secure bool) {
		url, web := serve(t, e, secure, &recorder{answer: echo})
		for _, c := range autobahn.Cases() {
			if testing.Short() && c.Largest > 1<<20 {
				continue
			}
			conn, reader := dialRaw(t, url, web)
			_ = conn.SetDeadline(time.Now().Add(3 * patience))
			if err := c.Run(conn, reader); err != nil {
				t.Errorf("case %s: %v", c.ID, err)
			}
			conn.Close()
		}
	})
}

// dialRaw opens a WebSocket connection by hand.
func dialRaw(t *testing.T, url string, web *http.Client) (net.Conn, *bufio.Reader) {
	t.Helper()
	scheme, address, _ := strings.Cut(url, "://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if scheme == "wss" {
		config := web.Transport.(*http.Transport).TLSClientConfig.Clone()
		config.NextProtos, config.ServerName = nil, "example.com"
		conn = tls.Client(conn, config)
	}
	_, err = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	reader := bufio.NewReaderSize(conn, 64<<10)
	var response *http.Response
	if err == nil {
		response, err = http.ReadResponse(reader, nil)
	}
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %+v, %v", response, err)
	}
	return conn, reader
}
