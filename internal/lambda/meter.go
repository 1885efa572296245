package lambda

import "time"

// noMeter is a Meter that nobody reads.
type noMeter struct{}

func (noMeter) ColdStart()           {}
func (noMeter) Queued(time.Duration) {}

// meterOf returns the meter of a function.
func (h *Host) meterOf(function string) Meter {
	if h.options.Meter != nil {
		if m := h.options.Meter(function); m != nil {
			return m
		}
	}
	return noMeter{}
}

// EachFunction calls do with each function that is served by processes, and how many it
// has now.
func (h *Host) EachFunction(do func(function string, processes int)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, f := range h.functions {
		if f.function.InProcess == nil {
			do(name, f.pool.size())
		}
	}
}

// size is how many processes there are, those that are being started included.
func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.processes)
}
