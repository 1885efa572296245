package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Collection holds records of one kind. The id of a record is one or more
// texts: an API's id; an API's id and the name of a stage. Its methods are
// those of the Store, on values instead of bytes, with the same errors, and
// safe for concurrent use.
type Collection[T any] struct {
	store   Store
	name    string // the first segment of the keys
	version int    // of the form in which values are written
	id      func(*T) []string
	reports *reports
}

// Entry is a value of a Collection with its revision. The value is a copy for
// the caller to change.
type Entry[T any] struct {
	Value    *T
	Revision uint64
}

// Event is a change of a record of a Collection.
type Event[T any] struct {
	ID       []string
	Revision uint64
	// Value is nil if the record was removed, or if it cannot be read.
	Value   *T
	Deleted bool
	// Err is a *RecordError if the record cannot be read; nothing more needs to
	// report it.
	Err error
}

// envelope is the form of every record. A version higher than the collection's
// was written by a later Stagedoor. There is one version of each kind so far;
// the next one has to bring the conversion from the one before.
type envelope[V any] struct {
	Version int `json:"version"`
	Value   V   `json:"value"`
}

// Key is the key of the record with an id.
func (c *Collection[T]) Key(id ...string) string {
	return Key(append([]string{c.name}, id...)...)
}

// Prefix is the prefix of the collection's keys, for Store.Watch.
func (c *Collection[T]) Prefix() string { return c.name }

// Identify returns the id of the record with a key, and whether the key is one
// of this collection.
func (c *Collection[T]) Identify(key string) (id []string, ours bool) {
	if !isBelow(key, c.name) {
		return nil, false
	}
	segments, err := splitKey(key)
	if err != nil {
		return nil, false
	}
	return segments[1:], true
}

// Get returns a value and its revision. The error is ErrNotFound, a
// *RecordError, or one of the store's.
func (c *Collection[T]) Get(ctx context.Context, id ...string) (*T, uint64, error) {
	record, err := c.store.Get(ctx, c.Key(id...))
	if err != nil {
		return nil, 0, err
	}
	value, err := c.Decode(record)
	return value, record.Revision, err
}

// Has reports whether there is a record, one that can be read or not.
func (c *Collection[T]) Has(ctx context.Context, id ...string) (bool, error) {
	_, err := c.store.Get(ctx, c.Key(id...))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Put writes a value under its own id if the record's revision is still the
// given one, 0 for a new record, and returns the new revision.
func (c *Collection[T]) Put(ctx context.Context, value *T, revision uint64) (uint64, error) {
	record, err := json.Marshal(envelope[*T]{c.version, value})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.name, err)
	}
	return c.store.Put(ctx, c.Key(c.id(value)...), record, revision)
}

// Delete removes a record if its revision is still the given one, and returns
// the revision of the removal. A record that cannot be read can be removed too.
func (c *Collection[T]) Delete(ctx context.Context, revision uint64, id ...string) (uint64, error) {
	return c.store.Delete(ctx, c.Key(id...), revision)
}

// List returns the values whose ids begin with the given texts, in the order of
// their keys; without any, all. Records that cannot be read are reported and
// left out.
func (c *Collection[T]) List(ctx context.Context, prefix ...string) ([]Entry[T], error) {
	records, err := c.store.List(ctx, c.Key(prefix...))
	if err != nil {
		return nil, err
	}
	entries := make([]Entry[T], 0, len(records))
	for _, record := range records {
		value, err := c.Decode(record)
		if err == nil {
			entries = append(entries, Entry[T]{value, record.Revision})
		}
	}
	return entries, nil
}

// IDs returns the ids of the records that List goes through, those too that
// cannot be read.
func (c *Collection[T]) IDs(ctx context.Context, prefix ...string) ([][]string, error) {
	records, err := c.store.Keys(ctx, c.Key(prefix...))
	if err != nil {
		return nil, err
	}
	var ids [][]string
	for _, record := range records {
		if id, ours := c.Identify(record.Key); ours {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Watch is Store.Watch for the records of the collection.
func (c *Collection[T]) Watch(ctx context.Context, changed func(Event[T]), ready func()) error {
	return c.store.Watch(ctx, []string{c.Prefix()}, func(change Change) {
		if event, ours := c.Event(change); ours {
			changed(event)
		}
	}, ready)
}

// Event returns a change as an event of this collection, and false if the
// record is of another one.
func (c *Collection[T]) Event(change Change) (event Event[T], ours bool) {
	id, ours := c.Identify(change.Key)
	if !ours {
		return Event[T]{}, false
	}
	event = Event[T]{ID: id, Revision: change.Revision, Deleted: change.Deleted}
	if !change.Deleted {
		event.Value, event.Err = c.Decode(change.Record)
	}
	return event, true
}

// Decode reads a record of this collection. Its error is a *RecordError, which
// it also reports.
func (c *Collection[T]) Decode(record Record) (*T, error) {
	value, err := c.decode(record)
	if err != nil {
		e := &RecordError{record.Key, record.Revision, err}
		c.reports.add(e)
		return nil, e
	}
	return value, nil
}

func (c *Collection[T]) decode(record Record) (*T, error) {
	if record.Err != nil {
		return nil, record.Err
	}
	var e envelope[*T]
	err := decodeStrictly(record.Value, &e)
	if err != nil || e.Version != c.version || e.Value == nil {
		return nil, c.explain(record, err)
	}
	if key := c.Key(c.id(e.Value)...); key != record.Key {
		return nil, fmt.Errorf("%w: its value is that of %s", ErrCorrupt, key)
	}
	return e.Value, nil
}

// explain returns what is wrong with a record that could not be decoded. It
// looks at the version first: a later one may have another form.
func (c *Collection[T]) explain(record Record, err error) error {
	var e envelope[json.RawMessage]
	switch invalid := json.Unmarshal(record.Value, &e); {
	case invalid != nil:
		return fmt.Errorf("%w: %w", ErrCorrupt, invalid)
	case e.Version > c.version:
		return fmt.Errorf("%w: its version is %d, the highest known here is %d", ErrLaterVersion, e.Version, c.version)
	case e.Version < 1 || err == nil:
		return fmt.Errorf("%w: it lacks a version or a value", ErrCorrupt)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return fmt.Errorf("%w: %w", ErrLaterVersion, err)
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// decodeStrictly refuses unknown members. They are a later version's, and may
// restrict who may connect: a route must not be served without them.
func decodeStrictly(text []byte, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after its end")
	}
	return nil
}

// newCollection makes a collection. name is the first segment of its keys, and
// id returns the id of a value.
func newCollection[T any](s Store, r *reports, name string, id func(*T) []string) *Collection[T] {
	return &Collection[T]{store: s, name: name, version: 1, id: id, reports: r}
}
