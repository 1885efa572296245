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

// Address is a server's TCP address, host:port, neither of them empty.
type Address string

// ParseAddress reads an address, host:port, or that of an http or https URL,
// whose port is 80 or 443 where it has none.
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
