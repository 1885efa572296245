package forwarded

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func networks(t *testing.T, entries ...string) Networks {
	t.Helper()
	var n Networks
	for _, entry := range entries {
		network, err := ParseNetwork(entry)
		if err != nil {
			t.Fatal(err)
		}
		n = append(n, network)
	}
	return n
}

func TestHandler(t *testing.T) {
	t.Parallel()
	trusted := networks(t, "10.0.0.0/8", "192.0.2.7", "2001:db8:ffff::/48")
	tests := []struct {
		name    string
		peer    string
		header  http.Header
		want    Origin
		wantFor string
		remote  string
	}{
		{
			name: "nobody in between", peer: "198.51.100.1:5000",
			want: Origin{"198.51.100.1", "", "http", "80"}, wantFor: "198.51.100.1", remote: "198.51.100.1:5000",
		},
		{
			name: "a client that claims to be another", peer: "198.51.100.1:5000",
			header: http.Header{"X-Forwarded-For": {"10.0.0.1, 127.0.0.1"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"1"}},
			want:   Origin{"198.51.100.1", "10.0.0.1, 127.0.0.1", "http", "80"}, wantFor: "10.0.0.1, 127.0.0.1, 198.51.100.1", remote: "198.51.100.1:5000",
		},
		{
			name: "a trusted proxy", peer: "10.1.2.3:5000",
			header: http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"}},
			want:   Origin{"203.0.113.9", "", "https", "443"}, wantFor: "203.0.113.9", remote: "203.0.113.9:0",
		},
		{
			name: "a claim in front of what the proxy wrote", peer: "10.1.2.3:5000",
			header: http.Header{"X-Forwarded-For": {"127.0.0.1, 203.0.113.9"}},
			want:   Origin{"203.0.113.9", "127.0.0.1", "http", "80"}, wantFor: "127.0.0.1, 203.0.113.9", remote: "203.0.113.9:0",
		},
		{
			name: "two proxies, on lines of their own", peer: "10.1.2.3:5000",
			header: http.Header{"X-Forwarded-For": {"127.0.0.1,203.0.113.9", "192.0.2.7"}, "X-Forwarded-Port": {" 8443 "}},
			want:   Origin{"203.0.113.9", "127.0.0.1", "http", "8443"}, wantFor: "127.0.0.1, 203.0.113.9", remote: "203.0.113.9:0",
		},
		{
			name: "a trusted address behind an untrusted one is a claim", peer: "10.1.2.3:5000",
			header: http.Header{"X-Forwarded-For": {"10.0.0.5, 203.0.113.9, 10.0.0.6"}},
			want:   Origin{"203.0.113.9", "10.0.0.5", "http", "80"}, wantFor: "10.0.0.5, 203.0.113.9", remote: "203.0.113.9:0",
		},
		{
			name: "proxies alone", peer: "10.1.2.3:5000",
			header: http.Header{"X-Forwarded-For": {"10.0.0.5, 10.0.0.6"}},
			want:   Origin{"10.0.0.5", "", "http", "80"}, wantFor: "10.0.0.5", remote: "10.0.0.5:0",
		},
		{
			name: "a trusted proxy that says nothing", peer: "10.1.2.3:5000",
			want: Origin{"10.1.2.3", "", "http", "80"}, wantFor: "10.1.2.3", remote: "10.1.2.3:5000",
		},
		{
			name: "an entry that is no address", peer: "10.1.2.3:5000",
			header: http.Header{"X-Forwarded-For": {"203.0.113.9, unknown, 10.0.0.6"}},
			want:   Origin{"10.0.0.6", "203.0.113.9, unknown", "http", "80"}, wantFor: "203.0.113.9, unknown, 10.0.0.6", remote: "10.0.0.6:0",
		},
		{
			name: "an empty line", peer: "10.1.2.3:5000",
			header: http.Header{"X-Forwarded-For": {""}, "X-Forwarded-Proto": {"gopher"}, "X-Forwarded-Port": {"70000"}},
			want:   Origin{"10.1.2.3", "", "http", "80"}, wantFor: "10.1.2.3", remote: "10.1.2.3:5000",
		},
		{
			name: "two answers to one question", peer: "10.1.2.3:5000",
			header: http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"http", "https"}},
			want:   Origin{"203.0.113.9", "", "http", "80"}, wantFor: "203.0.113.9", remote: "203.0.113.9:0",
		},
		{
			name: "IPv6, a port, brackets", peer: "[2001:db8:ffff::1]:5000",
			header: http.Header{"X-Forwarded-For": {"[2001:db8::9]:443, [2001:db8:ffff::2]"}},
			want:   Origin{"2001:db8::9", "", "http", "80"}, wantFor: "2001:db8::9", remote: "[2001:db8::9]:0",
		},
		{
			name: "IPv4 in IPv6 form", peer: "[::ffff:10.1.2.3]:5000",
			header: http.Header{"X-Forwarded-For": {"::ffff:203.0.113.9"}},
			want:   Origin{"203.0.113.9", "", "http", "80"}, wantFor: "203.0.113.9", remote: "203.0.113.9:0",
		},
		{
			name: "a zone means nothing here", peer: "10.1.2.3:5000",
			header: http.Header{"X-Forwarded-For": {"fe80::1%eth0"}},
			want:   Origin{"10.1.2.3", "fe80::1%eth0", "http", "80"}, wantFor: "fe80::1%eth0, 10.1.2.3", remote: "10.1.2.3:5000",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/dev", nil)
			r.RemoteAddr = test.peer
			for name, values := range test.header {
				r.Header[name] = values
			}
			before := r.Header.Clone()
			Handler(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got := Of(r)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("origin (-want +got)\n%s", diff)
				}
				if got.For() != test.wantFor {
					t.Errorf("X-Forwarded-For %q, want %q", got.For(), test.wantFor)
				}
				if r.RemoteAddr != test.remote {
					t.Errorf("RemoteAddr %s, want %s", r.RemoteAddr, test.remote)
				}
				if diff := cmp.Diff(before, r.Header); diff != "" {
					t.Errorf("header (-before +after)\n%s", diff)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}

// Without trusted networks nobody is believed.
func TestNobodyTrusted(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "https://example.com/dev", nil)
	r.RemoteAddr = "127.0.0.1:5000"
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	Handler(nil, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if diff := cmp.Diff(Origin{"127.0.0.1", "203.0.113.9", "https", "443"}, Of(r)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestParseNetwork(t *testing.T) {
	t.Parallel()
	n := networks(t, " 10.1.2.3/8 ", "::1", "2001:db8::/32", "::ffff:192.0.2.1")
	for address, want := range map[string]bool{
		"10.255.0.1": true, "11.0.0.1": false, "::1": true, "::2": false, "2001:db8::5": true,
		"::ffff:10.0.0.1": true, "192.0.2.1": true, "192.0.2.2": false,
	} {
		if got := n.Contains(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
	if !n.ContainsPeer(&net.TCPAddr{IP: net.IPv6loopback}) || n.ContainsPeer(&net.UnixAddr{Name: "x"}) {
		t.Error("peers")
	}
	for _, bad := range []string{"", "example.com", "10.0.0.0/33", "::ffff:10.0.0.0/104", "fe80::1%eth0"} {
		if _, err := ParseNetwork(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
