package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
)

// Memory is a Store in memory: it is gone with the process. Its zero value is
// an empty store, ready to use.
type Memory struct {
	mu       sync.Mutex
	records  map[string]Change // removed ones too, because watchers must see the removal
	revision uint64
	written  chan struct{} // closed by the next write; nil without a watcher
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
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revisionLocked(key) != revision {
		return 0, ErrConflict
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

func (m *Memory) writeLocked(c Change) uint64 {
	m.revision++
	c.Revision = m.revision
	if m.records == nil {
		m.records = make(map[string]Change)
	}
	m.records[c.Key] = c
	if m.written != nil {
		close(m.written)
		m.written = nil
	}
	return c.Revision
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
	var told uint64
	for {
		changes, revision, written := m.since(told, prefixes)
		for _, c := range changes {
			changed(c)
		}
		if told = revision; ready != nil {
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

// since returns what was written after a revision, the store's revision, and a
// channel that the next write closes.
func (m *Memory) since(told uint64, prefixes []string) ([]Change, uint64, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var changes []Change
	for key, c := range m.records {
		if c.Revision > told && slices.ContainsFunc(prefixes, func(prefix string) bool { return isBelow(key, prefix) }) {
			changes = append(changes, c)
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Revision, b.Revision) })
	if m.written == nil {
		m.written = make(chan struct{})
	}
	return changes, m.revision, m.written
}
