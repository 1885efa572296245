package usage

import (
	"net/netip"
	"sync"

	"github.com/stagedoor/stagedoor/internal/failure"
)

// OpenLimits cap connections that are open at the same time, on this node. 0
// is no cap.
type OpenLimits struct {
	Total  int
	API    int // of the API
	Source int // of the client's address: an IPv4 address, or an IPv6 network of 64 bits
}

// Open counts open connections. The zero value has counted none. It is safe for
// concurrent use.
type Open struct {
	mu      sync.Mutex
	total   int                // guarded by mu
	apis    map[string]int     // guarded by mu
	sources map[netip.Addr]int // guarded by mu
}

// Add counts a connection that is about to open, or refuses it with
// ErrOpenTotal, ErrOpenOfAPI or ErrOpenOfSource. What was counted is given back
// with Remove, once. A source that is not known is the zero Addr; these have no
// cap.
func (o *Open) Add(l OpenLimits, apiID string, source netip.Addr) *failure.Error {
	source = network(source)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case reached(o.total, l.Total):
		return ErrOpenTotal
	case reached(o.apis[apiID], l.API):
		return ErrOpenOfAPI
	case source.IsValid() && reached(o.sources[source], l.Source):
		return ErrOpenOfSource
	}
	if o.apis == nil {
		o.apis, o.sources = make(map[string]int), make(map[netip.Addr]int)
	}
	o.total++
	o.apis[apiID]++
	o.sources[source]++
	return nil
}

// Remove takes back what Add counted for the same API and source.
func (o *Open) Remove(apiID string, source netip.Addr) {
	source = network(source)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.total--
	decrement(o.apis, apiID)
	decrement(o.sources, source)
}

func reached(count, limit int) bool { return limit > 0 && count >= limit }

func decrement[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

// network is what one client can be expected to have of the address space.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	prefix, _ := a.Prefix(64) // 64 is valid for every IPv6 address
	return prefix.Addr()
}
