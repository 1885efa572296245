// Package forwarded finds out who a client is when proxies stand between it
// and the gateway.
//
// A proxy in one of the configured networks is trusted to send the client's
// address, in two forms: the PROXY protocol at the beginning of a connection
// (Listen), and the X-Forwarded-* lines of a request (Handler). What others
// send is the client's own claim, and is never used as the client's address.
//
// The public listener wraps its handler with Handler; the gateway uses Of for
// what it passes to backends.
package forwarded

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Origin is where a request comes from.
type Origin struct {
	// Address is the client's IP address, without a port.
	Address string
	// Claims are the addresses that the client itself sent in X-Forwarded-For,
	// as written, "" for none. They are not verified.
	Claims string
	// Proto is "http" or "https": what the client speaks to the outermost
	// proxy, or to the gateway.
	Proto string
	// Port is the port that the client connected to, "" when it is not known.
	Port string
}

// For is the value of X-Forwarded-For in API Gateway's form: the client's
// claims, then its address.
func (o Origin) For() string {
	if o.Claims == "" {
		return o.Address
	}
	return o.Claims + ", " + o.Address
}

type originKey struct{}

// Of returns the origin of r. If r did not pass through a Handler, that is the
// peer of its connection.
func Of(r *http.Request) Origin {
	if origin, ok := r.Context().Value(originKey{}).(Origin); ok {
		return origin
	}
	return direct(r)
}

// direct is the origin of a request whose peer is its client.
func direct(r *http.Request) Origin {
	o := Origin{Address: host(r.RemoteAddr), Claims: claims(r), Proto: "https", Port: "443"}
	if r.TLS == nil {
		o.Proto, o.Port = "http", "80"
	}
	switch local := r.Context().Value(http.LocalAddrContextKey).(type) {
	case *net.TCPAddr:
		o.Port = strconv.Itoa(local.Port)
	case net.Addr:
		if _, port, err := net.SplitHostPort(local.String()); err == nil {
			o.Port = port
		}
	}
	return o
}

// claims joins the X-Forwarded-For lines of a request.
func claims(r *http.Request) string {
	return strings.Join(r.Header.Values("X-Forwarded-For"), ", ")
}

// Handler sets the RemoteAddr of requests from a trusted proxy to the client's
// address, and keeps their Origin for Of. It does not change the header of a
// request.
//
// X-Forwarded-For is read from its end: the last address that is not a trusted
// proxy's is the client. Entries before that are the client's own claims. The
// search ends at an entry that is not an address: then the client is the last
// proxy before that entry. X-Forwarded-Proto and X-Forwarded-Port are used only
// if they have one well-formed value.
func Handler(trusted Networks, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, ok := parseAddress(host(r.RemoteAddr))
		if !ok || !trusted.Contains(peer) {
			next.ServeHTTP(w, r)
			return
		}
		origin := direct(r)
		client, rest := trusted.client(peer, r.Header.Values("X-Forwarded-For"))
		origin.Address, origin.Claims = client.String(), strings.Join(rest, ", ")
		origin.believe(r.Header)
		r = r.WithContext(context.WithValue(r.Context(), originKey{}, origin))
		if client != peer {
			r.RemoteAddr = netip.AddrPortFrom(client, 0).String() // only the proxy knows its port
		}
		next.ServeHTTP(w, r)
	})
}

// believe sets protocol and port from the header lines of a trusted proxy.
func (o *Origin) believe(header http.Header) {
	if proto := header.Values("X-Forwarded-Proto"); len(proto) == 1 {
		switch value := strings.ToLower(strings.TrimSpace(proto[0])); value {
		case "https", "wss":
			o.Proto, o.Port = "https", "443"
		case "http", "ws":
			o.Proto, o.Port = "http", "80"
		}
	}
	if port := header.Values("X-Forwarded-Port"); len(port) == 1 {
		if n, err := strconv.ParseUint(strings.TrimSpace(port[0]), 10, 16); err == nil && n > 0 {
			o.Port = strconv.FormatUint(n, 10)
		}
	}
}

// client finds the client behind a trusted peer, and the entries before it.
func (n Networks) client(peer netip.Addr, lines []string) (client netip.Addr, rest []string) {
	var entries []string
	for _, line := range lines {
		for entry := range strings.SplitSeq(line, ",") {
			entries = append(entries, strings.TrimSpace(entry))
		}
	}
	client = peer
	for i, entry := range slices.Backward(entries) {
		address, ok := parseAddress(entry)
		if !ok {
			return client, entries[:i+1]
		}
		if client = address; !n.Contains(address) {
			return client, entries[:i]
		}
	}
	return client, nil // all entries are proxies: the outermost is the client
}

// parseAddress reads an address as proxies write it: bare, with a port, in
// brackets. An address with a zone is refused, because zones mean nothing on
// another machine.
func parseAddress(text string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		address = withPort.Addr()
	}
	return address.Unmap(), address.Zone() == ""
}

// host is an address without its port.
func host(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}
