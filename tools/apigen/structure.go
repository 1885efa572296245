package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// response writes the response of an operation. One that has the very members
// of a resource is another name for it.
func (g *generator) response(b *bytes.Buffer, name, operation string) error {
	same := g.sameAs(name)
	if same == "" {
		return g.structure(b, name, "is the response of "+operation+".")
	}
	if err := g.structure(b, same, "is a resource."); err != nil {
		return err
	}
	if !g.written[name] {
		g.written[name] = true
		fmt.Fprintf(b, "\n// %s is the response of %s.\ntype %[1]s = %[3]s\n", name, operation, same)
	}
	return nil
}

// sameAs finds the resource that a response is: the structure of the shortest
// name with the same members; "" when there is none or it is the response.
func (g *generator) sameAs(name string) string {
	if !strings.HasSuffix(name, "Response") && !strings.HasSuffix(name, "Result") {
		return "" // a resource
	}
	found := name
	for _, other := range slices.Sorted(maps.Keys(g.Shapes)) {
		if len(other) < len(found) && maps.Equal(g.Shapes[other].Members, g.Shapes[name].Members) && len(g.Shapes[name].Members) > 2 {
			found = other
		}
	}
	if found == name {
		return ""
	}
	return found
}

// structure writes a structure and what it refers to, each once.
func (g *generator) structure(b *bytes.Buffer, name, comment string) error {
	if g.written[name] {
		return nil
	}
	g.written[name] = true
	s := g.Shapes[name]
	if s.Type != "structure" {
		return fmt.Errorf("%s is no structure", name)
	}
	fmt.Fprintf(b, "\n// %s %s\ntype %[1]s struct {\n", exported(name), comment)
	members := slices.Sorted(maps.Keys(s.Members))
	for _, m := range members {
		goType, err := g.goType(s.Members[m].Shape)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", name, m, err)
		}
		if s.Members[m].Location == "uri" {
			goType = strings.TrimPrefix(goType, "*") // always there
		}
		fmt.Fprintf(b, "%s %s `%s`\n", exported(m), goType, g.tags(s, m))
	}
	b.WriteString("}\n")
	for _, m := range members {
		if inner := g.innermost(s.Members[m].Shape); g.Shapes[inner].Type == "structure" {
			if err := g.structure(b, inner, "is part of a resource."); err != nil {
				return err
			}
		}
	}
	return nil
}

// goType is the type of a member. Absent is nil.
func (g *generator) goType(name string) (string, error) {
	s := g.Shapes[name]
	switch s.Type {
	case "list":
		element, err := g.elementType(s.Member.Shape)
		return "[]" + element, err
	case "map":
		element, err := g.elementType(s.Value.Shape)
		return "map[string]" + element, err
	case "blob":
		return "[]byte", nil
	}
	scalar, err := g.scalar(name)
	return "*" + scalar, err
}

// elementType is the type of the elements of a list or map: only structures are
// pointers.
func (g *generator) elementType(name string) (string, error) {
	goType, err := g.goType(name)
	if g.Shapes[name].Type != "structure" {
		goType = strings.TrimPrefix(goType, "*")
	}
	return goType, err
}

func (g *generator) scalar(name string) (string, error) {
	s := g.Shapes[name]
	switch s.Type {
	case "string":
		return "string", nil
	case "boolean":
		return "bool", nil
	case "integer", "long":
		return "int", nil
	case "double":
		return "float64", nil
	case "structure":
		return exported(name), nil
	case "timestamp":
		if s.TimestampFormat == "iso8601" {
			return g.wire + "Timestamp", nil
		}
		return g.wire + "Epoch", nil
	}
	return "", fmt.Errorf("shape %s of type %s is not provided for", name, s.Type)
}

// innermost is what a list or map consists of in the end. The model limits no
// container, so a member's limits are those of its innermost shape.
func (g *generator) innermost(name string) string {
	switch s := g.Shapes[name]; s.Type {
	case "list":
		return g.innermost(s.Member.Shape)
	case "map":
		return g.innermost(s.Value.Shape)
	}
	return name
}

// tags are what the request's decoder must know of a member.
func (g *generator) tags(s *shape, name string) string {
	m := s.Members[name]
	wireName := m.LocationName
	if wireName == "" {
		wireName = name
	}
	var tags []string
	add := func(key, value string) { tags = append(tags, key+":"+strconv.Quote(value)) }
	switch {
	case s.Payload == name:
		add("payload", wireName)
	case m.Location == "":
		add("json", wireName+",omitzero")
	case m.Location == "querystring":
		add("query", wireName)
	default:
		add(m.Location, wireName)
	}
	if m.Location != "" || s.Payload == name {
		add("json", "-")
	}
	if slices.Contains(s.Required, name) {
		add("required", "true")
	}
	inner := g.Shapes[g.innermost(m.Shape)]
	if inner.Min != nil {
		add("min", strconv.Itoa(*inner.Min))
	}
	if inner.Max != nil {
		add("max", strconv.Itoa(*inner.Max))
	}
	if len(inner.Enum) > 0 {
		add("enum", strings.Join(inner.Enum, " "))
	}
	if inner.Pattern != "" {
		add("pattern", inner.Pattern)
	}
	return strings.Join(tags, " ")
}

// exported is a name of the model as a name of Go.
func exported(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + strings.TrimLeft(name[1:], "_")
}
