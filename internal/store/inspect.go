package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/natsfile"
)

// lastWrite is the last whole write of a record in the files.
type lastWrite struct {
	revision uint64
	sum      string // its checksum, removalSum for the mark of a removal
}

// inspection is the content of a store's files, compared with the manifest.
type inspection struct {
	dir      string // that of the NATS server
	stream   string
	prefix   string // of the subjects
	manifest manifestText

	records map[string]lastWrite // the whole and current ones; marks of removals too
	last    uint64               // the highest revision that is known
	losses  losses
	unknown int // damaged places that may have been records, of unknown keys
	// unfit are the reasons why a server must not open the files: it could lose
	// more, or fail.
	unfit []string

	damages      []natsfile.Damage
	tombstones   map[uint64]bool
	olderVersion bool // a version without a manifest wrote after the manifest's last line
}

// fresh reports whether there is no store at all.
func (i *inspection) fresh() bool {
	return len(i.records) == 0 && len(i.damages) == 0 && !i.manifest.exists && len(i.unfit) == 0
}

// isWhole reports whether no current record is lost.
func (i *inspection) isWhole() bool { return len(i.losses) == 0 && i.unknown == 0 }

// mayLackMore reports whether records may be lost whose keys are not known.
func (i *inspection) mayLackMore() bool { return i.unknown > 0 || !i.manifest.whole }

// removed reports whether it is known that a record was removed.
func (i *inspection) removed(key string) bool {
	return i.manifest.entries[key].isRemoval() || i.records[key].sum == removalSum
}

// inspect reads all files of the store in a directory. It changes nothing. The
// error is that of ctx or of the file system.
func inspect(ctx context.Context, dir, bucket string) (*inspection, error) {
	i := &inspection{
		dir: dir, stream: streamName(bucket), prefix: "$KV." + bucket + ".",
		records: make(map[string]lastWrite), losses: make(losses), tombstones: make(map[uint64]bool),
	}
	var err error
	if i.manifest, err = readManifest(filepath.Join(dir, manifestName)); err != nil {
		return nil, err
	}
	if i.damages, err = natsfile.Scan(ctx, i.streamDir(), i.stream, i.prefix, i.take); err != nil {
		return nil, err
	}
	for key, s := range i.records {
		if i.tombstones[s.revision] {
			delete(i.records, key)
		}
	}
	i.last = max(i.last, i.manifest.last)
	for _, d := range i.damages {
		if !d.Torn {
			i.unfit = append(i.unfit, d.String())
		}
	}
	i.checkMeta()
	if i.manifest.exists {
		i.compare()
	}
	if !i.manifest.whole {
		for _, d := range i.damages {
			i.guess(d)
		}
	}
	return i, nil
}

func (i *inspection) streamDir() string {
	return filepath.Join(i.dir, "jetstream", "$G", "streams", i.stream)
}

// take adds a record of the files. Of several with the same key, the latest
// counts.
func (i *inspection) take(m natsfile.Message) error {
	if i.last = max(i.last, m.Sequence); m.Kind == natsfile.Removed {
		i.tombstones[m.Sequence] = true
	}
	key, ours := strings.CutPrefix(m.Subject, i.prefix)
	if m.Kind == natsfile.Stored && len(m.Header) == 0 {
		// No version writes a message without a header, and its checksum does
		// not protect where its subject ends.
		i.unfit = append(i.unfit, fmt.Sprintf("message %d has no header", m.Sequence))
		return nil
	}
	if m.Kind != natsfile.Stored || !ours || i.records[key].revision > m.Sequence {
		return nil
	}
	sum := headerValue(m.Header, checksumHeader)
	switch {
	case headerValue(m.Header, operationHeader) != "":
		sum = removalSum
	case sum == "":
		sum = checksum(key, unpackOrKeep(m.Data))
		i.olderVersion = i.olderVersion || i.manifest.exists && m.Sequence > i.manifest.last
	}
	i.records[key] = lastWrite{m.Sequence, sum}
	return nil
}

// checkMeta looks at the stream's description: without it the server would make
// an empty stream.
func (i *inspection) checkMeta() {
	err := natsfile.CheckMeta(i.streamDir(), i.stream)
	if errors.Is(err, fs.ErrNotExist) && len(i.records) == 0 && len(i.damages) == 0 {
		return // there is no stream
	}
	if err != nil {
		i.unfit = append(i.unfit, err.Error())
	}
}

// compare compares the files with the manifest.
func (i *inspection) compare() {
	for key, e := range i.manifest.entries {
		i.compareEntry(key, e)
	}
	if i.isWhole() && len(i.unfit) == 0 {
		return
	}
	for key, found := range i.records {
		// The only records that the manifest does not know, and that are this
		// old, are those that were removed long ago.
		if _, known := i.manifest.entries[key]; !known && i.manifest.whole && found.sum != removalSum && found.revision+removalsKept < i.manifest.last {
			i.bringBack(key)
		}
	}
}

// compareEntry compares what the files have under a key with what the manifest
// says of it.
func (i *inspection) compareEntry(key string, e entry) {
	found, is := i.records[key]
	switch {
	case e.Lost:
		i.lose(key, e, "lost before, and not repaired yet")
	case is && found.revision > e.Revision: // written when the manifest could not be
	case e.isRemoval():
		if is && found.sum != removalSum {
			i.bringBack(key)
		}
	case is && found.revision == e.Revision && (e.Sum == "" || found.sum == e.Sum):
	case isVolatile(key):
		delete(i.records, key)
	case len(i.unfit) == 0 && (e.Uncertain || !is && i.olderVersion): // it may have been removed, or a write may have failed
	default:
		i.lose(key, e, lossOf(found, is, e))
	}
}

// lossOf says what is wrong with what was found of an entry.
func lossOf(found lastWrite, is bool, e entry) string {
	switch {
	case !is:
		return "its bytes are damaged or gone"
	case found.revision < e.Revision:
		return "only an earlier version of it is there"
	default:
		return "it is not what was written"
	}
}

// isVolatile reports whether a record has no use once the process that wrote it
// is gone.
func isVolatile(key string) bool { return isBelow(key, locksPrefix) }

func (i *inspection) lose(key string, e entry, reason string) {
	delete(i.records, key)
	i.losses[key] = Loss{key, e.Revision, e.Sum, reason}
}

// bringBack notes a record that was removed and is in the files again.
func (i *inspection) bringBack(key string) {
	delete(i.records, key)
	i.unfit = append(i.unfit, key+" was removed, and is there again")
}

// tombstoneSize is the size of the server's own note that a message was
// removed. A damaged one loses nothing.
const tombstoneSize = 30

// guess notes what may be lost in a damaged part, by the subjects that can be
// read there. It is for stores whose manifest is not whole.
func (i *inspection) guess(d natsfile.Damage) {
	if d.Torn || d.To-d.From == tombstoneSize {
		return
	}
	guessed := false
	for _, subject := range d.Subjects {
		key := strings.TrimPrefix(subject, i.prefix)
		if _, known := i.manifest.entries[key]; known {
			guessed = true
			continue // compare has dealt with it
		}
		if checkKey(key) != nil {
			continue
		}
		guessed = true
		if found, is := i.records[key]; is && found.revision > d.Before {
			continue // it was written again later
		}
		i.lose(key, entry{Revision: d.Before + 1}, "damaged: "+d.String())
	}
	if !guessed {
		i.unknown++
	}
}

// damage describes what is lost. It is called for stores that lost something,
// and has one loss at least.
func (i *inspection) damage(options Options) *Damage {
	d := damageOf(options.Dir, i.losses)
	if list, err := backupsIn(options.BackupDir); err == nil && len(list) > 0 {
		d.Backup = list[0].path
	}
	d.Unknown, d.Places = i.unknown, i.summary()
	if i.isWhole() {
		d.Unknown = 1 // found at an earlier start, which did not record it
	}
	if i.manifest.exists && !i.manifest.whole {
		d.Manifest = "the list of what must be there is damaged as well"
	}
	return d
}

// entries returns the entries of a new manifest of the records.
func (i *inspection) entries() map[string]entry {
	entries := make(map[string]entry, len(i.records))
	for key, s := range i.records {
		entries[key] = entry{Revision: s.revision, Sum: s.sum}
	}
	for key, l := range i.losses {
		entries[key] = entry{Revision: l.Revision, Sum: l.Sum, Lost: true}
	}
	for key, e := range i.manifest.entries {
		if _, is := entries[key]; !is && e.isRemoval() {
			entries[key] = e
		}
	}
	return entries
}

// headerValue returns the value of a line of a message's header, "" where there
// is none.
func headerValue(header []byte, name string) string {
	_, rest, found := bytes.Cut(header, []byte("\r\n"+name+":"))
	if !found {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(bytes.TrimSpace(value))
}

// summary is a line about what is wrong with the files.
func (i *inspection) summary() string {
	list := slices.Clone(i.unfit)
	if len(list) > shownLosses {
		list = append(list[:shownLosses], fmt.Sprintf("and %d more", len(i.unfit)-shownLosses))
	}
	return strings.Join(list, ", ")
}
