package config

import (
	"fmt"
	"net/url"
	"strings"
)

// APIEndpoint is the URL by which clients reach an API, with {apiId} for the API's
// id. The zero value stands for AWS's form of such URLs.
type APIEndpoint struct {
	pattern string // with the scheme
	host    string // in lower case, without the port; "*." stands before the rest of a name that begins with {apiId}
}

// placeholder stands for the id of an API.
const placeholder = "{apiId}"

func parseAPIEndpoint(text string) (APIEndpoint, error) {
	const id = "abcdefghij"
	u, err := url.Parse(strings.ReplaceAll(text, placeholder, id))
	if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" || !strings.Contains(text, placeholder) {
		return APIEndpoint{}, fmt.Errorf("%q is not a ws or wss URL with {apiId} in it, such as wss://example.com/_aws/execute-api/{apiId}", text)
	}
	host := strings.ToLower(u.Hostname())
	if rest, begins := strings.CutPrefix(host, id+"."); begins {
		host = "*." + rest
	}
	return APIEndpoint{pattern: text, host: host}, nil
}

// String gives the URL with {apiId} in it, "" for the zero value.
func (e APIEndpoint) String() string { return e.pattern }

// IsSet reports whether there is a URL other than AWS's.
func (e APIEndpoint) IsSet() bool { return e.pattern != "" }

// URL gives the URL of an API.
func (e APIEndpoint) URL(apiID string) string {
	return strings.ReplaceAll(e.pattern, placeholder, apiID)
}

// Domain gives what functions know an API by: the URL without its scheme.
func (e APIEndpoint) Domain(apiID string) string {
	_, rest, _ := strings.Cut(strings.TrimSuffix(e.pattern, "/"), "://")
	return strings.ReplaceAll(rest, placeholder, apiID)
}

// HostPattern gives the host of all APIs, with * for a first label that is the
// API's id. It is "" for the zero value.
func (e APIEndpoint) HostPattern() string { return e.host }

// HasHost reports whether a host, in lower case and without a port, is that of an
// API.
func (e APIEndpoint) HasHost(host string) bool {
	if rest, ofAPI := strings.CutPrefix(e.host, "*"); ofAPI {
		return strings.HasSuffix(host, rest)
	}
	return e.host != "" && host == e.host
}
