package lambda

import (
	"runtime"
	"time"
)

const (
	// minStartCost is the least that the start of a process is taken to cost:
	// it takes memory and a processor, too.
	minStartCost = 20 * time.Millisecond
	// unknownStartCost is what it is taken to cost before a process has started.
	unknownStartCost = 100 * time.Millisecond
	// forgivenShare of the time is forgiven: where less than this many events
	// wait on average, the pool is large enough.
	forgivenShare = 0.25
	// busyPatience is how many times the cost of a start an event waits before
	// it gets a process that has no processor to run on.
	busyPatience = 50
	// maxStarts is how many processes of a function are started at once at most,
	// but for machines with many processors.
	maxStarts = 16
	// lookAgain is when growth is asked again where it is not known yet what the
	// processors do.
	lookAgain = 120 * time.Millisecond
)

// growth decides when a pool gets one process more. To wait is a cost, and so
// is the start of a process, in the same unit: time. So a process is started
// when the events that waited have lost, together, as much time as a start
// takes. An event that waits 100 µs because another is being handled starts
// none; a hundred that wait for handlers that sleep are soon served by a
// hundred processes.
//
// More processes than processors help only while processors have nothing to do,
// or where handlers wait for something else than a processor. How many help then
// is reckoned from the share of the time in which a handler uses one: at a share
// of a half, two processes for each processor do. Beyond that number an event has
// to wait much longer.
//
// The methods are given the time, and are not safe for concurrent use.
type growth struct {
	processors int

	cost  time.Duration // of a start: the shortest that was measured; 0: none yet
	share float64       // of a handler's time for which it needs a processor; 0: not known
	idle  bool          // processors have nothing to do

	at      time.Time // up to when loss is counted
	waiting int       // how many events wait since then, not counting those for which a process is being started
	loss    time.Duration
	quiet   time.Time // no decision before
	forced  time.Time // when a process was last started beyond the useful number
}

func newGrowth() growth { return growth{processors: runtime.GOMAXPROCS(0)} }

// price is the time that a start costs.
func (g *growth) price() time.Duration {
	if g.cost == 0 {
		return unknownStartCost
	}
	return max(g.cost, minStartCost)
}

// started notes how long a process took until it asked for work.
func (g *growth) started(took time.Duration) {
	if g.cost == 0 || took < g.cost {
		g.cost = max(took, 1)
	}
}

// observe notes how many events wait from now on, and for how many of them a
// process is being started.
func (g *growth) observe(now time.Time, waiting, starting int) {
	if passed := now.Sub(g.at); passed > 0 {
		g.loss += time.Duration((float64(g.waiting) - forgivenShare) * float64(passed))
		g.loss = max(0, g.loss)
	}
	g.at, g.waiting = now, max(0, waiting-starting)
}

// due returns how long it takes from the last observation until a process
// should be started, if nothing changes; false means never.
func (g *growth) due() (time.Duration, bool) {
	if g.waiting == 0 {
		return 0, false
	}
	in := time.Duration(0)
	if left := g.price() - g.loss; left > 0 {
		in = time.Duration(float64(left)/(float64(g.waiting)-forgivenShare)) + time.Microsecond
	}
	return max(in, g.quiet.Sub(g.at)), true
}

// crowd is what a pool has when growth decides.
type crowd struct {
	processes int // those that are being started are counted
	starting  int
	oldest    time.Duration // how long the first event has waited
	measured  bool          // share and idle are of this moment
	unsure    bool          // but they are not known yet
}

// starts returns how many processes to start now, and takes their cost off
// what was lost. observe must have been called for now.
func (g *growth) starts(now time.Time, c crowd) int {
	affordable := int(g.loss / g.price())
	if affordable == 0 || g.waiting == 0 {
		return 0
	}
	if c.unsure {
		g.quiet = now.Add(lookAgain)
		return 0
	}
	// What is lost beyond that is not kept: fewer processes had lost it.
	g.loss, g.quiet = 0, now.Add(minStartCost/2)
	atOnce := max(2*g.processors, min(c.processes-c.starting, maxStarts)) - c.starting
	count := max(0, min(affordable, g.waiting, atOnce))
	useful := g.processors
	if c.measured {
		useful = g.useful()
	}
	useful = max(0, useful-c.processes)
	if count <= useful {
		return count
	}
	if useful > 0 {
		return useful
	}
	g.quiet = now.Add(g.price())
	patience := busyPatience * g.price()
	if c.oldest < patience || now.Sub(g.forced) < patience {
		return 0
	}
	g.forced = now
	return 1
}

// useful is how many processes find a processor when they need one.
func (g *growth) useful() int {
	if g.share <= 0 || g.idle {
		return 1 << 20
	}
	return max(g.processors, int(float64(g.processors)/g.share))
}
