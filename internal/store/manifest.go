package store

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"sync"
)

// entry is the manifest's entry of a record.
type entry struct {
	Revision  uint64
	Sum       string // its checksum, removalSum, or "" for one of an earlier version
	Uncertain bool
	Lost      bool
}

// isRemoval reports whether the record was removed.
func (e entry) isRemoval() bool { return e.Sum == removalSum }

const (
	// Counters and locks change all the time. Their changes do not cause a
	// backup.
	usagePrefix = "usage"
	locksPrefix = "acme.locks"

	// journalLines is how many lines a manifest may have behind "all", besides four
	// for each record, until it is written anew.
	journalLines = 10_000
	// removalsKept is the number of revisions for which a removal stays in the
	// manifest, so that it is still there when the writes are noted that were
	// under way at the same time.
	removalsKept = 10_000
)

// manifest is the manifest of an open store. The nil manifest is for stores
// without one: its methods do nothing. The methods are safe for concurrent use.
type manifest struct {
	path string

	mu      sync.Mutex // guards the following
	file    *os.File
	size    int64 // of the file, up to the end of the last whole line
	unsaved []byte
	dirty   bool // the file has lines that may not be on the disk yet
	entries map[string]entry
	last    uint64 // the highest revision
	lines   int    // behind "all"
	stale   bool   // the file has to be written anew
	// settled is the highest revision but those of counters and locks, which change
	// all the time; changed is sent when it rises.
	settled uint64
	changed signal
}

// openManifest makes a manifest with the given entries, and writes it to a
// file. Where that fails, because the disk is full for instance, it is written
// later.
func openManifest(path string, entries map[string]entry, last uint64) *manifest {
	m := &manifest{path: path, entries: entries, last: last}
	for key, e := range entries {
		m.settleLocked(key, e)
	}
	before, err := readManifest(path)
	if err == nil && before.whole && before.last == last && maps.Equal(before.entries, entries) {
		m.lines = before.lines
		err = m.openLocked(before.size)
	} else {
		err = m.rewriteLocked()
	}
	m.stale = err != nil
	return m
}

// note adds a write that the storage has answered. The write is in the file
// when note returns, unless the disk is full: then it is written with the next
// one.
func (m *manifest) note(key string, e entry) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, known := m.entries[key]; known && before.Revision > e.Revision {
		return // a later write was noted before
	}
	m.last = max(m.last, e.Revision)
	if m.settleLocked(key, e) {
		m.changed.send()
	}
	m.addLocked(key, e)
}

// settleLocked reports whether a write causes a backup, and notes its revision
// if it does.
func (m *manifest) settleLocked(key string, e entry) bool {
	if isBelow(key, usagePrefix) || isVolatile(key) {
		return false
	}
	m.settled = max(m.settled, e.Revision)
	return true
}

// noteUncertain notes that a record may have been written or removed.
func (m *manifest) noteUncertain(key string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, known := m.entries[key]
	if !known || e.Uncertain {
		return // a record that is not listed is not expected
	}
	e.Uncertain = true
	m.addLocked(key, e)
}

func (m *manifest) addLocked(key string, e entry) {
	m.entries[key] = e
	var line bytes.Buffer
	appendLine(&line, key, e)
	m.unsaved = append(m.unsaved, line.Bytes()...)
	m.lines++
	m.saveLocked()
}

// saveLocked appends the lines that are not in the file yet. A line that could
// not be written as a whole is cut off again.
func (m *manifest) saveLocked() {
	if len(m.unsaved) == 0 && !m.stale {
		return
	}
	if m.stale || m.lines > journalLines+4*len(m.entries) {
		err := m.rewriteLocked()
		if m.stale = m.stale && err != nil; err == nil || m.stale {
			m.unsaved = nil // rewriteLocked has written it
			return
		}
	}
	n, err := m.file.WriteAt(m.unsaved, m.size)
	if err != nil {
		_ = m.file.Truncate(m.size) // if that fails too, the rest is ignored when it is read
		return
	}
	m.size += int64(n)
	m.unsaved = m.unsaved[:0]
	m.dirty = true
}

// rewriteLocked writes the manifest anew.
func (m *manifest) rewriteLocked() error {
	for key, e := range m.entries {
		if e.isRemoval() && e.Revision+removalsKept < m.last {
			delete(m.entries, key)
		}
	}
	if m.file != nil {
		_ = m.file.Close() // Windows does not replace open files
	}
	if err := writeManifest(m.path, m.entries, m.last); err != nil {
		_ = m.openLocked(m.size) // the file is as it was
		return fmt.Errorf("the store's manifest: %w", err)
	}
	if err := m.openLocked(-1); err != nil {
		return err
	}
	m.unsaved, m.dirty, m.lines = nil, false, 0
	return nil
}

// openLocked opens the file to append to it. It cuts the file off at size,
// unless that is -1.
func (m *manifest) openLocked(size int64) (err error) {
	if m.file, err = os.OpenFile(m.path, os.O_RDWR, 0); err != nil {
		m.stale = true
		return fmt.Errorf("the store's manifest: %w", err)
	}
	if size >= 0 {
		m.size, err = size, m.file.Truncate(size)
	} else {
		m.size, err = m.file.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return fmt.Errorf("the store's manifest: %w", err)
	}
	return nil
}

// sync syncs the file to the disk. It is called now and then: after a power
// failure the last lines may be missing, and records that are newer than all
// lines are accepted when the store is opened.
func (m *manifest) sync() {
	if m == nil {
		return
	}
	m.mu.Lock()
	m.saveLocked()
	file, dirty := m.file, m.dirty
	m.dirty = false
	m.mu.Unlock()
	if dirty {
		_ = file.Sync() // a file that was replaced meanwhile is synced already
	}
}

func (m *manifest) close() {
	if m == nil {
		return
	}
	m.sync()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file != nil {
		_ = m.file.Close()
	}
}

// settledAt returns the highest revision of all writes that cause a backup.
func (m *manifest) settledAt() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.settled
}

// changedSince returns a channel that is closed as soon as settledAt is not the
// given revision any more.
func (m *manifest) changedSince(revision uint64) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.settled != revision { // not only higher: a store that was made anew has lower ones
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	return m.changed.wait()
}
