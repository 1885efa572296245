package servertls

import "fmt"

// Records says by which record layer WebSocket connections of TLS 1.3 go on after their
// handshake. The zero value is that of crypto/tls.
type Records struct {
	// Compact is the layer of package tlsrecord, with which idle connections take less
	// memory.
	Compact bool
}

// ParseRecords returns the layer of a name: standard or compact.
func ParseRecords(name string) (Records, error) {
	switch name {
	case "standard":
		return Records{}, nil
	case "compact":
		return Records{Compact: true}, nil
	}
	return Records{}, fmt.Errorf("%q is neither standard nor compact", name)
}

// String returns the name.
func (r Records) String() string {
	if r.Compact {
		return "compact"
	}
	return "standard"
}
