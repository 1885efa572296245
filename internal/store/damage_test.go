package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// flipsVariable sets the number of places that TestFlips tries.
const flipsVariable = "STAGEDOOR_FLIPS"

// stores are data directories as a process leaves them that ended in order, and
// as one that was killed.
type stores struct {
	stopped, killed string
	held            map[string]string // what both hold
}

// fillStores fills a store with records of many sizes, written several times and
// removed, and with backups.
func fillStores(t *testing.T, records int, value func(i int) []byte) stores {
	t.Helper()
	s := stores{stopped: filepath.Join(t.TempDir(), "data"), killed: filepath.Join(t.TempDir(), "data")}
	n := open(t, Options{Dir: s.stopped, BackupKeep: 5})
	for i := range records {
		key := Key([]string{"api", "deployment", "stage"}[i%3], fmt.Sprintf("a%d", i/3), "x")
		revision := mustPut(t, n, key, "first", 0)
		revision = mustPut(t, n, key, string(value(i)), revision)
		if i%10 == 9 {
			if _, err := n.Delete(t.Context(), key, revision); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.held = contents(t, n)
	copyDir(t, filepath.Join(s.stopped, storeName), filepath.Join(s.killed, storeName))
	n.Close() // with a last backup
	copyDir(t, filepath.Join(s.stopped, "backups"), filepath.Join(s.killed, "backups"))
	return s
}

func smallValue(i int) []byte {
	return []byte(fmt.Sprintf(`{"version":1,"value":{"Number":%d,"Text":%q}}`, i, strings.Repeat("text ", i*7%100)))
}

// copyDir copies a data directory.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// filesBelow returns the files below a folder with what is in them.
func filesBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return files
}

// flip changes a bit at a random place of the files of a store, and says where.
func flip(t *testing.T, dir string, random *rand.Rand) string {
	t.Helper()
	files := filesBelow(t, filepath.Join(dir, storeName))
	size := 0
	for _, text := range files {
		size += len(text)
	}
	at := random.IntN(size)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := []byte(files[name])
		if at >= len(text) {
			at -= len(text)
			continue
		}
		bit := random.IntN(8)
		text[at] ^= 1 << bit
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s, byte %d, bit %d", filepath.Base(name), at, bit)
	}
	panic("beyond the last file")
}

// holdsOrNames opens a store that is damaged: every record is there as it was, or
// is named and refused. Then the store is repaired, and holds everything again.
// It gives how many records were damaged.
func holdsOrNames(t *testing.T, dir string, held map[string]string) int {
	t.Helper()
	before := filesBelow(t, filepath.Join(dir, storeName))
	options := Options{Dir: dir, OnDamage: ServeWhole, Timeout: deadline}
	n, err := Open(t.Context(), options)
	if err != nil {
		t.Errorf("it does not open: %v", err)
		return 0
	}
	damaged := n.Damage().Keys()
	changed := checkServed(t, n, held, damaged)
	n.Close()
	if len(damaged) > 0 {
		if diff := cmp.Diff(before, filesBelow(t, filepath.Join(dir, storeName))); diff != "" {
			t.Errorf("the damaged files were changed before anybody asked for it")
		}
		options.OnDamage = Refuse
		var damage *Damage
		if _, err := Open(t.Context(), options); !errors.As(err, &damage) || !slices.Equal(damage.Keys(), damaged) {
			t.Errorf("a store that lost %v gives %v", damaged, err)
		}
	}

	options.OnDamage = Repair
	n, err = Open(t.Context(), options)
	if err != nil {
		t.Errorf("it is not repaired: %v", err)
		return len(damaged)
	}
	defer n.Close()
	want := maps.Clone(held)
	maps.Copy(want, changed)
	if diff := cmp.Diff(want, contents(t, n)); diff != "" || n.Damage() != nil {
		t.Errorf("repaired, it has damage %v, contents (-want +got):\n%s", n.Damage(), diff)
	}
	if len(damaged) > 0 && len(before) > 0 {
		aside, _ := filepath.Glob(filepath.Join(dir, damagedName+"*", storeName))
		if len(aside) != 1 {
			t.Fatalf("kept aside: %v", aside)
		}
		for name, text := range before {
			kept := filepath.Join(aside[0], strings.TrimPrefix(name, filepath.Join(dir, storeName)))
			if got, err := os.ReadFile(kept); err != nil || string(got) != text {
				t.Errorf("%s is not what it was: %v", kept, err)
			}
		}
	}
	return len(damaged)
}

// checkServed looks at what a store with damage gives and takes, and returns what
// it wrote.
func checkServed(t *testing.T, n *NATS, held map[string]string, damaged []string) map[string]string {
	t.Helper()
	written := ""
	for key, value := range held {
		r, err := n.Get(t.Context(), key)
		switch isDamaged := slices.Contains(damaged, key); {
		case err != nil:
			t.Errorf("%s: %v", key, err)
		case isDamaged != errors.Is(r.Err, ErrDamaged):
			t.Errorf("%s: damaged %v, but gives %v", key, isDamaged, r.Err)
		case !isDamaged && string(r.Value) != value:
			t.Errorf("%s is another one: %q", key, r.Value)
		case !isDamaged:
			written = max(written, key)
		}
	}
	listed, err := n.Keys(t.Context(), "")
	if err != nil || len(listed) != len(held) {
		t.Errorf("%d records of %d are listed, %v", len(listed), len(held), err)
	}
	for _, key := range damaged {
		r, _ := n.Get(t.Context(), key)
		_, err := n.Put(t.Context(), key, []byte("{}"), r.Revision)
		wantErr(t, err, ErrDamaged)
		_, err = n.Put(t.Context(), key, []byte("{}"), 0)
		wantErr(t, err, ErrDamaged)
		_, err = n.Delete(t.Context(), key, r.Revision)
		wantErr(t, err, ErrDamaged)
	}
	if written == "" {
		return nil
	}
	r, err := n.Get(t.Context(), written)
	wantErr(t, err, nil)
	mustPut(t, n, written, `{"changed":true}`, r.Revision)
	return map[string]string{written: `{"changed":true}`}
}

// One bit that is another one, anywhere in the files of a store, loses nothing
// without a word, and never keeps the store from opening.
func TestFlips(t *testing.T) {
	t.Parallel()
	flips := 40
	if text := os.Getenv(flipsVariable); text != "" {
		var err error
		if flips, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := fillStores(t, 90, smallValue)
	whole, named := 0, 0
	for i := range flips {
		from := s.stopped
		if i%2 == 1 {
			from = s.killed
		}
		dir := filepath.Join(t.TempDir(), "data")
		copyDir(t, from, dir)
		place := flip(t, dir, rand.New(rand.NewPCG(seed, uint64(i))))
		if holdsOrNames(t, dir, s.held) > 0 {
			named++
		} else {
			whole++
		}
		if t.Failed() {
			t.Fatalf("flip %d of seed %d: %s, killed %v", i, seed, place, from == s.killed)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d flips: %d times everything is whole, %d times what is not is named", flips, whole, named)
}

// A record whose sequence is another one by a bit is named and refused, whichever
// bit it is. A server counts up to the sequence that it reads, and takes memory for
// each one that it misses: the store opens within its bounds all the same.
func TestFlippedSequences(t *testing.T) {
	t.Parallel()
	s := fillStores(t, 12, smallValue)
	const key = "api.a2.x"
	for bit := range 64 {
		t.Run(strconv.Itoa(bit), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			copyDir(t, []string{s.stopped, s.killed}[bit%2], dir)
			block := filepath.Join(dir, "nats/jetstream/$G/streams/KV_stagedoor/msgs/1.blk")
			text, err := os.ReadFile(block)
			if err != nil {
				t.Fatal(err)
			}
			// length(4) sequence(8) time(8) subject length(2) subject
			sequence := bytes.LastIndex(text, []byte("$KV.stagedoor."+key)) - 18
			if sequence < 0 {
				t.Fatalf("%s is not in the block", key)
			}
			text[sequence+bit/8] ^= 1 << (bit % 8)
			if err := os.WriteFile(block, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if damaged := holdsOrNames(t, dir, s.held); damaged != 1 {
				t.Errorf("%d records are damaged, want 1", damaged)
			}
		})
	}
}

// Whatever else happens to files is noticed, too.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	// Several blocks: each holds 8 MB.
	large := fillStores(t, 10, func(int) []byte {
		noise := make([]byte, 1<<20)
		random := rand.NewChaCha8([32]byte{})
		_, _ = random.Read(noise)
		return noise
	})
	small := fillStores(t, 60, smallValue)
	const stream = "nats/jetstream/$G/streams/KV_stagedoor/"
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.RemoveAll(filepath.Join(dir, name)) }
	}
	truncate := func(name string, size func(int64) int64) func(string) error {
		return func(dir string) error {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				return err
			}
			return os.Truncate(filepath.Join(dir, name), size(info.Size()))
		}
	}
	half := func(size int64) int64 { return size / 2 }
	write := func(name, text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600) }
	}
	for name, tt := range map[string]struct {
		stores
		damage func(dir string) error
		lost   bool
	}{
		"half of the block":        {small, truncate(stream+"msgs/1.blk", half), true},
		"the block's end":          {small, truncate(stream+"msgs/1.blk", func(size int64) int64 { return size - 2000 }), true},
		"the block's last byte":    {small, truncate(stream+"msgs/1.blk", func(size int64) int64 { return size - 1 }), false}, // of a removal
		"an empty block":           {small, truncate(stream+"msgs/1.blk", func(int64) int64 { return 0 }), true},
		"a block without its file": {small, remove(stream + "msgs/1.blk"), true},
		"a block of zeros":         {small, write(stream+"msgs/1.blk", string(make([]byte, 5000))), true},
		"no messages":              {small, remove(stream + "msgs"), true},
		"no stream":                {small, remove(stream), true},
		"no server":                {small, remove("nats/jetstream"), true},
		"no files at all":          {small, remove("nats"), true},
		"no description":           {small, remove(stream + "meta.inf"), false},
		"an empty description":     {small, truncate(stream+"meta.inf", func(int64) int64 { return 0 }), false},
		"no sum of it":             {small, remove(stream + "meta.sum"), false},
		"no index":                 {small, remove(stream + "msgs/index.db"), false},
		"another index":            {small, write(stream+"msgs/index.db", strings.Repeat("x", 1000)), false},
		"another wheel":            {small, write(stream+"msgs/thw.db", "\x01"+strings.Repeat("\xff", 100)), false},
		"no manifest":              {small, remove("nats/manifest"), false},
		"half of the manifest":     {small, truncate("nats/manifest", half), false},
		"another manifest":         {small, write("nats/manifest", "x\ny\n"), false},
		"swapped blocks": {large, func(dir string) error {
			one, two := filepath.Join(dir, stream, "msgs/1.blk"), filepath.Join(dir, stream, "msgs/2.blk")
			return errors.Join(os.Rename(one, one+".x"), os.Rename(two, one), os.Rename(one+".x", two))
		}, true},
		"no first block":  {large, remove(stream + "msgs/1.blk"), true},
		"no second block": {large, remove(stream + "msgs/2.blk"), true},
		"a part of one block twice": {large, func(dir string) error {
			text, err := os.ReadFile(filepath.Join(dir, stream, "msgs/2.blk"))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, stream, "msgs/1.blk"), text, 0o600)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for which, from := range map[string]string{"stopped": tt.stopped, "killed": tt.killed} {
				dir := filepath.Join(t.TempDir(), "data")
				copyDir(t, from, dir)
				if err := tt.damage(dir); err != nil && !(which == "killed" && errors.Is(err, fs.ErrNotExist)) {
					t.Fatal(err)
				}
				if damaged := holdsOrNames(t, dir, tt.held); (damaged > 0) != tt.lost {
					t.Errorf("%s: %d records are damaged", which, damaged)
				}
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A store that is used although it is damaged may be damaged again, as often as
// that happens.
func TestDamagedTwice(t *testing.T) {
	t.Parallel()
	s := fillStores(t, 30, smallValue)
	block := func(name string) string {
		return filepath.Join(s.killed, name, "jetstream", "$G", "streams", "KV_stagedoor", "msgs", "1.blk")
	}
	damage := func(name, key string) {
		t.Helper()
		text, err := os.ReadFile(block(name))
		at := bytes.LastIndex(text, []byte("$KV.stagedoor."+key))
		if err != nil || at < 0 {
			t.Fatalf("%s is not there: %v", key, err)
		}
		text[at+5] ^= 1
		if err := os.WriteFile(block(name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, key := range []string{"api.a1.x", "api.a2.x", "stage.a4.x"} {
		name := salvagedName
		if i == 0 {
			name = storeName
		}
		damage(name, key)
		n := open(t, Options{Dir: s.killed, OnDamage: ServeWhole})
		if got := n.Damage().Keys(); len(got) != i+1 || !slices.Contains(got, key) {
			t.Errorf("after the loss of %s: %v", key, got)
		}
		n.Close()
	}
	n := open(t, Options{Dir: s.killed, OnDamage: Repair})
	if diff := cmp.Diff(s.held, contents(t, n)); diff != "" {
		t.Errorf("repaired (-want +got):\n%s", diff)
	}
}

// Replace opens an empty store where one is damaged, and only there; what was
// there is kept.
func TestReplace(t *testing.T) {
	t.Parallel()
	s := fillStores(t, 9, smallValue)
	n := open(t, Options{Dir: s.killed, OnDamage: Replace})
	if diff := cmp.Diff(s.held, contents(t, n)); diff != "" {
		t.Errorf("a whole store (-want +got):\n%s", diff)
	}
	n.Close()
	if err := os.Truncate(filepath.Join(s.killed, "nats/jetstream/$G/streams/KV_stagedoor/msgs/1.blk"), 700); err != nil {
		t.Fatal(err)
	}
	n = open(t, Options{Dir: s.killed, OnDamage: Replace})
	if held := contents(t, n); len(held) > 0 || n.Damage() != nil {
		t.Errorf("it holds %v, damage %v", held, n.Damage())
	}
	if aside, _ := filepath.Glob(filepath.Join(s.killed, damagedName+"*")); len(aside) != 1 {
		t.Errorf("kept aside: %v", aside)
	}
}
