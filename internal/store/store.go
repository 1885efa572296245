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
	// ErrUnavailable: the storage is gone or slow. A write may have been done
	// or not.
	ErrUnavailable = errors.New("the configuration store does not answer")
	// ErrRefused: the NATS servers do not accept this client's credentials. An
	// error that wraps it wraps ErrUnavailable too.
	ErrRefused = errors.New("the NATS servers refuse")
	// ErrTooLarge: the storage does not take a record of this size.
	ErrTooLarge = errors.New("the record is too large for the configuration store")
	// ErrDamaged: the storage lost the record, or a part of it. The record is
	// neither served nor overwritten until the store is repaired.
	ErrDamaged = errors.New("it is damaged in the store; stagedoor serve --repair restores it from a backup")
	// ErrClosed: the store was closed by this process.
	ErrClosed = errors.New("the configuration store is closed")
)

// Record is a value under a key.
type Record struct {
	// Key is two or more segments between dots, as Key makes them.
	Key   string
	Value []byte
	// Revision is that of the record's last write, from 1. Every write to the
	// store, whatever its key, has a higher revision than all before.
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

// Store is the storage of records. Its methods are safe for concurrent use, end
// with the caller's context, and otherwise answer within seconds, with
// ErrUnavailable at worst. Neither side changes a value after it was passed or
// returned.
//
// A prefix is one or more whole segments, and stands for the keys that begin
// with these and have more; "" stands for all keys.
type Store interface {
	// Get returns a record as the last write left it that was answered, or
	// ErrNotFound.
	Get(ctx context.Context, key string) (Record, error)
	// Put writes a record, and returns its new revision. The record must still
	// have the given revision, 0 for one that does not exist; else the error is
	// ErrConflict, and nothing is written. Once Put has returned, the write is
	// kept, whatever happens to the process.
	Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	// Delete removes a record, and returns the revision of the removal. The
	// record must still have the given revision; else the error is ErrConflict,
	// or ErrNotFound where there is no record.
	Delete(ctx context.Context, key string, revision uint64) (uint64, error)
	// List returns the records below a prefix in the order of their keys.
	List(ctx context.Context, prefix string) ([]Record, error)
	// Keys is List without the values.
	Keys(ctx context.Context, prefix string) ([]Record, error)
	// Watch calls changed for every record below one of the prefixes, then
	// ready once, and then changed for every write, in the order of their
	// revisions. It returns when ctx ends or the store is closed, with that
	// reason. Where a record is written several times between two calls,
	// changed may be called for the last write alone; it may also be called for
	// the removal of a record that was never seen. Watch goes on when the
	// storage comes back after it was gone. The functions are called by the
	// goroutine that calls Watch.
	Watch(ctx context.Context, prefixes []string, changed func(Change), ready func()) error
}
