package acme

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/store"
)

func newStorage(s Store, owner string) *storage {
	return &storage{store: s, locks: newLocks(s, owner)}
}

func TestStorage(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newStorage(store.NewMemory(), "a")
	check := func(what string, got, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
	if _, err := s.Load(ctx, "a/b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := s.List(ctx, "a", true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if err := s.Delete(ctx, "a/b"); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
	files := []string{
		"acme/ca.test/users/me@example.com/me.json",
		"certificates/ca.test/wildcard_.example.com/wildcard_.example.com.crt",
		"certificates/ca.test/x.test/x.test.crt",
		"certificates/ca.test/x.test/x.test.key",
		"certificates/ca.test2/y",
	}
	before := time.Now()
	for _, name := range files {
		for _, content := range []string{"first", "content of " + name} {
			if err := s.Store(ctx, name, []byte(content)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range files {
		content, err := s.Load(ctx, name)
		if err != nil || string(content) != "content of "+name {
			t.Errorf("%s: %q %v", name, content, err)
		}
		info, err := s.Stat(ctx, name)
		if err != nil || !info.IsTerminal || info.Size != int64(len(content)) || info.Modified.Before(before) || info.Key != name {
			t.Errorf("%s: %+v %v", name, info, err)
		}
	}
	all, _ := s.List(ctx, "", true)
	check("all", all, files)
	direct, _ := s.List(ctx, "certificates/", false)
	check("direct children", direct, []string{"certificates/ca.test", "certificates/ca.test2"})
	below, _ := s.List(ctx, "certificates/ca.test", true)
	check("a folder", below, files[1:4])
	roots, _ := s.List(ctx, "", false)
	check("the root", roots, []string{"acme", "certificates"})
	if info, err := s.Stat(ctx, "certificates/ca.test"); err != nil || info.IsTerminal {
		t.Errorf("a folder: %+v %v", info, err)
	}
	if !s.Exists(ctx, "certificates") || s.Exists(ctx, "cert") || s.Exists(ctx, "certificates/ca.tes") {
		t.Error("existence is not by whole names")
	}
	if err := s.Delete(ctx, "certificates/ca.test"); err != nil {
		t.Fatal(err)
	}
	left, _ := s.List(ctx, "", true)
	check("after deleting a folder", left, []string{files[0], files[4]})
}

// Writers at once do not fail, and leave one of their contents.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	memory := store.NewMemory()
	var writers sync.WaitGroup
	for i := range 8 {
		s := newStorage(memory, fmt.Sprint(i))
		writers.Go(func() {
			for range 20 {
				if err := s.Store(t.Context(), "x", []byte{byte('0' + i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if content, err := newStorage(memory, "x").Load(t.Context(), "x"); err != nil || len(content) != 1 {
		t.Errorf("%q %v", content, err)
	}
}

// A lock is one node's at a time, for longer than a lease, and then the next's.
func TestLocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory := store.NewMemory()
		var inside, most, turns atomic.Int32
		var nodes sync.WaitGroup
		for i := range 5 {
			s := newStorage(memory, fmt.Sprint(i))
			nodes.Go(func() {
				if err := s.Lock(t.Context(), "issue x.test"); err != nil {
					t.Error(err)
					return
				}
				most.Store(max(most.Load(), inside.Add(1)))
				turns.Add(1)
				time.Sleep(3 * lockLease)
				inside.Add(-1)
				if err := s.Unlock(t.Context(), "issue x.test"); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
		if most.Load() != 1 || turns.Load() != 5 {
			t.Errorf("%d turns, %d at once", turns.Load(), most.Load())
		}
	})
}

// The lock of a node that died is taken over after its lease.
func TestLockLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory := store.NewMemory()
		dead, alive := newStorage(memory, "dead"), newStorage(memory, "alive")
		if err := dead.Lock(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		dead.locks.held["x"].cancel() // nobody renews it any more
		began := time.Now()
		if taken, err := alive.TryLock(t.Context(), "x"); taken || err != nil {
			t.Errorf("taken at once: %t %v", taken, err)
		}
		if err := alive.Lock(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited < lockLease || waited > 2*lockLease {
			t.Errorf("waited %v", waited)
		}
		// It comes back: the lock is not its own any more, and stays.
		if err := dead.Unlock(t.Context(), "x"); err != nil {
			t.Error(err)
		}
		if taken, err := newStorage(memory, "third").TryLock(t.Context(), "x"); taken || err != nil {
			t.Errorf("a lock that was given back by somebody else: %t %v", taken, err)
		}
		if err := alive.locks.close(t.Context()); err != nil {
			t.Error(err)
		}
		if taken, err := dead.TryLock(t.Context(), "x"); !taken || err != nil {
			t.Errorf("after the end: %t %v", taken, err)
		}
		if err := dead.Unlock(t.Context(), "x"); err != nil {
			t.Error(err)
		}
		if err := dead.Unlock(t.Context(), "x"); err == nil {
			t.Error("a lock is given back twice")
		}
	})
}
