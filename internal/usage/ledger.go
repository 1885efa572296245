package usage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Records keep what API keys used. Several nodes use the same ones.
type Records interface {
	// List gives all records.
	List(context.Context) ([]*apigw.Usage, error)
	// Get gives a record, the caller's own, and its revision; nil and 0 where
	// there is none.
	Get(ctx context.Context, planID, keyID string) (*apigw.Usage, uint64, error)
	// Put writes a record whose revision is still the given one. ErrLostRace
	// says that it is another one.
	Put(ctx context.Context, record *apigw.Usage, revision uint64) error
}

// ErrLostRace is the answer of Records to a write that another was ahead of.
var ErrLostRace = errors.New("the record was changed by somebody else")

// Ledger keeps the counts of quotas over restarts, and adds up those of several
// nodes: in Records, to which it brings what was counted since the last time.
// A node that dies takes with it what it has not brought. Each node knows what
// the others had brought when it last brought something itself, or last refused
// a request. Records that do not answer let counting go on in memory; of a
// write whose end is not known, it may be that it is done twice.
type Ledger struct {
	records Records // nil: counts live in memory only

	mu       sync.Mutex
	counters map[counterName]*counter     // guarded by mu
	loaded   map[counterName]*apigw.Usage // guarded by mu: what there was at the start
}

// NewLedger makes a ledger over records. Nil keeps counts in memory only.
func NewLedger(records Records) *Ledger {
	return &Ledger{records: records, counters: make(map[counterName]*counter), loaded: make(map[counterName]*apigw.Usage)}
}

// daysKept is how many days a record has counts of, the latest ones.
const daysKept = 100

// Load reads all counts, before the first Keys.Replace. Without it, a node that
// starts takes quotas for unused until its first Save.
func (l *Ledger) Load(ctx context.Context) error {
	if l.records == nil {
		return nil
	}
	records, err := l.records.List(ctx)
	if err != nil {
		return fmt.Errorf("reading the usage of API keys: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, record := range records {
		l.loaded[counterName{record.UsagePlanId, record.KeyId}] = record
	}
	return nil
}

// counter gives the counter of a key under a plan, with the quota that it has
// now.
func (l *Ledger) counter(name counterName, q apigw.Quota) *counter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.counters[name]; c != nil {
		c.setQuota(q)
		return c
	}
	c := newCounter(q, l.loaded[name])
	delete(l.loaded, name)
	return c
}

// keep makes these the counters that are saved.
func (l *Ledger) keep(counters map[counterName]*counter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counters = counters
}

// Run saves after every interval until the context ends, and once more after
// that, within grace. What a save fails at is told to failed and tried again
// at the next. No more than an interval's counts are lost with a process that
// is killed.
func (l *Ledger) Run(ctx context.Context, interval, grace time.Duration, failed func(error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := l.Save(ctx); err != nil && ctx.Err() == nil {
				failed(err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
			defer cancel()
			if err := l.Save(last); err != nil {
				failed(err)
			}
			return
		}
	}
}

// Save brings to the records what was counted since the last time, and learns
// what other nodes counted. One goroutine at a time may call it.
func (l *Ledger) Save(ctx context.Context) error {
	if l.records == nil {
		return nil
	}
	l.mu.Lock()
	counters := maps.Clone(l.counters)
	l.mu.Unlock()
	var failures []error
	for name, c := range counters {
		if err := l.save(ctx, name, c); err != nil {
			failures = append(failures, fmt.Errorf("saving the usage of API key %s under plan %s: %w", name.keyID, name.planID, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failures...)
}

func (l *Ledger) save(ctx context.Context, name counterName, c *counter) error {
	unsaved, ask := c.due()
	if !ask {
		return nil
	}
	for {
		record, revision, err := l.records.Get(ctx, name.planID, name.keyID)
		if err != nil {
			return err
		}
		if record == nil {
			record = &apigw.Usage{UsagePlanId: name.planID, KeyId: name.keyID}
		}
		if len(unsaved) > 0 {
			add(record, unsaved)
			err = l.records.Put(ctx, record, revision)
		}
		switch {
		case err == nil:
			c.setRecord(record, unsaved)
			return nil
		case !errors.Is(err, ErrLostRace):
			return err
		}
	}
}

// add adds counts to a record, and drops those of long ago.
func add(record *apigw.Usage, counts map[string]int64) {
	if record.Used == nil {
		record.Used = make(map[string]int64)
	}
	for day, count := range counts {
		record.Used[day] += count
	}
	prune(record.Used)
	prune(record.Granted)
}

// prune drops all but the latest days. It does not ask the clock, which may be
// ahead: what is dropped is gone.
func prune(days map[string]int64) {
	if len(days) > daysKept {
		sorted := slices.Sorted(maps.Keys(days))
		for _, day := range sorted[:len(sorted)-daysKept] {
			delete(days, day)
		}
	}
}
