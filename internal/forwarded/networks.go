package forwarded

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Networks are address ranges. The zero value contains no address.
type Networks []netip.Prefix

// ParseNetwork reads a range such as 10.0.0.0/8, or a single address.
func ParseNetwork(entry string) (netip.Prefix, error) {
	text := strings.TrimSpace(entry)
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not an address range such as 10.0.0.0/8, nor an address", entry)
	}
	if prefix.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is an IPv4 range in IPv6 form; write it as IPv4", entry)
	}
	return prefix.Masked(), nil
}

// Contains reports whether an address is in one of the ranges. An IPv4 address
// in IPv6 form counts as IPv4.
func (n Networks) Contains(address netip.Addr) bool {
	address = address.Unmap()
	for _, prefix := range n {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// ContainsPeer is Contains for the other end of a connection.
func (n Networks) ContainsPeer(peer net.Addr) bool {
	tcp, ok := peer.(*net.TCPAddr)
	return ok && n.Contains(tcp.AddrPort().Addr())
}
