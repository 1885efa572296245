package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// contract is what every Store must do. open gives an empty one, which the
// test's end closes.
func contract(t *testing.T, open func(t *testing.T) Store) {
	tests := map[string]func(*testing.T, Store){
		"writes and reads":       testWrites,
		"refuses lost races":     testConflicts,
		"lists below prefixes":   testLists,
		"refuses invalid keys":   testInvalidKeys,
		"ends with the context":  testContext,
		"watches":                testWatch,
		"watches some prefixes":  testWatchPrefixes,
		"watches in order":       testWatchOrder,
		"lets one of many win":   testRace,
		"loses no racing update": testCounter,
		"keeps values apart":     testValues,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func testWrites(t *testing.T, s Store) {
	ctx := t.Context()
	_, err := s.Get(ctx, "api.a")
	wantErr(t, err, ErrNotFound)
	first := mustPut(t, s, "api.a", "1", 0)
	other := mustPut(t, s, "api.b", "2", 0)
	second := mustPut(t, s, "api.a", "3", first)
	if first == 0 || other <= first || second <= other {
		t.Errorf("revisions %d, %d, %d do not rise", first, other, second)
	}
	got, err := s.Get(ctx, "api.a")
	wantErr(t, err, nil)
	if diff := cmp.Diff(Record{Key: "api.a", Value: []byte("3"), Revision: second}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	removed, err := s.Delete(ctx, "api.a", second)
	wantErr(t, err, nil)
	if removed <= second {
		t.Errorf("removed at %d, not after %d", removed, second)
	}
	_, err = s.Get(ctx, "api.a")
	wantErr(t, err, ErrNotFound)
	if again := mustPut(t, s, "api.a", "4", 0); again <= removed {
		t.Errorf("made again at %d, not after %d", again, removed)
	}
}

func testConflicts(t *testing.T, s Store) {
	ctx := t.Context()
	first := mustPut(t, s, "api.a", "1", 0)
	second := mustPut(t, s, "api.a", "2", first)
	for _, revision := range []uint64{0, first, second + 1} {
		_, err := s.Put(ctx, "api.a", []byte("lost"), revision)
		wantErr(t, err, ErrConflict)
	}
	for _, revision := range []uint64{0, first, second + 1} {
		_, err := s.Delete(ctx, "api.a", revision)
		wantErr(t, err, ErrConflict)
	}
	_, err := s.Delete(ctx, "api.none", 0)
	wantErr(t, err, ErrNotFound)
	_, err = s.Delete(ctx, "api.none", second)
	wantErr(t, err, ErrNotFound)
	_, err = s.Put(ctx, "api.none", []byte("lost"), second)
	wantErr(t, err, ErrConflict)

	removed, err := s.Delete(ctx, "api.a", second)
	wantErr(t, err, nil)
	_, err = s.Put(ctx, "api.a", []byte("lost"), second)
	wantErr(t, err, ErrConflict)
	for _, revision := range []uint64{second, removed} {
		_, err = s.Delete(ctx, "api.a", revision)
		wantErr(t, err, ErrNotFound)
	}
	if records, err := s.List(ctx, ""); err != nil || len(records) != 0 {
		t.Errorf("the store holds %v, %v", records, err)
	}
}

func testLists(t *testing.T, s Store) {
	ctx := t.Context()
	keys := []string{"stage.a.prod", "api.b", "stage.b.dev", "api.a", "stage.a.dev", "stagehand.a"}
	for _, key := range keys {
		mustPut(t, s, key, "value of "+key, 0)
	}
	gone := mustPut(t, s, "stage.a.gone", "", 0)
	if _, err := s.Delete(ctx, "stage.a.gone", gone); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		prefix string
		want   []string
	}{
		{"", []string{"api.a", "api.b", "stage.a.dev", "stage.a.prod", "stage.b.dev", "stagehand.a"}},
		{"api", []string{"api.a", "api.b"}},
		{"stage", []string{"stage.a.dev", "stage.a.prod", "stage.b.dev"}},
		{"stage.a", []string{"stage.a.dev", "stage.a.prod"}},
		{"stage.a.dev", nil},
		{"none", nil},
	}
	for _, test := range tests {
		records, err := s.List(ctx, test.prefix)
		wantErr(t, err, nil)
		bare, err := s.Keys(ctx, test.prefix)
		wantErr(t, err, nil)
		var listed []string
		for i, record := range records {
			listed = append(listed, record.Key)
			if string(record.Value) != "value of "+record.Key {
				t.Errorf("%s is %q", record.Key, record.Value)
			}
			if record.Value = nil; i < len(bare) && !cmp.Equal(record, bare[i]) {
				t.Errorf("Keys gives %+v, List %+v", bare[i], record)
			}
		}
		if diff := cmp.Diff(test.want, listed); diff != "" || len(bare) != len(records) {
			t.Errorf("%q: %d keys (-want +got):\n%s", test.prefix, len(bare), diff)
		}
	}
}

func testInvalidKeys(t *testing.T, s Store) {
	ctx := t.Context()
	for _, key := range []string{"", "api", "api.", ".api", "api..a", "api.*", "api.>", "api.a b", "api.ä", "api/a.b"} {
		_, err := s.Get(ctx, key)
		wantErr(t, err, errInvalidKey)
		_, err = s.Put(ctx, key, nil, 0)
		wantErr(t, err, errInvalidKey)
		_, err = s.Delete(ctx, key, 1)
		wantErr(t, err, errInvalidKey)
	}
	for _, prefix := range []string{"api.", "*", "api.>"} {
		_, err := s.List(ctx, prefix)
		wantErr(t, err, errInvalidKey)
		_, err = s.Keys(ctx, prefix)
		wantErr(t, err, errInvalidKey)
		wantErr(t, s.Watch(ctx, []string{prefix}, func(Change) {}, func() {}), errInvalidKey)
	}
}

func testContext(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ctx, "api.a")
	wantErr(t, err, context.Canceled)
	_, err = s.Put(ctx, "api.a", nil, 0)
	wantErr(t, err, context.Canceled)
	_, err = s.Delete(ctx, "api.a", 1)
	wantErr(t, err, context.Canceled)
	_, err = s.List(ctx, "")
	wantErr(t, err, context.Canceled)
	wantErr(t, s.Watch(ctx, []string{""}, func(Change) {}, func() {}), context.Canceled)
}

func testWatch(t *testing.T, s Store) {
	first := mustPut(t, s, "api.a", "1", 0)
	gone := mustPut(t, s, "api.gone", "1", 0)
	gone, err := s.Delete(t.Context(), "api.gone", gone)
	wantErr(t, err, nil)
	w := watch(t, s, "")
	w.expect(Change{Record: Record{Key: "api.a", Value: []byte("1"), Revision: first}})
	w.expect(Change{Record{Key: "api.gone", Value: nil, Revision: gone}, true}) // whoever waits for this revision must see it
	w.expectReady()
	second := mustPut(t, s, "api.a", "2", first)
	w.expect(Change{Record: Record{Key: "api.a", Value: []byte("2"), Revision: second}})
	third, err := s.Delete(t.Context(), "api.a", second)
	wantErr(t, err, nil)
	w.expect(Change{Record{Key: "api.a", Value: nil, Revision: third}, true})
	fourth := mustPut(t, s, "api.a", "4", 0)
	w.expect(Change{Record: Record{Key: "api.a", Value: []byte("4"), Revision: fourth}})
}

func testWatchPrefixes(t *testing.T, s Store) {
	w := watch(t, s, "api", "stage.a")
	w.expectReady()
	for _, key := range []string{"domain.a", "stage.b.dev", "apikey.a"} {
		mustPut(t, s, key, "unwatched", 0)
	}
	for _, key := range []string{"api.a", "stage.a.dev"} {
		revision := mustPut(t, s, key, "watched", 0)
		w.expect(Change{Record: Record{Key: key, Value: []byte("watched"), Revision: revision}})
	}
}

// testWatchOrder: whoever watches from any time on knows the last write of
// every record, and sees revisions rise.
func testWatchOrder(t *testing.T, s Store) {
	const keys, writes = 5, 20
	var writers sync.WaitGroup
	for k := range keys {
		writers.Go(func() {
			var revision uint64
			for i := range writes {
				revision = mustPut(t, s, fmt.Sprintf("api.k%d", k), fmt.Sprint(i), revision)
			}
		})
	}
	w := watch(t, s, "api")
	known := make(map[string]string)
	ready, last := false, uint64(0)
	for finished := 0; finished < keys || !ready; {
		event := w.next()
		if event.ready {
			ready = true
			continue
		}
		if event.change.Revision <= last {
			t.Fatalf("revision %d after %d", event.change.Revision, last)
		}
		last = event.change.Revision
		known[event.change.Key] = string(event.change.Value)
		if known[event.change.Key] == fmt.Sprint(writes-1) {
			finished++
		}
	}
	writers.Wait()
}

// testRace: of many writers with one revision, one wins.
func testRace(t *testing.T, s Store) {
	const writers = 16
	for _, revision := range []uint64{0, mustPut(t, s, "api.old", "0", 0)} {
		key := "api.new"
		if revision > 0 {
			key = "api.old"
		}
		results := make([]error, writers)
		var wait sync.WaitGroup
		for i := range writers {
			wait.Go(func() { _, results[i] = s.Put(t.Context(), key, fmt.Append(nil, i), revision) })
		}
		wait.Wait()
		winner := slices.Index(results, nil)
		for i, err := range results {
			if i != winner {
				wantErr(t, err, ErrConflict)
			}
		}
		record, err := s.Get(t.Context(), key)
		if err != nil || winner < 0 || string(record.Value) != fmt.Sprint(winner) {
			t.Errorf("%s holds %q, %v; writer %d won", key, record.Value, err, winner)
		}
	}
}

// testCounter: writers that read, add and try again on a conflict lose nothing.
func testCounter(t *testing.T, s Store) {
	const writers, additions = 8, 10
	mustPut(t, s, "usage.counter", "0", 0)
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			for range additions {
				if err := increment(t.Context(), s, "usage.counter"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	record, err := s.Get(t.Context(), "usage.counter")
	if err != nil || string(record.Value) != fmt.Sprint(writers*additions) {
		t.Errorf("the counter is %q, %v; want %d", record.Value, err, writers*additions)
	}
}

func increment(ctx context.Context, s Store, key string) error {
	for {
		record, err := s.Get(ctx, key)
		if err != nil {
			return err
		}
		var n int
		if _, err := fmt.Sscan(string(record.Value), &n); err != nil {
			return err
		}
		_, err = s.Put(ctx, key, fmt.Append(nil, n+1), record.Revision)
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

// testValues: any bytes are kept, and what the caller does with its own later
// changes nothing.
func testValues(t *testing.T, s Store) {
	large := make([]byte, 1_000_000) // most of what NATS takes without being told
	for i := range large {
		large[i] = byte(rand.Uint32()) // so that it cannot be compressed
	}
	for i, value := range [][]byte{{}, {0, 255, '\r', '\n'}, large} {
		key := fmt.Sprintf("api.v%d", i)
		kept := slices.Clone(value)
		if _, err := s.Put(t.Context(), key, value, 0); err != nil {
			t.Fatal(err)
		}
		for j := range value {
			value[j]++
		}
		record, err := s.Get(t.Context(), key)
		if err != nil || !slices.Equal(record.Value, kept) {
			t.Errorf("%d bytes came back as %d others, %v", len(kept), len(record.Value), err)
		}
	}
}

// deadline is how long what must happen may take on a busy machine.
const deadline = time.Minute

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func mustPut(t *testing.T, s Store, key, value string, revision uint64) uint64 {
	t.Helper()
	revision, err := s.Put(t.Context(), key, []byte(value), revision)
	if err != nil {
		t.Errorf("Put %s: %v", key, err)
	}
	return revision
}

// watcher is a Watch whose calls a test takes one by one.
type watcher struct {
	t      *testing.T
	events chan watchEvent
	last   watchEvent // what next gave last
}

type watchEvent struct {
	change Change
	ready  bool
}

// watch starts a Watch, which ends before the test does.
func watch(t *testing.T, s Store, prefixes ...string) *watcher {
	t.Helper()
	w := &watcher{t: t, events: make(chan watchEvent, 1000)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- s.Watch(ctx, prefixes, func(c Change) { w.events <- watchEvent{change: c} }, func() { w.events <- watchEvent{ready: true} })
	}()
	t.Cleanup(func() {
		cancel()
		wantErr(t, <-done, context.Canceled)
	})
	return w
}

func (w *watcher) next() watchEvent {
	w.t.Helper()
	select {
	case event := <-w.events:
		w.last = event
		return event
	case <-time.After(deadline):
		w.t.Fatalf("the watch tells nothing; what it told last: %+v", w.last)
		return watchEvent{}
	}
}

func (w *watcher) expect(want Change) {
	w.t.Helper()
	if diff := cmp.Diff(watchEvent{change: want}, w.next(), cmp.AllowUnexported(watchEvent{})); diff != "" {
		w.t.Errorf("the watch (-want +got):\n%s", diff)
	}
}

func (w *watcher) expectReady() {
	w.t.Helper()
	if event := w.next(); !event.ready {
		w.t.Errorf("the watch tells %+v before it is ready", event.change)
	}
}

func wantErrText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}
