package explain

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/internal/plan"
)

// handshake is the request by which the client connects: over TLS, to the stage's own
// host.
func handshake(stage *plan.Stage, in *Input) *http.Request {
	r := &http.Request{
		Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL:  &url.URL{Path: "/" + stage.Name, RawQuery: in.Query.Encode()},
		Host: stage.DomainName, RemoteAddr: net.JoinHostPort(sourceIP, "50000"), TLS: new(tls.ConnectionState),
		Header: http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, // RFC 6455's
			"X-Amzn-Trace-Id": {traceID},
		},
	}
	r.RequestURI = r.URL.RequestURI()
	given := http.Header{}
	for _, f := range in.Header {
		if strings.EqualFold(f.Name, "Host") {
			r.Host = f.Value
			continue
		}
		given.Add(f.Name, f.Value)
	}
	for name, values := range given {
		r.Header[name] = values
	}
	return r.WithContext(context.Background())
}
