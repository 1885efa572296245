package usage

import (
	"sync"
	"time"
)

// counterName is whose requests a counter counts.
type counterName struct{ planID, keyID string }

// counter counts the requests of a key under a plan in the current period. It
// is safe for concurrent use.
type counter struct {
	mu      sync.Mutex
	quota   Quota     // guarded by mu
	period  period    // guarded by mu
	ends    time.Time // guarded by mu: before that, the period is not over
	stored  int64     // guarded by mu: what the ledger had at last, of all nodes
	pending int64     // guarded by mu: what it lacks of ours
}

// take counts a request, or says that the quota is used up.
func (c *counter) take(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rollLocked(now)
	if c.stored+c.pending >= c.quota.Limit {
		return false
	}
	c.pending++
	return true
}

// putBack takes a request back that was counted in the same period.
func (c *counter) putBack(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Unix() >= c.period.Start {
		c.pending--
	}
}

// rollLocked begins a new period when one has begun. What the ledger lacks of
// the old one does not matter any more.
func (c *counter) rollLocked(now time.Time) {
	if now.Before(c.ends) {
		return
	}
	c.ends = now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	if p := c.quota.at(now); p.Kind != c.period.Kind || p.after(c.period) {
		c.period, c.stored, c.pending = p, 0, 0
	}
}

// setQuota changes the quota. What was used stays used, unless the periods are
// others now.
func (c *counter) setQuota(q Quota) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quota, c.ends = q, time.Time{}
}

// adopt takes a stored count over, at the start.
func (c *counter) adopt(b balance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.period == b.period || c.period == (period{}) {
		c.period, c.stored = b.period, b.Used
	}
}

// lacking gives what the ledger lacks of the current period.
func (c *counter) lacking(now time.Time) (p period, delta int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rollLocked(now)
	return c.period, c.pending
}

// settle notes that the ledger has a delta of a period, and what it has of all
// nodes now.
func (c *counter) settle(p period, delta, total int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.period == p {
		c.stored, c.pending = total, c.pending-delta
	}
}
