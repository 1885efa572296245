package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// earlier is a store as a version of Stagedoor writes it that knows neither
// checksums nor the manifest.
type earlier struct {
	t  *testing.T
	kv jetstream.KeyValue
}

// asEarlier lets such a version work on a data directory.
func asEarlier(t *testing.T, dir string, work func(e earlier)) {
	t.Helper()
	options, err := Options{Dir: dir}.prepared()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newServer(filepath.Join(dir, storeName), true, options.Log, new(atomic.Bool))
	if err == nil {
		err = startNATS(t.Context(), s, dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer stopWithin(s)
	connection, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	js, err := jetstream.New(connection)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateOrUpdateStream(t.Context(), streamConfig(options)); err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(t.Context(), options.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	work(earlier{t, kv})
}

func (e earlier) create(key, value string) {
	e.t.Helper()
	if _, err := e.kv.Create(e.t.Context(), key, pack([]byte(value))); err != nil {
		e.t.Fatal(err)
	}
}

func (e earlier) update(key, value string) {
	e.t.Helper()
	entry, err := e.kv.Get(e.t.Context(), key)
	if err == nil {
		_, err = e.kv.Update(e.t.Context(), key, pack([]byte(value)), entry.Revision())
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e earlier) remove(key string) {
	e.t.Helper()
	if err := e.kv.Delete(e.t.Context(), key); err != nil {
		e.t.Fatal(err)
	}
}

// A store of an earlier version opens, and what it lost is noticed from then on,
// by key.
func TestStoreOfEarlierVersion(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	asEarlier(t, dir, func(e earlier) {
		e.create("api.a1", `{"version":1}`)
		e.create("api.a2", strings.Repeat("large ", 50_000))
		e.create("api.gone", `{}`)
		e.update("api.a1", `{"version":2}`)
		e.remove("api.gone")
		e.create("stage.a1.prod", `{"version":3}`)
	})
	damagedBefore := filepath.Join(t.TempDir(), "data")
	copyDir(t, dir, damagedBefore)
	want := map[string]string{"api.a1": `{"version":2}`, "api.a2": strings.Repeat("large ", 50_000), "stage.a1.prod": `{"version":3}`}
	n := open(t, Options{Dir: dir})
	if diff := cmp.Diff(want, contents(t, n)); diff != "" || n.Damage() != nil {
		t.Errorf("damage %v, contents (-want +got):\n%s", n.Damage(), diff)
	}
	n.Close()
	m, err := readManifest(filepath.Join(dir, storeName, manifestName))
	if err != nil || !m.whole || m.entries["api.a1"].Sum != checksum("api.a1", []byte(`{"version":2}`)) {
		t.Errorf("%v %+v", err, m)
	}
	for name, dir := range map[string]string{"before it was opened once": damagedBefore, "afterwards": dir} {
		block := filepath.Join(dir, "nats/jetstream/$G/streams/KV_stagedoor/msgs/1.blk")
		text, err := os.ReadFile(block)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.Replace(string(text), `{"version":3}`, `{"version":4}`, 1))
		if err := os.WriteFile(block, text, 0o600); err != nil {
			t.Fatal(err)
		}
		n := open(t, Options{Dir: dir, OnDamage: ServeWhole})
		if diff := cmp.Diff([]string{"stage.a1.prod"}, n.Damage().Keys()); diff != "" {
			t.Errorf("damaged %s (-want +got):\n%s", name, diff)
		}
		n.Close()
	}
}

// An earlier version may use the store in between: what it wrote and removed is
// no damage.
func TestEarlierVersionInBetween(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	n := open(t, Options{Dir: dir})
	for _, key := range []string{"api.kept", "api.changed", "api.removed"} {
		mustPut(t, n, key, "1", 0)
	}
	n.Close()
	asEarlier(t, dir, func(e earlier) {
		e.update("api.changed", "2")
		e.remove("api.removed")
		e.create("api.new", "3")
	})
	// The mark of the removal is gone after a day.
	n = open(t, Options{Dir: dir})
	want := map[string]string{"api.kept": "1", "api.changed": "2", "api.new": "3"}
	if diff := cmp.Diff(want, contents(t, n)); diff != "" || n.Damage() != nil {
		t.Errorf("damage %v, contents (-want +got):\n%s", n.Damage(), diff)
	}
}

// On servers elsewhere every record has its checksum, too, whoever wrote it; one
// that does not fit is named, and the others are as they were.
func TestChecksumsElsewhere(t *testing.T) {
	t.Parallel()
	url := startServer(t, &server.Options{StoreDir: t.TempDir()}).ClientURL()
	one, other := open(t, Options{URL: url}), open(t, Options{URL: url})
	mustPut(t, one, "api.a", "1", 0)
	revision := mustPut(t, other, "api.b", "2", 0)
	r, err := one.Get(t.Context(), "api.b")
	wantErr(t, err, nil)
	wantErr(t, r.Err, nil)
	message := nats.NewMsg(one.subject("api.b"))
	message.Header.Set(checksumHeader, checksum("api.b", []byte("2")))
	message.Data = []byte("3") // somebody else's hand
	if _, err := one.publish(t.Context(), message, revision); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	told := map[string]error{}
	err = other.Watch(ctx, []string{"api"}, func(c Change) { told[c.Key] = c.Err }, cancel)
	wantErr(t, err, context.Canceled)
	listed, err := other.List(t.Context(), "api")
	wantErr(t, err, nil)
	if len(listed) != 2 || len(told) != 2 {
		t.Fatalf("%v %v", listed, told)
	}
	r, err = other.Get(t.Context(), "api.b")
	wantErr(t, err, nil)
	for _, err := range []error{r.Err, listed[1].Err, told["api.b"]} {
		wantErr(t, err, ErrDamaged)
	}
	wantErr(t, listed[0].Err, nil)
	wantErr(t, told["api.a"], nil)
	var unreadable *RecordError
	if _, err := Backup(t.Context(), one, new(strings.Builder)); !errors.As(err, &unreadable) || unreadable.Key != "api.b" {
		t.Errorf("a backup of it: %v", err)
	}
}

// Of what is damaged in a store without a manifest only that counts which is in
// force.
func TestDamageOfOldWrites(t *testing.T) {
	t.Parallel()
	from := filepath.Join(t.TempDir(), "data")
	asEarlier(t, from, func(e earlier) {
		e.create("api.a1", `{"version":"first"}`)
		e.update("api.a1", `{"version":"second"}`)
		e.update("api.a1", `{"version":"third"}`)
	})
	const block = "nats/jetstream/$G/streams/KV_stagedoor/msgs/1.blk"
	text, err := os.ReadFile(filepath.Join(from, block))
	if err != nil {
		t.Fatal(err)
	}
	for part, lost := range map[string][]string{"first": {}, "second": {}, "third": {"api.a1"}} {
		dir := filepath.Join(t.TempDir(), "data")
		copyDir(t, from, dir)
		if err := os.WriteFile(filepath.Join(dir, block), []byte(strings.Replace(string(text), part, strings.ToUpper(part), 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		n := open(t, Options{Dir: dir, OnDamage: ServeWhole})
		if diff := cmp.Diff(lost, n.Damage().Keys(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", part, diff)
		}
		n.Close()
	}
}

// A damaged place of which nothing can be read is reported, with where it is, until
// the store is repaired.
func TestDamageOfUnknownKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	asEarlier(t, dir, func(e earlier) {
		e.create("api.a1", "1")
		e.create("api.a2", "2")
		e.create("api.a3", "3")
	})
	block := filepath.Join(dir, "nats/jetstream/$G/streams/KV_stagedoor/msgs/1.blk")
	text, err := os.ReadFile(block)
	if err == nil {
		err = os.WriteFile(block, []byte(strings.Replace(string(text), "$KV.stagedoor.api.a2", strings.Repeat("?", 20), 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"api.a1": "1", "api.a3": "3"}
	for _, place := range []string{"1.blk, bytes ", ""} { // at this start and at later ones
		n := open(t, Options{Dir: dir, OnDamage: ServeWhole})
		d := n.Damage()
		if diff := cmp.Diff(want, contents(t, n)); diff != "" || d == nil || d.Unknown != 1 || !strings.HasPrefix(d.Places, place) {
			t.Errorf("damage %+v, contents (-want +got):\n%s", d, diff)
		}
		n.Close()
	}
	n := open(t, Options{Dir: dir, OnDamage: Repair})
	if diff := cmp.Diff(want, contents(t, n)); diff != "" || n.Damage() != nil {
		t.Errorf("repaired, it has damage %v, contents (-want +got):\n%s", n.Damage(), diff)
	}
}
