package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/stagedoor/stagedoor/internal/natsfile"
)

// builtName is the name of a file in the folder of a new store. It is written
// last: a folder without it is not finished.
const builtName = "built"

// rebuild makes a new store in the folder to, of the whole records of the store
// that was inspected, and of restored, which replace records of it. What is
// lost is noted in the new manifest. Everything is synced to the disk when
// rebuild returns.
func rebuild(ctx context.Context, i *inspection, restored []Record, lost losses, to string, options Options) (err error) {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(to)
		}
	}()
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	b := &builder{prefix: i.prefix, entries: make(map[string]entry)}
	if err := b.fill(ctx, i, restored, to, options); err != nil {
		return err
	}
	for key, l := range lost {
		b.entries[key] = entry{Revision: max(1, l.Revision), Sum: l.Sum, Lost: true}
	}
	if err := writeManifest(filepath.Join(to, manifestName), b.entries, b.last); err != nil {
		return err
	}
	if err := syncAll(to); err != nil {
		return err
	}
	return writeFile(filepath.Join(to, builtName), nil)
}

// builder writes the records of a new store.
type builder struct {
	prefix  string
	stream  jetstream.JetStream
	entries map[string]entry
	last    uint64
}

func (b *builder) fill(ctx context.Context, i *inspection, restored []Record, to string, options Options) error {
	s, err := newServer(to, false, options.Log, new(atomic.Bool))
	if err != nil {
		return err
	}
	if err := startNATS(ctx, s, to); err != nil {
		return err
	}
	defer stopWithin(s)
	connection, err := nats.Connect("", nats.InProcessServer(s), nats.Timeout(options.Timeout))
	if err != nil {
		return err
	}
	defer connection.Close()
	if b.stream, err = jetstream.New(connection); err != nil {
		return err
	}
	if _, err := b.stream.CreateStream(ctx, streamConfig(options)); err != nil {
		return err
	}
	copied := func(m natsfile.Message) error {
		key := strings.TrimPrefix(m.Subject, i.prefix)
		r := i.records[key]
		if m.Kind != natsfile.Stored || r.revision != m.Sequence || r.sum == removalSum {
			return nil
		}
		return b.put(ctx, key, slices.Clone(m.Data), r.sum)
	}
	if _, err := natsfile.Scan(ctx, i.streamDir(), i.stream, i.prefix, copied); err != nil {
		return err
	}
	for _, r := range restored {
		if err := b.put(ctx, r.Key, pack(r.Value), checksum(r.Key, r.Value)); err != nil {
			return err
		}
	}
	return nil
}

// put writes a record.
func (b *builder) put(ctx context.Context, key string, packed []byte, sum string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	message := nats.NewMsg(b.prefix + key)
	message.Header.Set(checksumHeader, sum)
	message.Data = packed
	answer, err := b.stream.PublishMsg(ctx, message)
	if err != nil {
		return fmt.Errorf("writing %s to the new store: %w", key, err)
	}
	b.entries[key] = entry{Revision: answer.Sequence, Sum: sum}
	b.last = max(b.last, answer.Sequence)
	return nil
}

// syncAll syncs all files below a folder to the disk.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return syncDir(path)
		case !e.Type().IsRegular():
			return nil
		}
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return errors.Join(file.Sync(), file.Close())
	})
}

// The folders of a data directory.
const (
	storeName    = "nats"     // the store
	salvagedName = "salvaged" // the whole records of a damaged one; used until that is repaired
	damagedName  = "damaged-" // files that were moved aside, with the time
	newSuffix    = ".new"     // a folder that is being made
	timeLayout   = "20060102T150405.000Z"
)

// workingName is the name of the folder that is in use.
func workingName(dir string) string {
	if _, err := os.Stat(filepath.Join(dir, salvagedName)); err == nil {
		return salvagedName
	}
	return storeName
}

// install puts a new store, which rebuild has made, in the place of those that
// are there, and moves these aside. Where it is interrupted, finish goes on at
// the next start.
func install(dir, name string, log *slog.Logger) error {
	replaced := []string{salvagedName}
	if name == storeName {
		replaced = append(replaced, storeName)
	}
	aside := filepath.Join(dir, damagedName+time.Now().UTC().Format(timeLayout))
	for _, old := range replaced {
		if _, err := os.Stat(filepath.Join(dir, old)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.MkdirAll(aside, 0o700); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(dir, old), filepath.Join(aside, old)); err != nil {
			return err
		}
		log.Warn("The damaged files of the configuration store are kept", "folder", filepath.Join(aside, old))
	}
	if err := os.Rename(filepath.Join(dir, name+newSuffix), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

// finish ends what a killed process began: it installs a new store that is
// finished, and removes one that is not.
func finish(dir string, log *slog.Logger) error {
	for _, name := range []string{storeName, salvagedName} {
		made := filepath.Join(dir, name+newSuffix)
		if _, err := os.Stat(filepath.Join(made, builtName)); err == nil {
			if err := install(dir, name, log); err != nil {
				return err
			}
			continue
		}
		if err := os.RemoveAll(made); err != nil {
			return err
		}
	}
	return nil
}
