package model

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// document is a schema with a URL, and what is found in it by other URLs: draft-04's
// "id" names a part of a schema, and is the base of the references in it.
type document struct {
	url   string
	model string          // its name; of the schema of schemas, its URL
	err   error           // why it cannot be used
	parts map[string]part // by URL, with a fragment that is a name or without one
	bases map[*jsonvalue.Object]string
}

// part is a part of a document.
type part struct {
	value any
	at    *location
	base  string // of its references
}

// index finds the parts of a document that have a URL.
func (d *document) index(root any) {
	d.parts = map[string]part{d.url: {root, nil, d.url}}
	d.bases = map[*jsonvalue.Object]string{}
	d.visit(part{root, nil, d.url})
}

// visit notes the base of a schema and of all within it. Whatever is beside a "$ref"
// does not count.
func (d *document) visit(p part) {
	object, ok := p.value.(*jsonvalue.Object)
	if !ok {
		return
	}
	if id, ok := member(object, "id").(string); ok && !isReference(object) {
		if to, fragment, err := join(p.base, id); err == nil {
			p.base = to
			for _, name := range []string{to, to + "#" + fragment} {
				if _, twice := d.parts[name]; !twice {
					d.parts[name] = p // the first counts
				}
			}
		}
	}
	d.bases[object] = p.base
	for name, value := range object.All() {
		here := &location{parent: p.at, name: name}
		switch name {
		case "not", "additionalItems", "additionalProperties":
			d.visit(part{value, here, p.base})
		case "items", "allOf", "anyOf", "oneOf":
			d.visit(part{value, here, p.base})
			d.visitAll(part{value, here, p.base})
		case "definitions", "properties", "patternProperties", "dependencies":
			d.visitAll(part{value, here, p.base})
		}
	}
}

// visitAll visits the members of an object, or the items of a list.
func (d *document) visitAll(p part) {
	switch value := p.value.(type) {
	case *jsonvalue.Object:
		if p.at.name == "items" {
			return // a schema
		}
		for name, member := range value.All() {
			d.visit(part{member, &location{parent: p.at, name: name}, p.base})
		}
	case *jsonvalue.List:
		for i, item := range value.Items {
			d.visit(part{item, &location{parent: p.at, index: i, isIndex: true}, p.base})
		}
	}
}

func isReference(object *jsonvalue.Object) bool {
	_, is := member(object, "$ref").(string)
	return is
}

// join returns the URL that a reference means, and its fragment, decoded.
func join(base, reference string) (address, fragment string, err error) {
	from, err := url.Parse(base)
	if err != nil {
		return "", "", err
	}
	to, err := from.Parse(reference)
	if err != nil {
		return "", "", err
	}
	fragment = to.Fragment
	to.Fragment, to.RawFragment = "", ""
	return to.String(), fragment, nil
}

// resolve returns what a reference in a document leads to. at is its place.
func (l *library) resolve(d *document, base, reference string, at *location) (*document, part, error) {
	wrong := func(format string, args ...any) error {
		return &schemaError{d.model, at.String(), printable(fmt.Sprintf(format, args...))}
	}
	address, fragment, err := join(base, reference)
	if err != nil {
		return nil, part{}, wrong("%s is no URL", show(reference))
	}
	owner := d
	if _, here := d.parts[address]; !here {
		if owner, err = l.document(address); errors.Is(err, errNotAModel) {
			if _, version, ok := strings.Cut(address, "://json-schema.org/"); ok && strings.HasSuffix(version, "schema") {
				return nil, part{}, wrong("%s %s", address, onlyDraft4)
			}
			return nil, part{}, wrong("%s %v; models are referred to as %s{name}", address, err, l.base)
		}
		if err != nil {
			return nil, part{}, err
		}
	}
	target, found := owner.parts[address]
	switch {
	case fragment == "":
	case fragment[0] == '/':
		target, found = owner.follow(target, fragment)
	default:
		target, found = owner.parts[address+"#"+fragment]
	}
	if !found {
		return nil, part{}, wrong("model %s has no #%s", owner.model, fragment)
	}
	return owner, target, nil
}

// follow returns the part that a JSON pointer leads to from another.
func (d *document) follow(from part, pointer string) (part, bool) {
	for step := range strings.SplitSeq(pointer[1:], "/") {
		if object, ok := from.value.(*jsonvalue.Object); ok {
			if base, known := d.bases[object]; known {
				from.base = base
			}
		}
		name := pointerSteps.Replace(step)
		next, found := find(from.value, name)
		if !found {
			return part{}, false
		}
		from.value, from.at = next, &location{parent: from.at, name: name}
	}
	return from, true
}
