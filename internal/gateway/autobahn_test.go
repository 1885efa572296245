package gateway_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/autobahn"
	"github.com/stagedoor/stagedoor/internal/connections"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// The cases of the Autobahn|Testsuite through the gateway, strictly: messages go
// through a route to a function and back. Binary ones end the connection with
// 1003, as in AWS, and none is larger than an answer may be.
func TestAutobahn(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		g.Functions.Set("echo", Echo)
		g.Deploy(API("testapi123", Route{Key: "$default", Function: "echo", TwoWay: true}), &apigw.Stage{StageName: "dev", Tags: map[string]string{
			"stagedoor:max-frame": "none", "stagedoor:max-message": "none", "stagedoor:ordered": "true",
		}})
		secure := httptest.NewTLSServer(g)
		defer secure.Close()
		config := secure.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		config.NextProtos, config.ServerName = nil, "example.com"
		for name, dial := range map[string]func() (net.Conn, error){
			"plain": func() (net.Conn, error) { return net.Dial("tcp", g.Address) },
			"TLS":   func() (net.Conn, error) { return tls.Dial("tcp", secure.Listener.Addr().String(), config) },
		} {
			for _, c := range autobahn.Cases() {
				if c.Largest > connections.MaxPayload {
					continue
				}
				conn, err := dial()
				if err == nil {
					_ = conn.SetDeadline(time.Now().Add(3 * Timeout))
					_, err = io.WriteString(conn, upgrade)
				}
				reader := bufio.NewReader(conn)
				if err == nil {
					_, err = http.ReadResponse(reader, nil)
				}
				if err == nil {
					err = c.WithoutBinary().Run(conn, reader)
				}
				if err != nil {
					t.Errorf("%s, case %s: %v", name, c.ID, err)
				}
				_ = conn.Close()
			}
		}
	})
}
