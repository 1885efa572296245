// Package webguard keeps web pages away from ports that ask nobody for a
// signature. Whatever site a developer or an operator looks at can have their
// browser send requests to ports of their machine and network; by a name of its
// own whose address it changes (DNS rebinding), it can read the answers as well.
//
// The ports of `dev`, those of `serve --open` and what functions are given as
// endpoints are behind a Guard.
package webguard

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Guard decides whose requests are taken. The zero value knows this machine by
// its addresses and as localhost, and AWS's host names of APIs.
type Guard struct {
	// Knows reports whether a host name, in lower case and without a port, is one
	// that the port is meant to be reached by. nil: none is, beside the others.
	Knows func(host string) bool
}

// Refusal is why a request is not taken.
type Refusal struct {
	Status  int    // 421 for a foreign host, 403 for a foreign page
	Message string // for the client
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

// Check returns nil for a request that no page of another site has sent.
func (g Guard) Check(r *http.Request) *Refusal {
	if host := hostname(r.Host); !g.isOurs(host) {
		return &Refusal{http.StatusMisdirectedRequest, "This port takes requests for addresses, localhost and configured names only; " + host + " is none of them (--host adds one)."}
	}
	if !sameOrigin(r) {
		return &Refusal{http.StatusForbidden, "This port takes no requests from web pages of other origins."}
	}
	return nil
}

// isOurs reports whether nobody else can make a host name lead here: whoever
// looks at a page of that name sees one of ours.
func (g Guard) isOurs(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || isAWS(host) || g.Knows != nil && g.Knows(host)
}

// isAWS reports whether a host is AWS's name of an API or of DynamoDB. Functions
// reach the gateway by these, and nobody but AWS has them.
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
// the port's own. Browsers say where a request comes from in Sec-Fetch-Site; older
// ones, and those that don't trust the connection, in Origin alone.
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

// hostname is a Host line without its port, in lower case.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// Handler answers what the guard refuses with refuse, and lets next answer the
// rest.
func (g Guard) Handler(next http.Handler, refuse func(http.ResponseWriter, *Refusal)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refusal := g.Check(r); refusal != nil {
			refuse(w, refusal)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// PlainText is a refusal for Handler: its message as text.
func PlainText(w http.ResponseWriter, r *Refusal) { http.Error(w, r.Message, r.Status) }
