package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// inspectTime is the longest that reading the files of a store may take.
const inspectTime = time.Minute

// soundFiles are files that a server may open: every byte of them was checked.
type soundFiles struct {
	dir      string               // that of the server
	records  map[string]lastWrite // what must be there
	lost     losses               // the records that are lost
	damage   *Damage              // the same, for people; nil for none
	manifest *manifest
}

// openFiles inspects the files in the data directory, and repairs them as the
// options say, so that a server can open them. Where it must not, the error is
// a *Damage.
func openFiles(ctx context.Context, options Options) (*soundFiles, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, inspectTime, fmt.Errorf("reading the files of the configuration store took more than %s", inspectTime))
	defer cancel()
	o, err := (&opener{options: options, log: options.Log}).open(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return o, err
}

// opener opens a data directory: it decides from which files the store is
// served, and repairs them.
type opener struct {
	options Options
	log     *slog.Logger
	places  string // the damaged places of files that were made anew
}

func (o *opener) open(ctx context.Context) (*soundFiles, error) {
	if err := finish(o.options.Dir, o.log); err != nil {
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	name := workingName(o.options.Dir)
	i, err := o.inspect(ctx, name)
	if err != nil {
		return nil, err
	}
	if name == storeName && i.fresh() {
		i.losses = o.missing()
	}
	target, err := o.settle(ctx, name, i)
	if err != nil {
		return nil, err
	}
	if target != "" {
		if err := install(o.options.Dir, target, o.log); err != nil {
			return nil, fmt.Errorf("the data directory: %w", err)
		}
		name = target
		lost, places := i.losses, i.summary()
		if i, err = o.inspect(ctx, name); err != nil {
			return nil, err
		}
		for key := range i.losses {
			i.losses[key] = lost[key] // this one has the reason
		}
		o.places = places
	}
	return o.take(name, i)
}

func (o *opener) inspect(ctx context.Context, name string) (*inspection, error) {
	i, err := inspect(ctx, filepath.Join(o.options.Dir, name), o.options.Bucket)
	if err != nil {
		return nil, fmt.Errorf("reading the files of the configuration store: %w", err)
	}
	return i, nil
}

// settle decides what is done with files. Where they are not fit for a server,
// it makes a new store and returns its name, which takes their place; else it
// returns "".
func (o *opener) settle(ctx context.Context, name string, i *inspection) (target string, err error) {
	switch {
	case i.isWhole() && name == storeName && len(i.unfit) == 0:
		if o.options.OnDamage == Repair {
			o.log.Info("The configuration store is whole: there is nothing to repair")
		}
		return "", nil
	case i.isWhole() && name == storeName:
		o.log.Warn("Files of the configuration store were damaged, but nothing of what is in force: they are made anew", "damage", i.summary())
		return storeName, o.rebuild(ctx, i, nil, nil, storeName)
	case o.options.OnDamage == Repair:
		o.log.Warn("The configuration store is damaged, and is being repaired", "damage", i.damage(o.options).describe())
		original := i
		if name == salvagedName {
			if original, err = o.inspect(ctx, storeName); err != nil {
				return "", err
			}
		}
		return storeName, o.rebuild(ctx, i, o.fromBackups(i, original), nil, storeName)
	case o.options.OnDamage == Replace:
		return storeName, o.rebuild(ctx, &inspection{stream: i.stream, prefix: i.prefix}, nil, nil, storeName)
	case o.options.OnDamage == ServeWhole && name == salvagedName && len(i.unfit) == 0 && !i.hasNewLosses():
		return "", nil
	case o.options.OnDamage == ServeWhole:
		return salvagedName, o.rebuild(ctx, i, nil, i.losses, salvagedName)
	}
	return "", i.damage(o.options)
}

func (o *opener) rebuild(ctx context.Context, i *inspection, restored []Record, lost losses, name string) error {
	err := rebuild(ctx, i, restored, lost, filepath.Join(o.options.Dir, name+newSuffix), o.options)
	if err != nil {
		return fmt.Errorf("making the configuration store anew from what is whole: %w", err)
	}
	return nil
}

// take makes a folder ready whose files were found whole, and returns it with
// its manifest.
func (o *opener) take(name string, i *inspection) (*soundFiles, error) {
	dir := filepath.Join(o.options.Dir, name)
	switch {
	case i.manifest.exists && !i.manifest.whole:
		o.log.Warn("The list of what the configuration store must hold was damaged, and is made anew of what it holds", "file", filepath.Join(dir, manifestName))
	case i.olderVersion:
		o.log.Info("An earlier version of Stagedoor wrote to the configuration store: the list of what it must hold is made anew")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	// This is the server's file with times to live. It has no checksum, so a
	// damaged one would be believed; the server makes it anew from the records.
	if err := os.Remove(filepath.Join(i.streamDir(), "msgs", "thw.db")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	files := &soundFiles{
		dir: dir, records: i.records, lost: i.losses,
		manifest: openManifest(filepath.Join(dir, manifestName), i.entries(), i.last),
	}
	if name == salvagedName {
		files.damage = i.damage(o.options)
		files.damage.Places = o.places
	}
	return files, nil
}

// inspectAgain inspects the files once more, before another server opens them.
// It returns an error if they are damaged now.
func (o *soundFiles) inspectAgain(ctx context.Context, options Options) error {
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	o.manifest.sync()
	i, err := inspect(ctx, o.dir, options.Bucket)
	switch {
	case err != nil:
		return err
	case len(i.unfit) > 0:
		return fmt.Errorf("its files are damaged: %s; a restart of the gateway serves what is whole", i.summary())
	case i.hasNewLosses():
		return i.damage(options)
	}
	return nil
}

// hasNewLosses reports whether anything is lost that the manifest does not list
// as lost.
func (i *inspection) hasNewLosses() bool {
	for key := range i.losses {
		if !i.manifest.entries[key].Lost {
			return true
		}
	}
	return i.unknown > 0
}

// missing returns the records of the newest backup as losses. It is for a data
// directory without a store's files: they were removed.
func (o *opener) missing() losses {
	lost := make(losses)
	for _, b := range o.backups() {
		err := b.read(func(r Record) {
			lost[r.Key] = Loss{Key: r.Key, Sum: checksum(r.Key, r.Value), Reason: "the store has no files, and " + filepath.Base(b.path) + " has it"}
		})
		if err == nil {
			break
		}
		clear(lost)
	}
	return lost
}

// fromBackups returns the records that take the place of those that are lost:
// from a backup that has them exactly as they were, else from the newest that
// has them. original is the inspection of the files that were damaged first: i
// itself, unless i is of the salvaged store that was made of them.
func (o *opener) fromBackups(i, original *inspection) []Record {
	r := &restoration{i, original, make(map[string]Record), make(map[string]bool)}
	isNewest := true
	for _, b := range o.backups() {
		taken, err := r.take(b, isNewest)
		if err != nil {
			o.log.Warn("A backup cannot be used", "file", b.path, "error", err)
			continue
		}
		isNewest = false
		if len(taken) > 0 {
			o.log.Warn("Records are restored from a backup", "file", b.path, "records", keyList(taken))
		}
		if r.isExact() {
			break // older backups cannot be better
		}
	}
	for key := range i.losses {
		switch _, is := r.found[key]; {
		case !is:
			o.log.Error("A record is lost: no backup has it", "key", key)
		case !r.exact[key]:
			o.log.Warn("A record is restored as it was at the time of the backup, which may be an earlier one than was lost", "key", key)
		}
	}
	return slices.Collect(maps.Values(r.found))
}

// restoration collects records of backups for those that are lost.
type restoration struct {
	damaged, original *inspection
	found             map[string]Record
	exact             map[string]bool // of found, by key: it is what was lost
}

// take takes what a backup has of the records that are lost, where no newer backup
// had it or this one has it exactly as it was. A backup that cannot be read gives
// nothing.
func (r *restoration) take(b backupFile, isNewest bool) (map[string]Record, error) {
	taken := make(map[string]Record)
	err := b.read(func(record Record) {
		loss, isLost := r.damaged.losses[record.Key]
		if !isLost && (!isNewest || !r.isMissing(record.Key)) {
			return
		}
		exact := isLost && loss.Sum == checksum(record.Key, record.Value)
		if _, is := r.found[record.Key]; !is || exact && !r.exact[record.Key] {
			taken[record.Key] = record
		}
	})
	if err != nil {
		return nil, err
	}
	for key, record := range taken {
		r.found[key], r.exact[key] = record, r.damaged.losses[key].Sum == checksum(key, record.Value)
	}
	return taken, nil
}

// isMissing reports whether a record of the newest backup counts as lost: the
// store does not have it, and it is not known what was lost.
func (r *restoration) isMissing(key string) bool {
	_, isThere := r.damaged.records[key]
	return !isThere && !r.damaged.removed(key) && !r.original.removed(key) && (r.damaged.mayLackMore() || r.original.mayLackMore())
}

// isExact reports whether all that is lost was found exactly as it was.
func (r *restoration) isExact() bool {
	for key := range r.damaged.losses {
		if !r.exact[key] {
			return false
		}
	}
	return true
}
