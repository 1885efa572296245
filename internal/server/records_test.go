package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// With either record layer connections of both versions of TLS are served, new and resumed ones,
// with messages of any size, and other requests on the same port.
func TestServeRecords(t *testing.T) {
	t.Parallel()
	for _, records := range []string{"standard", "compact"} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(fmt.Sprint(records, " ", tls.VersionName(version)), func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					_, _ = w.Write(body)
				}))
				t.Cleanup(backend.Close)
				s.fill(&apigw.Integration{IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: backend.URL})
				authority := newAuthority(t, s)
				s.configure("tls: {certificates: [{cert: cert.pem, key: key.pem}], required: true, records: " + records + "}\n")
				g := s.start(Config{Open: true})
				client := &http.Client{Timeout: gatewaytest.Timeout, Transport: &http.Transport{TLSClientConfig: &tls.Config{
					ServerName: "localhost", RootCAs: authority.pool, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1),
				}}}
				for range 3 {
					ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
					defer cancel()
					conn, _, err := websocket.Dial(ctx, strings.Replace(g.Public[0], "http", "ws", 1)+"/prod", &websocket.DialOptions{HTTPClient: client})
					if err != nil {
						t.Fatal(err)
					}
					conn.SetReadLimit(-1)
					for _, size := range []int{1, 500, 20_000, 32_000} {
						message := strings.Repeat("x", size)
						if got := gatewaytest.Ask(t, conn, message); got != message {
							t.Errorf("%d bytes came back as %d", size, len(got))
						}
					}
					if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
						t.Error(err)
					}
					for range 20 {
						if status, body := call(t, client, nil, "", "GET", g.Public[0]+"/prod", ""); status != 426 {
							t.Fatalf("a plain request: %d %s", status, body)
						}
					}
				}
			})
		}
	}
}
