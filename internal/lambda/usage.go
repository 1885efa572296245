package lambda

import "time"

// usage is what a process has used of the machine.
type usage struct {
	running time.Duration // on a processor
	queued  time.Duration // ready to run, while other threads had the processors
	busy    time.Duration // with events
}

// since is the usage after an earlier one.
func (u usage) since(earlier usage) usage {
	return usage{u.running - earlier.running, u.queued - earlier.queued, u.busy - earlier.busy}
}

func (u usage) plus(other usage) usage {
	return usage{u.running + other.running, u.queued + other.queued, u.busy + other.busy}
}

// leastBusy is how much time with events says how much of it needs a processor.
const leastBusy = 20 * time.Millisecond

// share returns the part of its time with events in which a process needs a
// processor, where it would not have to wait for one; 0 if not enough is known.
func (u usage) share() float64 {
	if u.busy < leastBusy || u.running <= 0 {
		return 0
	}
	alone := max(u.running, u.busy-u.queued)
	return float64(u.running) / float64(alone)
}
