package store

import (
	"errors"
	"fmt"
	"sync"
)

// Reasons of a RecordError.
var (
	// ErrLaterVersion: a later version of Stagedoor wrote the record.
	ErrLaterVersion = errors.New("it was written by a later version of Stagedoor")
	// ErrCorrupt: the record's bytes are not what any version writes.
	ErrCorrupt = errors.New("it is damaged")
)

// RecordError is a record that this process cannot read. It stays as it is: it
// is neither overwritten nor removed, except by a caller that gives its
// revision.
type RecordError struct {
	Key      string
	Revision uint64
	Err      error // wraps ErrLaterVersion, ErrCorrupt or ErrDamaged
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("the configuration's record %s (revision %d) cannot be read and is left alone: %v", e.Key, e.Revision, e.Err)
}

func (e *RecordError) Unwrap() error { return e.Err }

// reports passes errors on, each record once per revision.
type reports struct {
	to func(*RecordError) // may be nil

	mu   sync.Mutex // guards the following
	told map[string]uint64
}

func (r *reports) add(e *RecordError) {
	if r.to == nil {
		return
	}
	r.mu.Lock()
	known := r.told[e.Key] == e.Revision
	if r.told == nil {
		r.told = make(map[string]uint64)
	}
	r.told[e.Key] = e.Revision
	r.mu.Unlock()
	if !known {
		r.to(e)
	}
}
