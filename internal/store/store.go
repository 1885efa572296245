// Package store keeps the gateway's configuration: records under keys, written
// with compare-and-set, and watched by every node.
//
// A record is an aggregate, written whole: an API with its routes,
// integrations, models and authorizers; a deployment; a stage; a domain name
// with its mappings. What must hold within an aggregate is plain code on one
// value, and a write that lost a race is ErrConflict.
//
// Store is the storage of bytes, kept by Memory or by NATS. Configuration is
// its typed side, which the control plane writes and the nodes follow.
package store

import (
	"context"
	"errors"
)

// Errors of a Store. Others are those of the caller's context.
var (
	// ErrNotFound: there is no record under the key.
	ErrNotFound = errors.New("the record does not exist")
	// ErrConflict: the record's revision is another one, or it exists already.
	ErrConflict = errors.New("the record was changed by somebody else")
	// ErrUnavailable: the storage is gone or slow. Nothing is known of a write.
	ErrUnavailable = errors.New("the configuration store does not answer")
	// ErrRefused: the NATS servers do not know who we say that we are. It comes
	// with ErrUnavailable.
	ErrRefused = errors.New("the NATS servers refuse")
	// ErrTooLarge: the storage does not take a record of this size.
	ErrTooLarge = errors.New("the record is too large for the configuration store")
	// ErrDamaged: the storage does not have the record any more as it was written.
	// It is neither served nor overwritten until the store is repaired.
	ErrDamaged = errors.New("it is damaged in the store; stagedoor serve --repair restores it from a backup")
	// ErrClosed: the store was closed by this process.
	ErrClosed = errors.New("the configuration store is closed")
)

// Record is a value under a key.
type Record struct {
	// Key is two or more segments between dots, as Key makes them.
	Key   string
	Value []byte
	// Revision is that of the record's last write. Every write to the store,
	// whatever the key, has a higher one than all before.
	Revision uint64
	// Err wraps ErrDamaged where the storage lost what was written, in whole or in
	// part: Value is not to be used then. It is nil otherwise.
	Err error
}

// Change is a record as a write left it.
type Change struct {
	Record
	Deleted bool // Value is nil then
}

// Store is the storage of records. Its methods are safe for concurrent use,
// end with the caller's context, and otherwise answer within seconds, with
// ErrUnavailable at worst. Values that they take or give are not changed
// afterwards by either side.
//
// A prefix is the leading segments of keys that have more; "" stands for all.
type Store interface {
	// Get gives a record as the last answered write left it, or ErrNotFound.
	Get(ctx context.Context, key string) (Record, error)
	// Put writes a record whose revision is still the given one, 0 for one
	// that does not exist, and gives the new revision; else ErrConflict. What
	// was answered is kept, whatever happens to the process.
	Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	// Delete removes a record whose revision is still the given one, and gives
	// the revision of the removal; else ErrConflict or ErrNotFound.
	Delete(ctx context.Context, key string, revision uint64) (uint64, error)
	// List gives the records below a prefix in the order of their keys.
	List(ctx context.Context, prefix string) ([]Record, error)
	// Keys is List without the values.
	Keys(ctx context.Context, prefix string) ([]Record, error)
	// Watch calls changed for every record below one of the prefixes, then
	// ready once, then changed for what writes leave, in the order of their
	// revisions, until ctx ends or the store is closed; it gives that reason.
	// Of several writes to one record between two calls the last one counts;
	// removals are told also of records that never were. Watch survives a storage that goes and comes back. The functions
	// are called by the goroutine that calls Watch.
	Watch(ctx context.Context, prefixes []string, changed func(Change), ready func()) error
}
