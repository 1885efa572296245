package usage

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Storage keeps the counts of quotas. Several nodes use one at the same time.
type Storage interface {
	// List gives the records whose keys begin with a prefix that ends in a dot.
	List(ctx context.Context, prefix string) ([]StoredRecord, error)
	// Get gives a record, one with revision 0 for a key that has none.
	Get(ctx context.Context, key string) (StoredRecord, error)
	// Put writes a record whose revision is still the given one. ErrLostRace
	// says that it is another one.
	Put(ctx context.Context, record StoredRecord) error
}

// StoredRecord is a value under a key of dots and of what hexadecimal numbers
// are made of, with the revision that its last write gave it.
type StoredRecord struct {
	Key      string
	Value    []byte
	Revision uint64
}

// ErrLostRace is a Storage's answer to a write that another was ahead of.
var ErrLostRace = errors.New("the record was changed by somebody else")

// Ledger keeps the counts of quotas over restarts, and adds up those of several
// nodes: in a Storage, to which it brings what was counted since the last time.
// A node that dies takes with it what it has not brought. Each node knows what
// the others had brought when it last brought something itself. A storage that does not
// answer lets counting go on in memory.
type Ledger struct {
	storage Storage // nil: counts live in memory only

	mu       sync.Mutex
	counters map[counterName]*counter // guarded by mu
	loaded   map[counterName]balance  // guarded by mu: what the storage had at the start
}

// balance is the count of a key under a plan as it is stored.
type balance struct {
	period
	Used int64 `json:"used"`
}

// NewLedger makes a ledger over a storage. Nil keeps counts in memory only.
func NewLedger(storage Storage) *Ledger {
	return &Ledger{storage: storage, counters: make(map[counterName]*counter), loaded: make(map[counterName]balance)}
}

// prefix is in front of all keys of counts.
const prefix = "usage."

// Load reads all counts, before the first request. Without it, a node that
// starts takes quotas for unused until its first Save.
func (l *Ledger) Load(ctx context.Context) error {
	if l.storage == nil {
		return nil
	}
	records, err := l.storage.List(ctx, prefix)
	if err != nil {
		return fmt.Errorf("reading the usage of API keys: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, record := range records {
		name, ok := parseKey(record.Key)
		b, err := parseBalance(record.Value)
		if !ok || err != nil {
			continue // nothing of ours; Save tells of a count that cannot be read
		}
		l.loaded[name] = b
		if c := l.counters[name]; c != nil {
			c.adopt(b)
		}
	}
	return nil
}

// counter gives the counter of a key under a plan, with the quota that it has
// now.
func (l *Ledger) counter(name counterName, q Quota) *counter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.counters[name]; c != nil {
		c.setQuota(q)
		return c
	}
	c := &counter{quota: q}
	if b, found := l.loaded[name]; found {
		c.adopt(b)
		delete(l.loaded, name)
	}
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
	if l.storage == nil {
		<-ctx.Done()
		return
	}
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

// Save brings to the storage what was counted since the last time, and learns
// what other nodes counted. One goroutine at a time may call it.
func (l *Ledger) Save(ctx context.Context) error {
	l.mu.Lock()
	counters := make(map[counterName]*counter, len(l.counters))
	for name, c := range l.counters {
		counters[name] = c
	}
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
	now, delta := c.lacking(time.Now())
	if delta == 0 {
		return nil
	}
	for {
		record, err := l.storage.Get(ctx, name.key())
		if err != nil {
			return err
		}
		var b balance
		if record.Revision > 0 {
			if b, err = parseBalance(record.Value); err != nil {
				return err
			}
		}
		switch {
		case b.after(now): // for another node the next period has begun
			return nil
		case b.period != now:
			b = balance{period: now}
		}
		b.Used += delta
		record.Key, record.Value = name.key(), b.json()
		err = l.storage.Put(ctx, record)
		if err == nil {
			c.settle(now, delta, b.Used)
			return nil
		}
		if !errors.Is(err, ErrLostRace) {
			return err
		}
	}
}

// key is the name of a counter's record. Ids may have any characters; those of
// the record's key are hexadecimal.
func (n counterName) key() string { return fmt.Sprintf("%s%x.%x", prefix, n.planID, n.keyID) }

func parseKey(key string) (n counterName, ok bool) {
	plan, id, _ := strings.Cut(strings.TrimPrefix(key, prefix), ".")
	planID, err := hex.DecodeString(plan)
	if err != nil {
		return n, false
	}
	keyID, err := hex.DecodeString(id)
	return counterName{string(planID), string(keyID)}, err == nil
}

func (b balance) json() []byte {
	text, _ := json.Marshal(b) // a text and numbers always marshal
	return text
}

func parseBalance(text []byte) (balance, error) {
	var b balance
	if err := json.Unmarshal(text, &b); err != nil {
		return b, fmt.Errorf("the stored count cannot be read: %w", err)
	}
	return b, nil
}
