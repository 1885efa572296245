package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// inspectTime is how long the files of a store may take to be read.
const inspectTime = time.Minute

// opened are the files of a store that a server may open: it is known that each
// byte that it will read is one that a server wrote.
type opened struct {
	dir      string            // that of the server
	records  map[string]stored // what must be there
	lost     losses            // what was there, and is not
	damage   *Damage           // the same, for people; nil for none
	manifest *manifest
}

// openFiles inspects the files in the data directory, and makes them fit for a
// server. What cannot be is a *Damage.
func openFiles(ctx context.Context, options Options) (*opened, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, inspectTime, fmt.Errorf("reading the files of the configuration store took more than %s", inspectTime))
	defer cancel()
	o, err := (&opening{options: options, log: options.Log}).open(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return o, err
}

// opening is the opening of a data directory.
type opening struct {
	options Options
	log     *slog.Logger
	places  string // the damage in files that were made anew
}

func (o *opening) open(ctx context.Context) (*opened, error) {
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
			i.losses[key] = lost[key] // which knows why
		}
		o.places = places
	}
	return o.take(name, i)
}

func (o *opening) inspect(ctx context.Context, name string) (*inspection, error) {
	i, err := inspect(ctx, filepath.Join(o.options.Dir, name), o.options.Bucket)
	if err != nil {
		return nil, fmt.Errorf("reading the files of the configuration store: %w", err)
	}
	return i, nil
}

// settle decides what becomes of files, and gives the name of the store that is
// to take their place, which is made; "" where they are fit.
func (o *opening) settle(ctx context.Context, name string, i *inspection) (target string, err error) {
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

func (o *opening) rebuild(ctx context.Context, i *inspection, restored []Record, lost losses, name string) error {
	err := rebuild(ctx, i, restored, lost, filepath.Join(o.options.Dir, name+newSuffix), o.options)
	if err != nil {
		return fmt.Errorf("making the configuration store anew from what is whole: %w", err)
	}
	return nil
}

// take makes a folder ready whose files were found whole, and returns it with
// its manifest.
func (o *opening) take(name string, i *inspection) (*opened, error) {
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
	// The server makes it anew of the records. It has no checksum, so whatever it
	// says would be believed.
	if err := os.Remove(filepath.Join(i.streamDir(), "msgs", "thw.db")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	opened := &opened{
		dir: dir, records: i.records, lost: i.losses,
		manifest: openManifest(filepath.Join(dir, manifestName), i.entries(), i.last),
	}
	if name == salvagedName {
		opened.damage = i.damage(o.options)
		opened.damage.Places = o.places
	}
	return opened, nil
}

// inspectAgain looks at the files before another server opens them.
func (o *opened) inspectAgain(ctx context.Context, options Options) error {
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

// hasNewLosses reports whether more is lost than was when the store was made.
func (i *inspection) hasNewLosses() bool {
	for key := range i.losses {
		if !i.manifest.entries[key].Lost {
			return true
		}
	}
	return i.unknown > 0
}

// missing are the records of the newest backup, for a store that has no files:
// somebody has taken them away.
func (o *opening) missing() losses {
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
// from the newest backup that has them, or from the one that has them as they
// were. original is what the files have that were damaged first: i itself,
// unless that is what was whole of them.
func (o *opening) fromBackups(i, original *inspection) []Record {
	found := make(map[string]Record)
	exact := make(map[string]bool)
	// Where it is not known what was lost, that is what the newest backup has and
	// the store has not.
	missing := func(key string) bool {
		_, isThere := i.records[key]
		return !isThere && !i.removed(key) && !original.removed(key) && (i.mayLackMore() || original.mayLackMore())
	}
	allExact := func() bool {
		for key := range i.losses {
			if !exact[key] {
				return false
			}
		}
		return true
	}
	isNewest := true
	for _, b := range o.backups() {
		taken := make(map[string]Record)
		err := b.read(func(r Record) {
			loss, isLost := i.losses[r.Key]
			if isLost || isNewest && missing(r.Key) {
				as := isLost && loss.Sum == checksum(r.Key, r.Value)
				if _, is := found[r.Key]; !is || as && !exact[r.Key] {
					taken[r.Key] = r
				}
			}
		})
		if err != nil {
			o.log.Warn("A backup cannot be used", "file", b.path, "error", err)
			continue
		}
		isNewest = false
		for key, r := range taken {
			found[key], exact[key] = r, i.losses[key].Sum == checksum(key, r.Value)
		}
		if len(taken) > 0 {
			o.log.Warn("Records are restored from a backup", "file", b.path, "records", keyList(taken))
		}
		if allExact() {
			break // the others have nothing better
		}
	}
	restored := make([]Record, 0, len(found))
	for _, r := range found {
		restored = append(restored, r)
	}
	for key := range i.losses {
		switch _, is := found[key]; {
		case !is:
			o.log.Error("A record is lost: no backup has it", "key", key)
		case !exact[key]:
			o.log.Warn("A record is restored as it was at the time of the backup, which may be an earlier one than was lost", "key", key)
		}
	}
	return restored
}
