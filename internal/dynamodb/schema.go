package dynamodb

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// tableInput is the part of CreateTable's input that has an effect.
type tableInput struct {
	TableName              string
	AttributeDefinitions   []attributeInput
	KeySchema              []keyInput
	LocalSecondaryIndexes  []indexInput    `json:",omitempty"`
	GlobalSecondaryIndexes []indexInput    `json:",omitempty"`
	BillingMode            string          `json:",omitempty"`
	ProvisionedThroughput  json.RawMessage `json:",omitempty"`
}

type attributeInput struct {
	AttributeName string
	AttributeType kind
}

type keyInput struct {
	AttributeName string
	KeyType       string
}

type indexInput struct {
	IndexName  string
	KeySchema  []keyInput
	Projection projectionInput
}

type projectionInput struct {
	ProjectionType   string
	NonKeyAttributes []string `json:",omitempty"`
}

// newTable makes an empty table of a definition.
func newTable(input tableInput) (*table, error) {
	if err := checkTableName(input.TableName); err != nil {
		return nil, err
	}
	kinds, err := input.kinds()
	if err != nil {
		return nil, err
	}
	keys, err := keySchema(input.KeySchema, kinds)
	if err != nil {
		return nil, err
	}
	t := &table{
		name:       input.TableName,
		primary:    &index{keys: keys},
		secondary:  map[string]*index{},
		input:      input,
		created:    time.Now(),
		nextExpiry: math.MaxInt64,
	}
	for _, indexes := range []struct {
		inputs []indexInput
		local  bool
	}{{input.LocalSecondaryIndexes, true}, {input.GlobalSecondaryIndexes, false}} {
		for _, one := range indexes.inputs {
			if err := t.addIndex(one, kinds, indexes.local); err != nil {
				return nil, err
			}
		}
	}
	for name := range kinds {
		if !t.usesKey(name) {
			return nil, validation("One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
		}
	}
	return t, nil
}

func checkTableName(name string) error {
	valid := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_.-", c)
	}
	if len(name) < 3 || len(name) > 255 || strings.ContainsFunc(name, func(c rune) bool { return !valid(c) }) {
		return validation("Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'")
	}
	return nil
}

func (input tableInput) kinds() (map[string]kind, error) {
	kinds := map[string]kind{}
	for _, a := range input.AttributeDefinitions {
		if !a.AttributeType.ordered() {
			return nil, validation("Member must satisfy enum value set: [B, N, S] for the type of attribute %s, which is %q", a.AttributeName, a.AttributeType)
		}
		kinds[a.AttributeName] = a.AttributeType
	}
	return kinds, nil
}

func keySchema(schema []keyInput, kinds map[string]kind) ([]keyAttribute, error) {
	if len(schema) < 1 || len(schema) > 2 || schema[0].KeyType != "HASH" || len(schema) == 2 && schema[1].KeyType != "RANGE" {
		return nil, validation("Invalid KeySchema: it must have one HASH key element, then at most one RANGE key element")
	}
	var keys []keyAttribute
	for _, element := range schema {
		kind, ok := kinds[element.AttributeName]
		if !ok {
			return nil, validation("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [%s]", element.AttributeName)
		}
		keys = append(keys, keyAttribute{element.AttributeName, kind})
	}
	return keys, nil
}

// addIndex adds a secondary index and fills it with the table's items.
func (t *table) addIndex(input indexInput, kinds map[string]kind, local bool) error {
	if err := checkTableName(input.IndexName); err != nil {
		return err
	}
	if t.secondary[input.IndexName] != nil {
		return validation("One or more parameter values were invalid: Duplicate index name: %s", input.IndexName)
	}
	keys, err := keySchema(input.KeySchema, kinds)
	if err != nil {
		return err
	}
	if local && (len(keys) != 2 || keys[0] != t.keys()[0]) {
		return validation("One or more parameter values were invalid: Index KeySchema of %s does not have the partition key of the table and a sort key", input.IndexName)
	}
	x := &index{name: input.IndexName, keys: keys, tableKeys: t.keys(), local: local, projection: input.Projection}
	switch input.Projection.ProjectionType {
	case "ALL":
	case "KEYS_ONLY", "INCLUDE":
		x.projected = new(projection)
		for _, attribute := range slices.Concat(keys, t.keys()) {
			x.projected.child(step{attribute.name, -1})
		}
		for _, name := range input.Projection.NonKeyAttributes {
			x.projected.child(step{name, -1})
		}
	default:
		return validation("One or more parameter values were invalid: Unknown ProjectionType: %s", cmp.Or(input.Projection.ProjectionType, "null"))
	}
	for _, i := range t.primary.entries {
		x.replace(nil, i)
	}
	t.secondary[x.name] = x
	return nil
}

func (t *table) usesKey(name string) bool {
	is := func(key keyAttribute) bool { return key.name == name }
	if slices.ContainsFunc(t.keys(), is) {
		return true
	}
	for _, x := range t.secondary {
		if slices.ContainsFunc(x.keys, is) {
			return true
		}
	}
	return false
}

// sameKeys reports whether two definitions differ only in global indexes and
// capacity, which can be changed without a new table.
func (t *table) sameKeys(other *table) bool {
	locals := func(t *table) map[string]*index {
		all := maps.Clone(t.secondary)
		maps.DeleteFunc(all, func(_ string, x *index) bool { return !x.local })
		return all
	}
	return slices.Equal(t.keys(), other.keys()) && maps.EqualFunc(locals(t), locals(other), sameIndex)
}

func sameIndex(a, b *index) bool {
	return slices.Equal(a.keys, b.keys) && a.projection.ProjectionType == b.projection.ProjectionType &&
		slices.Equal(slices.Sorted(slices.Values(a.projection.NonKeyAttributes)), slices.Sorted(slices.Values(b.projection.NonKeyAttributes)))
}

// adopt moves the items of another table with the same keys into t, which is
// empty. An item is left out of a new index for whose key it has the wrong
// types.
func (t *table) adopt(other *table) {
	t.created = other.created
	for _, i := range other.primary.entries {
		t.replace(nil, i)
	}
}
