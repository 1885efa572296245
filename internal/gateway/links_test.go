package gateway_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// A VPC link leads to its own address; the backend is asked for the URI's host,
// and its certificate must be of that host. Others are trusted only where an
// authority says so.
func TestVPCLink(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.Host, r.URL.Path) })
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler) // whose certificate is of example.com
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	trust := x509.NewCertPool()
	trust.AddCert(secure.Certificate())
	g := New(t, websocket.DriverAuto)
	link := func(server *httptest.Server) *httpclient.Client {
		client := httpclient.New(httpclient.Options{Address: server.Listener.Addr().String(), RootCAs: trust})
		t.Cleanup(client.Close)
		return client
	}
	g.Backends.Links = map[string]*httpclient.Client{"plain1": link(plain), "secure": link(secure)}
	through := func(id, kind, uri string) *apigw.Integration {
		i := &apigw.Integration{IntegrationType: kind, IntegrationMethod: "POST", IntegrationUri: uri, IntegrationResponses: passing}
		if id != "" {
			i.ConnectionType, i.ConnectionId = "VPC_LINK", id
		}
		return i
	}
	named := through("plain1", "HTTP", "http://rooms.internal/")
	named.RequestParameters = map[string]string{"integration.request.header.host": "'mapped.internal'"}
	g.DeployRoutes(
		Route{Key: "plain", TwoWay: true, Integration: through("plain1", "HTTP_PROXY", "http://rooms.internal:8000/a")},
		Route{Key: "mapped", TwoWay: true, Integration: through("plain1", "HTTP", "http://rooms.internal/b")},
		Route{Key: "host", TwoWay: true, Integration: named},
		Route{Key: "secure", TwoWay: true, Integration: through("secure", "HTTP_PROXY", "https://example.com/c")},
		Route{Key: "other name", TwoWay: true, Integration: through("secure", "HTTP_PROXY", "https://rooms.internal/d")},
		Route{Key: "no authority", TwoWay: true, Integration: through("", "HTTP_PROXY", secure.URL)},
		Route{Key: "no such link", TwoWay: true, Integration: through("gone", "HTTP_PROXY", plain.URL)},
	)
	c := g.Dial("/dev")
	for i, test := range []struct{ key, want, log string }{
		{"plain", "rooms.internal:8000/a", ""},
		{"mapped", "rooms.internal/b", ""},
		{"host", "mapped.internal/", ""},
		{"secure", "example.com/c", ""},
		{"other name", internalFrame, "certificate"},
		{"no authority", internalFrame, "certificate"},
		{"no such link", internalFrame, `the VPC link "gone" has no address here`},
	} {
		c.Send(`{"action":"` + test.key + `"}`)
		if got := describe(c.Receive()); got != test.want {
			t.Errorf("%s: received %q, want %q", test.key, got, test.want)
		}
		if got := g.Records.Wait(t, "message", i+1).Error; !strings.Contains(got, test.log) || test.log == "" && got != "" {
			t.Errorf("%s: log %q, want %q", test.key, got, test.log)
		}
	}
}
