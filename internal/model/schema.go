package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// schema is a schema as messages are checked against it: made from the
// library's, with its parts in a fixed order and its values in a form that is
// fast to compare. If ref is set, the other members do not count.
type schema struct {
	source *jsonschema.Schema
	ref    *schema

	types  []string
	enum   map[string]bool // canonical values
	format *jsonschema.Format
	not    *schema
	allOf  []*schema
	anyOf  []*schema
	oneOf  []*schema

	properties           map[string]*schema
	patternProperties    []patternProperty
	additionalProperties additional
	dependencies         []dependency

	items           *schema   // of all items
	tuple           []*schema // of the first items
	additionalItems additional

	pattern *pattern

	minimum, exclusiveMinimum *decimal
	maximum, exclusiveMaximum *decimal
	multipleOf                *decimal
}

type patternProperty struct {
	pattern *pattern
	schema  *schema
}

// additional is the schema of the properties or items that no other schema
// covers. The zero value accepts all.
type additional struct {
	refused bool
	schema  *schema
}

// dependency is what an object needs if it has a property: other properties, or
// to fit a schema.
type dependency struct {
	name     string
	required []string
	schema   *schema
}

// formats are the formats of draft-04. Others are ignored, as the specification
// says.
var formats = []string{"date-time", "email", "hostname", "ipv4", "ipv6", "regex", "uri"}

// translator makes schemas from the library's.
type translator struct {
	library *library
	done    map[*jsonschema.Schema]*schema
	order   []*schema
	err     error
}

func (t *translator) translate(root *jsonschema.Schema) (*schema, error) {
	s := t.schema(root)
	return s, t.err
}

func (t *translator) schema(source *jsonschema.Schema) *schema {
	if source == nil {
		return nil
	}
	if s, found := t.done[source]; found {
		return s
	}
	s := &schema{source: source}
	t.done[source] = s
	t.order = append(t.order, s)
	if source.DraftVersion != 4 {
		model, at := t.library.place(source.Location)
		t.err = &schemaError{model, at, "the schema is not of draft-04 of JSON Schema, the only version that models have"}
		return s
	}
	if source.Ref != nil {
		s.ref = t.schema(source.Ref)
		return s
	}
	if source.Types != nil {
		s.types = source.Types.ToStrings()
	}
	if source.Enum != nil {
		unlimited := math.MaxInt
		s.enum = make(map[string]bool, len(source.Enum.Values))
		for _, value := range source.Enum.Values {
			s.enum[canonical(ordered(value), &unlimited)] = true
		}
	}
	if source.Format != nil && slices.Contains(formats, source.Format.Name) {
		s.format = source.Format
	}
	s.not, s.allOf, s.anyOf, s.oneOf = t.schema(source.Not), t.all(source.AllOf), t.all(source.AnyOf), t.all(source.OneOf)
	t.object(s, source)
	switch items := source.Items.(type) {
	case *jsonschema.Schema:
		s.items = t.schema(items)
	case []*jsonschema.Schema:
		s.tuple = t.all(items)
		s.additionalItems = t.additional(source.AdditionalItems)
	}
	if source.Pattern != nil {
		s.pattern, _ = source.Pattern.(*pattern) // all are
	}
	s.minimum, s.exclusiveMinimum = fromRat(source.Minimum), fromRat(source.ExclusiveMinimum)
	s.maximum, s.exclusiveMaximum = fromRat(source.Maximum), fromRat(source.ExclusiveMaximum)
	s.multipleOf = fromRat(source.MultipleOf)
	return s
}

func (t *translator) object(s *schema, source *jsonschema.Schema) {
	s.properties = make(map[string]*schema, len(source.Properties))
	for name, property := range source.Properties {
		s.properties[name] = t.schema(property)
	}
	for expression, property := range source.PatternProperties {
		compiled, _ := expression.(*pattern) // all are
		s.patternProperties = append(s.patternProperties, patternProperty{compiled, t.schema(property)})
	}
	slices.SortFunc(s.patternProperties, func(a, b patternProperty) int {
		return strings.Compare(a.pattern.source, b.pattern.source)
	})
	s.additionalProperties = t.additional(source.AdditionalProperties)
	for _, name := range slices.Sorted(maps.Keys(source.Dependencies)) {
		d := dependency{name: name}
		switch needed := source.Dependencies[name].(type) {
		case []string:
			d.required = needed
		case *jsonschema.Schema:
			d.schema = t.schema(needed)
		}
		s.dependencies = append(s.dependencies, d)
	}
}

func (t *translator) all(sources []*jsonschema.Schema) []*schema {
	var schemas []*schema
	for _, source := range sources {
		schemas = append(schemas, t.schema(source))
	}
	return schemas
}

func (t *translator) additional(source any) additional {
	switch source := source.(type) {
	case bool:
		return additional{refused: !source}
	case *jsonschema.Schema:
		return additional{schema: t.schema(source)}
	}
	return additional{}
}

// ordered turns a value of the library into one of package jsonvalue.
func ordered(value any) any {
	switch value := value.(type) {
	case json.Number:
		return jsonvalue.Number(value)
	case []any:
		list := &jsonvalue.List{}
		for _, item := range value {
			list.Add(ordered(item))
		}
		return list
	case map[string]any:
		object := &jsonvalue.Object{}
		for name, member := range value {
			object.Set(name, ordered(member))
		}
		return object
	}
	return value
}

// endless returns an error for a schema that applies itself to the same value
// again, so that checking a message would not end. Schemas that apply
// themselves to parts of a value are fine.
func (t *translator) endless() error {
	const open, closed = 1, 2
	state := map[*schema]int{}
	var visit func(s *schema) *schema
	visit = func(s *schema) *schema {
		switch state[s] {
		case open:
			return s
		case closed:
			return nil
		}
		state[s] = open
		for _, next := range s.sameValue() {
			if again := visit(next); again != nil {
				return again
			}
		}
		state[s] = closed
		return nil
	}
	for _, s := range t.order {
		if again := visit(s); again != nil {
			model, at := t.library.place(again.source.Location)
			return &schemaError{model, at, fmt.Sprintf("the schema applies itself without end: #%s leads back to itself", at)}
		}
	}
	return nil
}

// sameValue returns the parts of a schema that are applied to the same value as
// the schema.
func (s *schema) sameValue() []*schema {
	if s.ref != nil {
		return []*schema{s.ref}
	}
	parts := slices.Concat(s.allOf, s.anyOf, s.oneOf)
	if s.not != nil {
		parts = append(parts, s.not)
	}
	for _, d := range s.dependencies {
		if d.schema != nil {
			parts = append(parts, d.schema)
		}
	}
	return parts
}
