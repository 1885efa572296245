package webguard

import (
	"net"
	"slices"
	"strings"
)

// IsOneOf reports whether a host is one of the names, or the host of one of the
// addresses.
func IsOneOf(host string, names []string, addresses ...string) bool {
	for _, address := range addresses {
		if name, _, err := net.SplitHostPort(address); err == nil && strings.EqualFold(name, host) {
			return true
		}
	}
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, host) })
}
