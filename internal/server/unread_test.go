package server

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// Clients whose answers are never read hold every place for handshakes no longer
// than an answer may take, on the public port and on the admin port.
func TestServeAnswersNeverRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	s.configure("limits: {handshakes: 4}\ntimeouts: {write: 1s, header: 5s}\n")
	g := s.start(Config{Open: true})
	public, admin := strings.TrimPrefix(g.Public[0], "http://"), strings.TrimPrefix(g.Admin, "http://")
	var sending sync.WaitGroup
	defer sending.Wait()
	for _, flood := range []struct{ address, target string }{
		{public, "/prod/@connections/x"}, {public, "/prod"}, {public, "/none"}, {public, "/prod/@connections/x"},
		{admin, "/readyz"}, {admin, "/v2/apis"}, {admin, "/v2/none"}, {admin, "/healthz"},
	} {
		conn, err := net.Dial("tcp", flood.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		requests := strings.Repeat("GET "+flood.target+" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 100)
		sending.Go(func() {
			for {
				if _, err := io.WriteString(conn, requests); err != nil {
					return
				}
			}
		})
	}
	gatewaytest.Eventually(t, func() error {
		// The answer's body is not what matters: whoever is too many is reset.
		status, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Public[0]+"/prod", "")
		if health, text := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Admin+"/healthz", ""); status == 0 || health != 200 {
			return fmt.Errorf("public: %d %s, admin: %d %s", status, body, health, text)
		}
		return nil
	})
	if got := gatewaytest.Ask(t, g.dial(), "hello"); got != "hello" {
		t.Errorf("answer %q", got)
	}
}
