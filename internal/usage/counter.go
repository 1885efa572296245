package usage

import (
	"maps"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// counterName is whose requests a counter counts.
type counterName struct{ planID, keyID string }

// counter counts the requests of a key under a plan, by day. It is safe for
// concurrent use.
type counter struct {
	mu      sync.Mutex
	quota   apigw.Quota      // guarded by mu
	today   string           // guarded by mu
	start   string           // guarded by mu: the first day of the current period
	ends    time.Time        // guarded by mu: the end of today
	record  *apigw.Usage     // guarded by mu: what the ledger had at last; nil: nothing
	unsaved map[string]int64 // guarded by mu: what it lacks of ours, by day, without count
	count   int64            // guarded by mu: today's since the last foldLocked
	used    int64            // guarded by mu: both, of the current period
	refused bool             // guarded by mu: since the ledger was last asked
}

func newCounter(q apigw.Quota, record *apigw.Usage) *counter {
	return &counter{quota: q, record: record, unsaved: make(map[string]int64)}
}

// take counts a request, or says that the quota is used up.
func (c *counter) take(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !now.Before(c.ends) || now.Before(c.ends.AddDate(0, 0, -1)) { // another day, perhaps an earlier one: clocks are set
		c.beginLocked(now)
	}
	if c.used >= int64(c.quota.Limit) {
		c.refused = true
		return false
	}
	c.used++
	c.count++
	return true
}

// putBack takes a request back that was just counted.
func (c *counter) putBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used--
	c.count--
}

// beginLocked has it count for the day of now, and with it perhaps for another
// period.
func (c *counter) beginLocked(now time.Time) {
	c.foldLocked()
	now = now.UTC()
	c.today = now.Format(time.DateOnly)
	c.ends = now.Truncate(24*time.Hour).AddDate(0, 0, 1)
	c.start = PeriodStart(c.quota, now)
	c.addUpLocked()
}

// foldLocked puts today's count to those of other days.
func (c *counter) foldLocked() {
	if c.count != 0 {
		c.unsaved[c.today] += c.count
		c.count = 0
	}
}

func (c *counter) addUpLocked() {
	c.used = Used(c.record, c.start, c.today) + between(c.unsaved, c.start, c.today)
}

// setQuota changes the quota. What was used stays used.
func (c *counter) setQuota(q apigw.Quota) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quota, c.ends = q, time.Time{}
}

// setRecord notes what the ledger has, and how much of ours it has beside what
// it had.
func (c *counter) setRecord(record *apigw.Usage, saved map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record = record
	c.foldLocked()
	for day, count := range saved {
		if c.unsaved[day] -= count; c.unsaved[day] == 0 {
			delete(c.unsaved, day)
		}
	}
	c.addUpLocked()
}

// due gives what the ledger lacks, and whether there is reason to ask it: a
// count to bring, or a refusal that another count might end.
func (c *counter) due() (unsaved map[string]int64, ask bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ask = c.refused
	c.refused = false
	c.foldLocked()
	for _, count := range c.unsaved {
		ask = ask || count != 0
	}
	return maps.Clone(c.unsaved), ask
}
