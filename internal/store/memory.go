package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
)

const (
	// maxMemory is how many bytes of keys and values a Memory holds.
	maxMemory = 256 << 20
	// maxRemovals is how many marks of removals a Memory keeps for watches that
	// begin later.
	maxRemovals = 1000
)

// Memory is a Store that lasts as long as the process: for tests, and for
// gateways whose configuration comes with each start. It holds 256 MiB; a record
// beyond that, or one that is larger than 16 MiB, is ErrTooLarge. Its zero value
// is an empty store.
type Memory struct {
	mu       sync.Mutex        // guards the following
	records  map[string]Change // and the marks of removals
	removals []Record          // the marks, oldest first, without values; one whose key was written again may be among them
	size     int               // bytes of keys and values
	revision uint64
	watches  map[*uint64]struct{} // the revision up to which each was told
	written  chan struct{}        // closed by the next write; nil without a watch
}

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{} }

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string) (Record, error) {
	if err := cmp.Or(checkKey(key), ctx.Err()); err != nil {
		return Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.records[key]
	if !ok || found.Deleted {
		return Record{}, ErrNotFound
	}
	return found.Record, nil
}

// Put implements Store.
func (m *Memory) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if err := cmp.Or(checkKey(key), ctx.Err()); err != nil {
		return 0, err
	}
	if len(value) > maxPayload {
		return 0, fmt.Errorf("%w: a record has at most %d bytes", ErrTooLarge, maxPayload)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revisionLocked(key) != revision {
		return 0, ErrConflict
	}
	more := len(key) + len(value) - m.sizeLocked(key)
	if more > 0 && m.size+more > maxMemory {
		return 0, fmt.Errorf("%w: all records together have at most %d bytes", ErrTooLarge, maxMemory)
	}
	return m.writeLocked(Change{Record: Record{Key: key, Value: bytes.Clone(value)}}), nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, key string, revision uint64) (uint64, error) {
	if err := cmp.Or(checkKey(key), ctx.Err()); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.revisionLocked(key) {
	case 0:
		return 0, ErrNotFound
	case revision:
		return m.writeLocked(Change{Record: Record{Key: key}, Deleted: true}), nil
	}
	return 0, ErrConflict
}

// revisionLocked is the record's revision, 0 if it does not exist.
func (m *Memory) revisionLocked(key string) uint64 {
	if found, ok := m.records[key]; ok && !found.Deleted {
		return found.Revision
	}
	return 0
}

// sizeLocked is what a record counts in m.size, 0 if it does not exist.
func (m *Memory) sizeLocked(key string) int {
	if found, ok := m.records[key]; ok && !found.Deleted {
		return len(key) + len(found.Value)
	}
	return 0
}

// writeLocked puts a change in the place of what there was, tells the watches,
// and returns the change's revision.
func (m *Memory) writeLocked(c Change) uint64 {
	m.revision++
	c.Revision = m.revision
	if m.records == nil {
		m.records = make(map[string]Change)
	}
	m.size -= m.sizeLocked(c.Key)
	m.records[c.Key] = c
	m.size += m.sizeLocked(c.Key)
	if c.Deleted {
		m.removals = append(m.removals, c.Record)
	}
	m.forgetLocked()
	if m.written != nil {
		close(m.written)
		m.written = nil
	}
	return c.Revision
}

// forgetLocked drops the oldest marks of removals where there are too many. One
// that a watch was not told of stays.
func (m *Memory) forgetLocked() {
	told := m.revision
	for w := range m.watches {
		told = min(told, *w)
	}
	for len(m.removals) > maxRemovals && m.removals[0].Revision <= told {
		oldest := m.removals[0]
		m.removals = m.removals[1:]
		if found := m.records[oldest.Key]; found.Deleted && found.Revision == oldest.Revision {
			delete(m.records, oldest.Key)
		}
	}
}

// List implements Store.
func (m *Memory) List(ctx context.Context, prefix string) ([]Record, error) {
	if err := cmp.Or(checkPrefix(prefix), ctx.Err()); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Record
	for key, c := range m.records {
		if !c.Deleted && isBelow(key, prefix) {
			list = append(list, c.Record)
		}
	}
	slices.SortFunc(list, func(a, b Record) int { return cmp.Compare(a.Key, b.Key) })
	return list, nil
}

// Keys implements Store.
func (m *Memory) Keys(ctx context.Context, prefix string) ([]Record, error) {
	list, err := m.List(ctx, prefix)
	for i := range list {
		list[i].Value = nil
	}
	return list, err
}

// Watch implements Store.
func (m *Memory) Watch(ctx context.Context, prefixes []string, changed func(Change), ready func()) error {
	for _, prefix := range prefixes {
		if err := checkPrefix(prefix); err != nil {
			return err
		}
	}
	told := m.beginWatch()
	defer m.endWatch(told)
	var upTo uint64
	for {
		changes, revision, written := m.since(told, upTo, prefixes)
		for _, c := range changes {
			changed(c)
		}
		if upTo = revision; ready != nil {
			ready()
			ready = nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-written:
		}
	}
}

// beginWatch adds a watch that was told nothing yet.
func (m *Memory) beginWatch() (told *uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.watches == nil {
		m.watches = make(map[*uint64]struct{})
	}
	told = new(uint64)
	m.watches[told] = struct{}{}
	return told
}

func (m *Memory) endWatch(told *uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.watches, told)
}

// since takes note of the revision up to which a watch was told. It returns what
// was written after that, the store's revision, and a channel that the next
// write closes.
func (m *Memory) since(told *uint64, upTo uint64, prefixes []string) ([]Change, uint64, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*told = upTo
	var changes []Change
	for key, c := range m.records {
		if c.Revision > upTo && slices.ContainsFunc(prefixes, func(prefix string) bool { return isBelow(key, prefix) }) {
			changes = append(changes, c)
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Revision, b.Revision) })
	if m.written == nil {
		m.written = make(chan struct{})
	}
	return changes, m.revision, m.written
}

// Check returns ctx's error: a store in memory answers.
func (m *Memory) Check(ctx context.Context) error { return ctx.Err() }

// Alive returns nil.
func (m *Memory) Alive() error { return nil }

// Damage returns nil: nothing of it is lost before all is.
func (m *Memory) Damage() *Damage { return nil }

// Close does nothing. Watches end with their contexts.
func (m *Memory) Close() {}
