package lambda

import "time"

// usage is what a process did and took in a while.
type usage struct {
	events   int           // that it answered
	shortest time.Duration // that it worked on one of them; 0: not known
	running  time.Duration // on a processor
	queued   time.Duration // ready to run, while other threads had the processors
}

func (u usage) plus(other usage) usage {
	u.events += other.events
	u.running += other.running
	u.queued += other.queued
	if u.shortest == 0 || other.shortest > 0 && other.shortest < u.shortest {
		u.shortest = other.shortest
	}
	return u
}

// share returns the part of its time in which a handler needs a processor; 0 if
// not enough is known. It is reckoned from the shortest event: in the others may
// be time that the gateway itself waited for a processor.
func (u usage) share() float64 {
	if u.events == 0 || u.shortest == 0 || u.running <= 0 {
		return 0
	}
	events := time.Duration(u.events)
	running := u.running / events
	return float64(running) / float64(max(running, u.shortest-u.queued/events, 1))
}

// processorTimes is how long the machine's processors were busy and idle, all
// together, since it was started; in parts of a second that do not matter.
type processorTimes struct {
	processors int
	idle, all  int64
}

// A while of leastTicks to mostTicks says how idle the processors are: 0.1 to 1 s.
const (
	leastTicks = 10
	mostTicks  = 100
)

// idleSince returns the part of the time since then in which the processors had
// nothing to do, and how many ticks of the clock each of them made in that time.
func (t processorTimes) idleSince(then processorTimes) (part float64, ticks int64) {
	all := t.all - then.all
	if all <= 0 {
		return 0, 0
	}
	return float64(t.idle-then.idle) / float64(all), all / int64(t.processors)
}
