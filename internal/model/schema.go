package model

import (
	"fmt"
	"slices"
)

// schema is a schema as messages are checked against it, with its parts in a
// fixed order and its values in a form that is fast to compare. If ref is set,
// the other members do not count.
type schema struct {
	model string // that it stands in
	at    *location
	ref   *schema

	types  []string
	enum   map[string]bool // canonical values
	format string
	is     func(text string) bool // whether a text has the format; nil: there is none
	not    *schema
	allOf  []*schema
	anyOf  []*schema
	oneOf  []*schema

	required                     []string
	minProperties, maxProperties *int
	properties                   map[string]*schema
	patternProperties            []patternProperty
	additionalProperties         additional
	dependencies                 []dependency

	minItems, maxItems *int
	uniqueItems        bool
	items              *schema   // of all items
	tuple              []*schema // of the first items
	additionalItems    additional

	minLength, maxLength *int
	pattern              *pattern

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

// endless returns an error for a schema that applies itself to the same value
// again, so that checking a message would not end. Schemas that apply
// themselves to parts of a value are fine.
func (c *compiler) endless() error {
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
	for _, s := range c.order {
		if again := visit(s); again != nil {
			at := again.at.String()
			return &schemaError{again.model, at, fmt.Sprintf("the schema applies itself without end: #%s leads back to itself", at)}
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
