package dynamodb

import (
	"maps"
	"slices"
)

// projection is a ProjectionExpression as a tree of its paths. A node without
// children keeps the whole value.
type projection struct {
	names   map[string]*projection
	indexes map[int]*projection
}

func newProjection(paths []path) (*projection, error) {
	if first, second, ok := overlap(paths); ok {
		return nil, validation("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", first, second)
	}
	root := new(projection)
	for _, path := range paths {
		node := root
		for _, step := range path {
			node = node.child(step)
		}
	}
	return root, nil
}

func (p *projection) child(s step) *projection {
	if s.index < 0 {
		if p.names == nil {
			p.names = map[string]*projection{}
		}
		if p.names[s.name] == nil {
			p.names[s.name] = new(projection)
		}
		return p.names[s.name]
	}
	if p.indexes == nil {
		p.indexes = map[int]*projection{}
	}
	if p.indexes[s.index] == nil {
		p.indexes[s.index] = new(projection)
	}
	return p.indexes[s.index]
}

// of returns the part of an item that the projection keeps; all of it when p is
// nil.
func (p *projection) of(i item) item {
	if p == nil || i == nil {
		return i
	}
	kept := item{}
	for name, child := range p.names {
		if v, ok := i[name]; ok {
			if v, ok = child.value(v); ok {
				kept[name] = v
			}
		}
	}
	return kept
}

// value returns the part of a value that is kept; ok is false when nothing is.
// There are no gaps between the members of a list that are kept.
func (p *projection) value(v value) (value, bool) {
	switch {
	case p.names == nil && p.indexes == nil:
		return v, true
	case v.kind == kindMap && p.names != nil:
		fields := p.of(v.fields)
		return value{kind: kindMap, fields: fields}, len(fields) > 0
	case v.kind == kindList && p.indexes != nil:
		var members []value
		for _, index := range slices.Sorted(maps.Keys(p.indexes)) {
			if index >= len(v.members) {
				break
			}
			if member, ok := p.indexes[index].value(v.members[index]); ok {
				members = append(members, member)
			}
		}
		return value{kind: kindList, members: members}, len(members) > 0
	}
	return value{}, false
}

// overlap returns two paths of which one contains the other; found is false
// where there are none.
func overlap(paths []path) (first, second path, found bool) {
	for i, a := range paths {
		for _, b := range paths[:i] {
			n := min(len(a), len(b))
			if slices.Equal(a[:n], b[:n]) {
				return b, a, true
			}
		}
	}
	return nil, nil, false
}

// projection parses a ProjectionExpression, or the older AttributesToGet; nil
// when there is neither.
func (e *expressions) projection(expression *string, attributes []string) (*projection, error) {
	switch {
	case expression != nil && attributes != nil:
		return nil, validation("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}")
	case expression != nil:
		return parse(e, "ProjectionExpression", *expression, func(p *parser) (*projection, error) {
			paths, err := list(p, (*parser).path)
			if err != nil {
				return nil, err
			}
			return newProjection(paths)
		})
	case attributes != nil:
		paths := make([]path, len(attributes))
		for i, name := range attributes {
			paths[i] = path{{name: name, index: -1}}
		}
		return newProjection(paths)
	}
	return nil, nil
}

// condition parses a condition or filter; nil when there is none.
func (e *expressions) condition(member string, expression *string) (condition, error) {
	if expression == nil {
		return nil, nil
	}
	return parse(e, member, *expression, (*parser).condition)
}
