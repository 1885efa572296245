// Package netconn looks into connections that wrap others: a listener's around
// an accepted socket, one that reads a PROXY header, TLS. A wrapper has the
// method NetConn of tls.Conn, which returns what it wraps, or itself as long as
// that must not be used in its place. A Switch is a wrapper that can be told of
// another place than its connection, below a layer such as TLS.
package netconn

import (
	"iter"
	"net"
)

// maxLayers is how many NetConn methods are followed at most: one may return
// its own connection for ever.
const maxLayers = 8

// Layers yields a connection, then what that wraps, and so on to the innermost.
func Layers(conn net.Conn) iter.Seq[net.Conn] {
	return func(yield func(net.Conn) bool) {
		for range maxLayers {
			if !yield(conn) {
				return
			}
			wrapper, ok := conn.(interface{ NetConn() net.Conn })
			if !ok {
				return
			}
			conn = wrapper.NetConn()
		}
	}
}

// Find returns the outermost layer of a connection that is a T: of a type, or
// with the methods of an interface. It reports whether there is one.
func Find[T any](conn net.Conn) (T, bool) {
	for layer := range Layers(conn) {
		if found, ok := layer.(T); ok {
			return found, true
		}
	}
	var none T
	return none, false
}
