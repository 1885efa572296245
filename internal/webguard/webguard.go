// Package webguard keeps web pages away from ports that do not ask for
// signatures. Any site that a developer or an operator visits can make their
// browser send requests to ports of their machine and network; with a name of
// its own whose address it changes (DNS rebinding), it can read the answers as
// well.
//
// The ports of `dev`, those of `serve --open`, and the endpoints for functions
// are behind a Guard.
package webguard

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Guard decides which requests are accepted. The zero value accepts requests
// for IP addresses, for localhost, and for AWS's host names of APIs and of
// DynamoDB.
type Guard struct {
	// Knows reports whether requests for a host name, in lower case and without
	// a port, are accepted as well. It may be nil.
	Knows func(host string) bool
}

// Refusal is why a request is not accepted.
type Refusal struct {
	Status  int    // 421 for a foreign host, 403 for a foreign page
	Message string // for the client
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

// Check returns nil for a request that cannot be from a page of another site.
func (g Guard) Check(r *http.Request) *Refusal {
	if host := hostname(r.Host); !g.isOurs(host) {
		return &Refusal{http.StatusMisdirectedRequest, "This port takes requests for addresses, localhost and configured names only; " + host + " is none of them (--host adds one)."}
	}
	if !sameOrigin(r) {
		return &Refusal{http.StatusForbidden, "This port takes no requests from web pages of other origins."}
	}
	return nil
}

// isOurs reports whether a host name is one that no other site can have, so
// that a page of that name is one of ours.
func (g Guard) isOurs(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || isAWS(host) || g.Knows != nil && g.Knows(host)
}

// isAWS reports whether a host is AWS's name of an API or of DynamoDB.
// Functions reach the gateway by these, and only AWS can have them.
func isAWS(host string) bool {
	name, found := strings.CutSuffix(strings.TrimSuffix(host, ".cn"), ".amazonaws.com")
	labels := strings.Split(name, ".")
	switch {
	case !found:
		return false
	case len(labels) == 3 && labels[1] == "execute-api":
		return true
	}
	return len(labels) == 2 && labels[0] == "dynamodb"
}

// sameOrigin reports whether a request comes from a program, or from a page of
// this port. Browsers send where a request comes from in Sec-Fetch-Site; older
// ones, and those that consider the connection insecure, only in Origin.
func sameOrigin(r *http.Request) bool {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return false
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	return true
}

// hostname returns the host of host[:port], in lower case.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// Handler returns a handler that answers refused requests with refuse, and all
// others with next.
func (g Guard) Handler(next http.Handler, refuse func(http.ResponseWriter, *Refusal)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refusal := g.Check(r); refusal != nil {
			refuse(w, refusal)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// PlainText answers a request with the refusal's status, and its message as
// text. It is for Handler.
func PlainText(w http.ResponseWriter, r *Refusal) { http.Error(w, r.Message, r.Status) }
