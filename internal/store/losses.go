package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Loss is a record that the storage lost, in whole or in part.
type Loss struct {
	Key      string
	Revision uint64 // of the write that was lost; 0 if it is not known
	Sum      string // checksum of what was lost; "" if it is not known
	Reason   string
}

// Damage describes what a store lost. With the option Refuse it is the error of
// Open.
type Damage struct {
	Dir    string // the data directory
	Losses []Loss // in the order of their keys
	// Unknown is the number of damaged places in which not even a record's key
	// can be read.
	Unknown int
	// Places describes the damaged parts of files, as far as they were found at
	// this start.
	Places string
	// Manifest is a text where the list of what must be there is damaged too,
	// or was never made, so that there may be more losses; "" otherwise.
	Manifest string
	// Backup is the file of the newest automatic backup, "" for none.
	Backup string
}

func (d *Damage) Error() string {
	return fmt.Sprintf("the configuration store in %s is damaged: %s; %s", d.Dir, d.describe(), d.Advice())
}

// Advice is a sentence about what the operator can do.
func (d *Damage) Advice() string {
	if d.Backup == "" {
		return "there is no automatic backup: `stagedoor serve --repair` goes on with what is whole, and keeps the damaged files aside; `stagedoor restore --replace` takes a backup of your own"
	}
	return "`stagedoor serve --repair` restores what is damaged from the newest automatic backup that has it, and keeps the damaged files aside; the newest is " + d.Backup
}

// shownLosses is the largest number of losses that are named in one line.
const shownLosses = 20

func (d *Damage) describe() string {
	var parts []string
	for i, l := range d.Losses {
		if i == shownLosses {
			parts = append(parts, fmt.Sprintf("and %d more records", len(d.Losses)-i))
			break
		}
		parts = append(parts, l.Key+" ("+l.Reason+")")
	}
	if d.Unknown > 0 {
		parts = append(parts, fmt.Sprintf("places of which the key cannot be read: %d (%s)", d.Unknown, cmp.Or(d.Places, "found at an earlier start")))
	}
	if d.Manifest != "" {
		parts = append(parts, d.Manifest)
	}
	return strings.Join(parts, ", ")
}

// Keys returns the keys of the records that were lost, in their order.
func (d *Damage) Keys() []string {
	if d == nil {
		return nil
	}
	keys := make([]string, len(d.Losses))
	for i, l := range d.Losses {
		keys[i] = l.Key
	}
	return keys
}

// losses are the records that a store lost, by key. They do not change while
// the store is open.
type losses map[string]Loss

// record returns the record for a key that was lost, which has ErrDamaged as
// its Err, and false for any other key.
func (l losses) record(key string) (Record, bool) {
	loss, is := l[key]
	if !is {
		return Record{}, false
	}
	return Record{Key: key, Revision: max(1, loss.Revision), Err: fmt.Errorf("%w (%s)", ErrDamaged, loss.Reason)}, true
}

// addTo returns records with those added that were lost below a prefix, in the
// order of keys.
func (l losses) addTo(records []Record, prefix string) []Record {
	if len(l) == 0 {
		return records
	}
	records = slices.DeleteFunc(records, func(r Record) bool { _, is := l[r.Key]; return is })
	for key := range l {
		if isBelow(key, prefix) {
			lost, _ := l.record(key)
			records = append(records, lost)
		}
	}
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.Key, b.Key) })
	return records
}

// tell calls changed for the records that were lost below some prefixes.
func (l losses) tell(prefixes []string, changed func(Change)) {
	for _, key := range slices.Sorted(maps.Keys(l)) {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return isBelow(key, prefix) }) {
			lost, _ := l.record(key)
			lost.Revision = 0 // it was not written to this store
			changed(Change{Record: lost})
		}
	}
}

// damageOf makes a Damage of losses.
func damageOf(dir string, l losses) *Damage {
	d := &Damage{Dir: dir}
	for _, key := range slices.Sorted(maps.Keys(l)) {
		d.Losses = append(d.Losses, l[key])
	}
	return d
}
