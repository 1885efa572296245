package setting

import (
	"fmt"
	"net"
	"net/url"
)

// URL reads an absolute http or https URL.
func URL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not an http or https URL", text)
	}
	return u, nil
}

// Address is where a server is reached by TCP, host:port; neither is empty.
type Address string

// ParseAddress reads an address, host:port, or takes it from a URL: the port of
// http is 80 where it has none, and that of https 443.
func ParseAddress(text string) (Address, error) {
	address := text
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		port := u.Port()
		switch {
		case port != "":
		case u.Scheme == "http":
			port = "80"
		case u.Scheme == "https":
			port = "443"
		}
		address = net.JoinHostPort(u.Hostname(), port)
	}
	if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
		return "", fmt.Errorf("%q is not an address, host:port", text)
	}
	return Address(address), nil
}
