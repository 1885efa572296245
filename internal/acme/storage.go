package acme

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/stagedoor/stagedoor/internal/store"
)

// Store is the part of a store.Store that certificates are kept in.
type Store interface {
	Get(ctx context.Context, key string) (store.Record, error)
	Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	Delete(ctx context.Context, key string, revision uint64) (uint64, error)
	List(ctx context.Context, prefix string) ([]store.Record, error)
}

// Keys of the records.
const (
	filesPrefix = "acme.files"
	locksPrefix = "acme.locks"
)

// storage is a certmagic.Storage in a Store. The nodes that share the store
// share accounts, certificates and the answers to challenges.
type storage struct {
	store Store
	locks *locks
}

var (
	_ certmagic.Storage   = (*storage)(nil)
	_ certmagic.TryLocker = (*storage)(nil)
)

// file is the value of a record.
type file struct {
	Name     string    `json:"name"` // certmagic's key, with slashes
	Modified time.Time `json:"modified"`
	Content  []byte    `json:"content"`
}

// key is the key of a record. An empty name stands for all files.
func key(name string) string {
	if name = strings.Trim(path.Clean("/"+name), "/"); name == "" {
		return filesPrefix
	}
	return filesPrefix + "." + store.Key(strings.Split(name, "/")...)
}

// Store writes a file. Of two writers at the same time, the last one wins.
func (s *storage) Store(ctx context.Context, name string, content []byte) error {
	value, err := json.Marshal(file{Name: name, Modified: time.Now().UTC(), Content: content})
	if err != nil {
		return err
	}
	for {
		revision := uint64(0)
		switch record, err := s.store.Get(ctx, key(name)); {
		case err == nil:
			revision = record.Revision
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		if _, err = s.store.Put(ctx, key(name), value, revision); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// Load returns a file's content, or fs.ErrNotExist.
func (s *storage) Load(ctx context.Context, name string) ([]byte, error) {
	f, err := s.get(ctx, name)
	return f.Content, err
}

func (s *storage) get(ctx context.Context, name string) (file, error) {
	record, err := s.store.Get(ctx, key(name))
	if errors.Is(err, store.ErrNotFound) {
		return file{}, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return file{}, err
	}
	return decode(record)
}

func decode(record store.Record) (f file, err error) {
	if record.Err != nil {
		return file{}, fmt.Errorf("record %s: %w", record.Key, record.Err)
	}
	if err := json.Unmarshal(record.Value, &f); err != nil {
		return file{}, fmt.Errorf("record %s: %w", record.Key, err)
	}
	return f, nil
}

// Delete removes a file and all files below its name. It is no error if there
// is none.
func (s *storage) Delete(ctx context.Context, name string) error {
	below, err := s.store.List(ctx, key(name))
	if err != nil {
		return err
	}
	keys := []string{key(name)}
	for _, record := range below {
		keys = append(keys, record.Key)
	}
	for _, key := range keys {
		if key == filesPrefix {
			continue
		}
		if err := s.remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes a record whatever its revision.
func (s *storage) remove(ctx context.Context, key string) error {
	for {
		record, err := s.store.Get(ctx, key)
		if err == nil {
			_, err = s.store.Delete(ctx, key, record.Revision)
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// Exists reports whether there is a file, or one below the name.
func (s *storage) Exists(ctx context.Context, name string) bool {
	_, err := s.Stat(ctx, name)
	return err == nil
}

// List returns the names directly below a name, or all files below it.
func (s *storage) List(ctx context.Context, name string, recursive bool) ([]string, error) {
	records, err := s.store.List(ctx, key(name))
	if err != nil {
		return nil, err
	}
	var names []string
	prefix := strings.Trim(name, "/")
	for _, record := range records {
		f, err := decode(record)
		if err != nil {
			return nil, err
		}
		if !recursive {
			child, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(f.Name, prefix), "/"), "/")
			f.Name = path.Join(prefix, child)
		}
		names = append(names, f.Name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Stat describes a file, or a name that has files below it.
func (s *storage) Stat(ctx context.Context, name string) (certmagic.KeyInfo, error) {
	f, err := s.get(ctx, name)
	if err == nil {
		return certmagic.KeyInfo{Key: name, Modified: f.Modified, Size: int64(len(f.Content)), IsTerminal: true}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return certmagic.KeyInfo{}, err
	}
	if _, err := s.List(ctx, name, true); err != nil {
		return certmagic.KeyInfo{}, err
	}
	return certmagic.KeyInfo{Key: name}, nil
}

// Lock waits for the lock on a name, and takes it.
func (s *storage) Lock(ctx context.Context, name string) error { return s.locks.lock(ctx, name) }

// TryLock takes the lock on a name, and reports whether it could: it does not
// wait.
func (s *storage) TryLock(ctx context.Context, name string) (bool, error) {
	return s.locks.try(ctx, name)
}

// Unlock releases the lock on a name.
func (s *storage) Unlock(ctx context.Context, name string) error { return s.locks.unlock(ctx, name) }
