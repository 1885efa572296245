//go:build !unix

package httpclient

import "net"

// probe does nothing: sockets cannot be looked into here. The next request on a
// connection that the backend has closed fails.
type probe struct{}

func (*probe) begin(net.Conn) {}

func (*probe) alive() bool { return true }

func (*probe) unheard(uint64) bool { return false }
