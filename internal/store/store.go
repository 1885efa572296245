// Package store keeps the gateway's configuration: records under keys, written
// with compare-and-set, and watched by every node.
//
// A record is an aggregate, written whole: an API with its routes,
// integrations, models and authorizers; a deployment; a stage; a domain name
// with its mappings. What must hold within an aggregate is plain code on one
// value, and a write that lost a race is ErrConflict.
package store

import (
	"context"
	"errors"
)

// Errors of a Store. Others are those of the context and of the storage.
var (
	// ErrNotFound: there is no record under the key.
	ErrNotFound = errors.New("the record does not exist")
	// ErrConflict: the record's revision is another one, or it exists already.
	ErrConflict = errors.New("the record was changed by somebody else")
	// ErrUnavailable: the storage is gone or slow. Nothing is known of a write.
	ErrUnavailable = errors.New("the configuration store does not answer")
)

// Record is a value under a key.
type Record struct {
	// Key is segments between dots; a segment is letters, digits, '-', '_', '='.
	Key   string
	Value []byte
	// Revision is that of the record's last write. Every write to the store,
	// whatever the key, has a higher one than all before.
	Revision uint64
}

// Change is a record as a write left it.
type Change struct {
	Record
	Deleted bool // Value is nil then
}

// Store is the storage of records. Its methods are safe for concurrent use.
type Store interface {
	// Get gives a record, or ErrNotFound.
	Get(ctx context.Context, key string) (Record, error)
	// Put writes a record whose revision is still the given one, 0 for one
	// that does not exist, and gives the new revision; else ErrConflict. What
	// was answered is kept, whatever happens to the process.
	Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	// Delete removes a record whose revision is still the given one, and gives
	// the revision of the removal; else ErrConflict or ErrNotFound.
	Delete(ctx context.Context, key string, revision uint64) (uint64, error)
	// List gives the records whose key begins with the given segments, in the
	// order of their keys. No prefix stands for all.
	List(ctx context.Context, prefix string) ([]Record, error)
	// Watch calls changed for every record that exists, then ready once, then
	// changed for every write, in the order of revisions, until ctx ends. It
	// survives a storage that goes and comes back. The functions are called by
	// one goroutine.
	Watch(ctx context.Context, changed func(Change), ready func()) error
}
