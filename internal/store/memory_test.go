package store

import (
	"bytes"
	"fmt"
	"testing"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	contract(t, func(*testing.T) Store { return NewMemory() })
}

// A store in memory takes no more than it says.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	_, err := m.Put(t.Context(), "api.large", make([]byte, maxPayload+1), 0)
	wantErr(t, err, ErrTooLarge)

	value := bytes.Repeat([]byte("x"), maxPayload)
	revisions := map[string]uint64{}
	for i := 0; ; i++ {
		key := fmt.Sprintf("api.a%d", i)
		revision, err := m.Put(t.Context(), key, value, 0)
		if err != nil {
			wantErr(t, err, ErrTooLarge)
			break
		}
		revisions[key] = revision
	}
	if most := maxMemory / maxPayload; len(revisions) != most-1 && len(revisions) != most {
		t.Errorf("%d records of %d bytes are taken", len(revisions), maxPayload)
	}
	mustPut(t, m, "api.a0", "small", revisions["api.a0"]) // which makes room
	for key := range revisions {
		if key != "api.a0" {
			if _, err := m.Delete(t.Context(), key, revisions[key]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := len("api.a0small"); m.size != want {
		t.Errorf("the store counts %d bytes, and holds %d", m.size, want)
	}
}

// The mark of a removal stays until everybody who watches was told, and then as
// one of a number.
func TestMemoryForgetsRemovals(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	w := watch(t, m, "api")
	w.expectReady()
	remove := func(kind string, i int) {
		key := fmt.Sprintf("%s.a%d", kind, i)
		if _, err := m.Delete(t.Context(), key, mustPut(t, m, key, "x", 0)); err != nil {
			t.Fatal(err)
		}
	}
	const busy = 10 // of the watch, which is not done with them
	for i := range maxRemovals + busy {
		remove("api", i)
		for w.next(); !w.last.change.Deleted; w.next() {
		}
	}
	if len(m.records) > maxRemovals+1 || len(m.records) != len(m.removals) {
		t.Errorf("%d records and %d removals are kept", len(m.records), len(m.removals))
	}

	began, release := make(chan struct{}), make(chan struct{})
	removed := make(chan string, 2)
	go func() {
		_ = m.Watch(t.Context(), []string{"stage"}, func(c Change) {
			if c.Deleted {
				removed <- c.Key
				return
			}
			close(began)
			<-release
		}, nil)
	}()
	mustPut(t, m, "stage.a.first", "x", 0)
	<-began
	gone := mustPut(t, m, "stage.a.gone", "x", 0)
	if _, err := m.Delete(t.Context(), "stage.a.gone", gone); err != nil {
		t.Fatal(err)
	}
	for i := range maxRemovals + busy {
		remove("domain", i) // which nobody watches
	}
	close(release)
	if got := <-removed; got != "stage.a.gone" {
		t.Errorf("the watch that was behind is told of %s", got)
	}
}
