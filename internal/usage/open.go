package usage

import (
	"net/netip"
	"sync"
)

// OpenLimits cap connections that are open at the same time, on this node. 0
// is no cap.
type OpenLimits struct {
	Total  int
	API    int // of each API
	Source int // of each client address: an IPv4 address, or an IPv6 network of 64 bits
}

// Open counts open connections. It is safe for concurrent use.
type Open struct {
	limits OpenLimits

	mu      sync.Mutex
	total   int                // guarded by mu
	apis    map[string]int     // guarded by mu
	sources map[netip.Addr]int // guarded by mu; empty when there is no cap
}

// NewOpen makes counters that stand at zero.
func NewOpen(l OpenLimits) *Open {
	return &Open{limits: l, apis: make(map[string]int), sources: make(map[netip.Addr]int)}
}

// Add counts a connection that is about to open, or refuses it with
// ErrOpenTotal, ErrOpenOfAPI or ErrOpenOfSource. What was counted is given back
// with Remove, once. A source that is not known is the zero Addr; these have no
// cap.
func (o *Open) Add(apiID string, source netip.Addr) *Refusal {
	source = network(source)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case reached(o.total, o.limits.Total):
		return ErrOpenTotal
	case reached(o.apis[apiID], o.limits.API):
		return ErrOpenOfAPI
	case source.IsValid() && reached(o.sources[source], o.limits.Source):
		return ErrOpenOfSource
	}
	o.total++
	o.apis[apiID]++
	if o.limits.Source > 0 && source.IsValid() {
		o.sources[source]++
	}
	return nil
}

// Remove takes back what Add counted for the same API and source.
func (o *Open) Remove(apiID string, source netip.Addr) {
	source = network(source)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.total--
	decrement(o.apis, apiID)
	if o.limits.Source > 0 && source.IsValid() {
		decrement(o.sources, source)
	}
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
