package natsfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	stream = "KV_test"
	prefix = "$KV.test."
)

// written makes a stream as a NATS server keeps it, and returns its folder and
// what is in it. Every subject but one was written twice, one was removed.
func written(t testing.TB) (dir string, want []string) {
	t.Helper()
	root := t.TempDir()
	s, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: root, SyncAlways: true, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer func() {
		s.Shutdown()
		s.WaitForShutdown()
	}()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server does not start")
	}
	connection, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	js, err := connection.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.AddStream(&nats.StreamConfig{Name: stream, Subjects: []string{prefix + ">"}, MaxMsgsPerSubject: 1}); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		m := nats.NewMsg(fmt.Sprintf("%sapi.a%d", prefix, i%7))
		m.Data = []byte(strings.Repeat(fmt.Sprint("value", i), i))
		m.Header.Set("Some-Header", fmt.Sprint(i))
		if _, err := js.PublishMsg(m); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("%d %s %q %q", i+1, m.Subject, m.Header.Get("Some-Header"), m.Data))
	}
	if err := js.DeleteMsg(stream, 12); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "jetstream", "$G", "streams", stream), want
}

// scanned is what Scan finds: messages as written says, and damages.
func scanned(t testing.TB, dir string) (stored []string, removed []uint64, damages []Damage) {
	t.Helper()
	damages, err := Scan(t.Context(), dir, stream, prefix, func(m Message) error {
		switch m.Kind {
		case Stored:
			_, header, _ := strings.Cut(string(m.Header), "Some-Header: ")
			header, _, _ = strings.Cut(header, "\r\n")
			stored = append(stored, fmt.Sprintf("%d %s %q %q", m.Sequence, m.Subject, header, m.Data))
		case Removed, Erased:
			removed = append(removed, m.Sequence)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return stored, removed, damages
}

// What a server wrote is read as it was written; what was overwritten and not
// collected yet is there, too.
func TestScan(t *testing.T) {
	t.Parallel()
	dir, want := written(t)
	stored, removed, damages := scanned(t, dir)
	if diff := cmp.Diff(want, stored); diff != "" || damages != nil {
		t.Errorf("damages %v, messages (-want +got):\n%s", damages, diff)
	}
	if !slices.Equal(removed, []uint64{12}) {
		t.Errorf("no word of the removed message: %v", removed)
	}
	if err := CheckMeta(dir, stream); err != nil {
		t.Error(err)
	}
	for name, how := range map[string]func(string) error{
		"meta.inf": func(file string) error { return os.WriteFile(file, []byte("{}"), 0o600) },
		"meta.sum": os.Remove,
	} {
		if err := how(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if err := CheckMeta(dir, stream); err == nil {
			t.Errorf("nothing is wrong without %s", name)
		}
	}
	if damages, err := Scan(t.Context(), filepath.Join(dir, "none"), stream, prefix, nil); damages != nil || err != nil {
		t.Errorf("of no folder: %v %v", damages, err)
	}
	if err := CheckMeta(filepath.Join(dir, "none"), stream); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no folder: %v", err)
	}
}

// block returns the only block of a stream.
func block(t *testing.T, dir string) (file string, text []byte) {
	t.Helper()
	file = filepath.Join(dir, "msgs", "1.blk")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, text
}

// A byte that is another one costs the record that it is in, and no other,
// wherever it is; and the damage is where the byte is.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	dir, _ := written(t)
	file, text := block(t, dir)
	all, marks, _ := scanned(t, dir)
	for at := range text {
		damaged := slices.Clone(text)
		damaged[at] ^= 1 << (at % 8)
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		stored, removed, damages := scanned(t, dir)
		if len(stored)+len(removed) != len(all)+len(marks)-1 || len(damages) != 1 || int64(at) < damages[0].From || int64(at) >= damages[0].To {
			t.Fatalf("byte %d: %d of %d messages, %d of %d marks, damages %+v", at, len(stored), len(all), len(removed), len(marks), damages)
		}
		for _, m := range stored {
			if !slices.Contains(all, m) {
				t.Fatalf("byte %d: message %s was never written", at, m)
			}
		}
	}
}

// A block that was cut off is torn, and whole up to there.
func TestEveryLength(t *testing.T) {
	t.Parallel()
	dir, _ := written(t)
	file, text := block(t, dir)
	all, _, _ := scanned(t, dir)
	for length := range text {
		if err := os.WriteFile(file, text[:length], 0o600); err != nil {
			t.Fatal(err)
		}
		stored, _, damages := scanned(t, dir)
		if !slices.Equal(stored, all[:len(stored)]) {
			t.Fatalf("%d bytes: %q", length, stored)
		}
		if len(damages) > 1 || len(damages) == 1 && (!damages[0].Torn || damages[0].To != int64(length)) {
			t.Fatalf("%d bytes: %+v", length, damages)
		}
	}
}

// Damages tell of which messages they may be.
func TestSubjects(t *testing.T) {
	t.Parallel()
	dir, _ := written(t)
	file, text := block(t, dir)
	at := strings.Index(string(text), "value4value4")
	text[at] ^= 1
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, damages := scanned(t, dir)
	if len(damages) != 1 || !slices.Equal(damages[0].Subjects, []string{prefix + "api.a4"}) || damages[0].Before != 4 {
		t.Errorf("%+v", damages)
	}
	if got := damages[0].String(); !strings.HasPrefix(got, "1.blk, bytes ") {
		t.Error(got)
	}
}

// record is a record as a server writes it.
func record(t testing.TB, sequence uint64, subject, header, data string) []byte {
	t.Helper()
	hash, err := newHash(stream + "-1")
	if err != nil {
		t.Fatal(err)
	}
	r := binary.LittleEndian.AppendUint32(nil, headerBit|uint32(headSize+len(subject)+4+len(header)+len(data)+sumSize))
	r = binary.LittleEndian.AppendUint64(r, sequence)
	r = binary.LittleEndian.AppendUint64(r, 1)
	_, _ = hash.Write(r[4:])
	_, _ = hash.Write([]byte(subject + header + data))
	r = binary.LittleEndian.AppendUint16(r, uint16(len(subject)))
	r = append(r, subject...)
	r = binary.LittleEndian.AppendUint32(r, uint32(len(header)))
	return hash.Sum(append(append(r, header...), data...))
}

// A sequence that is too far from the one before is none: the server would count
// up to it.
func TestSequences(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "msgs"), 0o700); err != nil {
		t.Fatal(err)
	}
	const header = "NATS/1.0\r\n\r\n"
	text := slices.Concat(record(t, 1, prefix+"a.a", header, "1"), record(t, 1<<61, prefix+"a.b", header, "2"), record(t, 3, prefix+"a.c", header, "3"))
	if err := os.WriteFile(filepath.Join(dir, "msgs", "1.blk"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	stored, _, damages := scanned(t, dir)
	if len(stored) != 2 || len(damages) != 1 || !slices.Equal(damages[0].Subjects, []string{prefix + "a.b"}) {
		t.Errorf("%q %+v", stored, damages)
	}
}

// Whatever the bytes are, Scan ends, and what it calls whole is in them.
func FuzzScan(f *testing.F) {
	const header = "NATS/1.0\r\nA: b\r\n\r\n"
	f.Add(slices.Concat(record(f, 1, prefix+"a.a", header, "1"), record(f, 2, prefix+"a.b", header, "2")))
	f.Add(record(f, 1, prefix+"a.a", header, "1")[:40])
	f.Fuzz(func(t *testing.T, text []byte) {
		s := scanner{text: text, prefix: []byte(prefix), isLast: true}
		var err error
		if s.hash, err = newHash(stream + "-1"); err != nil {
			t.Fatal(err)
		}
		size := 0
		s.visit = func(m Message) error { size += len(m.Subject) + len(m.Header) + len(m.Data); return nil }
		if err := s.walk(t.Context()); err != nil || size > len(text) {
			t.Errorf("%d bytes, %v", size, err)
		}
	})
}
