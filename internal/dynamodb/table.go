package dynamodb

import (
	"math"
	"slices"
	"time"
)

// Limits of an item and its keys, in bytes.
const (
	maxItemBytes      = 400 << 10
	maxPartitionBytes = 2048
	maxSortBytes      = 1024
)

// table is a table with its items. It is guarded by Server.mu.
type table struct {
	name      string
	primary   *index
	secondary map[string]*index
	input     tableInput // its definition as it was given
	created   time.Time

	ttl        string // the attribute that holds an item's expiry; empty: none
	nextExpiry int64  // Unix seconds before which no item expires
}

func (t *table) keys() []keyAttribute { return t.primary.keys }

// get returns the item that has a key, nil when there is none.
func (t *table) get(key item) item {
	if at, found := t.primary.find(key); found {
		return t.primary.entries[at]
	}
	return nil
}

// replace puts new in the place of old, which is the item with its key; either
// may be nil.
func (t *table) replace(old, new item) {
	t.primary.replace(old, new)
	for _, x := range t.secondary {
		x.replace(old, new)
	}
	t.noteExpiry(new)
}

// index returns the named index, or the table's own when name is nil.
func (t *table) index(name *string) (*index, error) {
	if name == nil {
		return t.primary, nil
	}
	if x := t.secondary[*name]; x != nil {
		return x, nil
	}
	return nil, validation("The table does not have the specified index: %s", *name)
}

// checkKey returns an error for a key that does not have exactly the attributes
// of the table's key.
func (t *table) checkKey(key item) error {
	if len(key) != len(t.keys()) {
		return validation("The provided key element does not match the schema")
	}
	for i, attribute := range t.keys() {
		v := key[attribute.name]
		if v.kind != attribute.kind {
			return validation("The provided key element does not match the schema")
		}
		if err := checkKeyValue(attribute.name, v, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// checkItem returns an error for an item that the table cannot have.
func (t *table) checkItem(i item) error {
	for n, attribute := range t.keys() {
		v, present := i[attribute.name]
		if !present {
			return validation("One or more parameter values were invalid: Missing the key %s in the item", attribute.name)
		}
		if v.kind != attribute.kind {
			return validation("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s", attribute.name, attribute.kind, v.kind)
		}
		if err := checkKeyValue(attribute.name, v, n == 0); err != nil {
			return err
		}
	}
	for _, x := range t.secondary {
		for n, attribute := range x.keys {
			v, present := i[attribute.name]
			if !present {
				continue
			}
			if v.kind != attribute.kind {
				return validation("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", attribute.name, attribute.kind, v.kind, x.name)
			}
			if err := checkKeyValue(attribute.name, v, n == 0); err != nil {
				return err
			}
		}
	}
	if err := (value{fields: i}).check(0); err != nil {
		return err
	}
	if i.size() > maxItemBytes {
		return validation("Item size has exceeded the maximum allowed size")
	}
	return nil
}

func checkKeyValue(name string, v value, partition bool) error {
	if v.kind == kindNumber {
		return nil
	}
	limit, which := maxSortBytes, "rangekey"
	if partition {
		limit, which = maxPartitionBytes, "hashkey"
	}
	switch {
	case v.text == "":
		return validation("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", longNames[v.kind], name)
	case len(v.text) > limit:
		return validation("One or more parameter values were invalid: Size of %s has exceeded the maximum size limit of %d bytes", which, limit)
	}
	return nil
}

var longNames = map[kind]string{kindString: "string", kindBinary: "binary"}

// expiryPast is how long ago an expiry may be for an item to be deleted.
// DynamoDB takes older ones for mistakes (Using time to live, developer guide).
const expiryPast = 5 * 365 * 24 * time.Hour

// expiry returns the second at which an item expires, if it does.
func (t *table) expiry(i item) (int64, bool) {
	v := i[t.ttl]
	if t.ttl == "" || v.kind != kindNumber {
		return 0, false
	}
	return v.number.floor()
}

func (t *table) noteExpiry(i item) {
	if at, ok := t.expiry(i); ok {
		t.nextExpiry = min(t.nextExpiry, at)
	}
}

// expire deletes the items that have expired. Every operation on the table
// calls it first, so that no operation sees them; there is no timer.
func (t *table) expire(now time.Time) {
	if now.Unix() < t.nextExpiry {
		return
	}
	t.nextExpiry = math.MaxInt64
	oldest := now.Add(-expiryPast).Unix()
	due := slices.DeleteFunc(slices.Clone(t.primary.entries), func(i item) bool {
		at, ok := t.expiry(i)
		if ok && at > now.Unix() {
			t.nextExpiry = min(t.nextExpiry, at)
		}
		return !ok || at > now.Unix() || at < oldest
	})
	for _, i := range due {
		t.replace(i, nil)
	}
}

// setTTL sets the attribute that has an item's expiry; "" stands for none.
func (t *table) setTTL(attribute string) {
	t.ttl = attribute
	t.nextExpiry = math.MaxInt64
	for _, i := range t.primary.entries {
		t.noteExpiry(i)
	}
}
