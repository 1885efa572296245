package httpclient

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	neturl "net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What is written is one request, whatever its URL and its header hold.
func TestAppendRequest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ url, host, target string }{
		{"http://example.com", "example.com", "/"},
		{"http://example.com:8080?a=b", "example.com:8080", "/?a=b"},
		{"http://[::1]:80/a%2Fb/%C3%BC?x=y z\u00a0&q=ü", "[::1]:80", "/a%2Fb/%C3%BC?x=y%20z\u00a0&q=ü"},
		{"http://example.com/?", "example.com", "/?"},
	} {
		url, err := neturl.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		r := &Request{
			Method: http.MethodPut, URL: url, Body: []byte("hello"), Timeout: time.Second,
			Header: Header{{"x-Lines", "a\r\nB: c\x00"}, {"X", ""}, {"X", "2"}},
		}
		wire, err := appendRequest(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(bytes.NewReader(wire))
		request, err := http.ReadRequest(in)
		if err != nil {
			t.Errorf("%v: %q", err, wire)
			continue
		}
		body, err := io.ReadAll(request.Body)
		if err != nil || string(body) != "hello" || in.Buffered() > 0 || request.Host != test.host || request.RequestURI != test.target {
			t.Errorf("%v: %q", err, wire)
		}
		want := http.Header{"X-Lines": {"a  B: c"}, "X": {"", "2"}, "Content-Length": {"5"}}
		if diff := cmp.Diff(want, request.Header); diff != "" {
			t.Errorf("the header (-want +got):\n%s", diff)
		}
	}
	for _, name := range []string{"", "a b", "a:", "a\r\nb", "ü"} {
		if wire, err := appendRequest(nil, &Request{URL: &neturl.URL{Host: "h"}, Header: Header{{name, "x"}}}); err == nil {
			t.Errorf("%q", wire)
		}
	}
}
