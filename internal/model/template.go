package model

import (
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// Template returns a mapping template whose output is an example of the model
// with a name, as a start for one's own. Lists are loops over the input's. The
// error is that of Set.Model.
func Template(apiID string, models []*apigw.Model, name string) (string, error) {
	l := newLibrary(apiID, models)
	if _, err := l.compile(name); err != nil {
		return "", err
	}
	t := &templateWriter{library: l, following: make(map[string]bool)}
	t.out.WriteString("#set($inputRoot = $input.path('$'))\n")
	t.write(place{model: name, path: "$inputRoot"}, l.parsed[name])
	t.out.WriteByte('\n')
	return t.out.String(), nil
}

// Limits of a template, which are not exact: its length in bytes, because
// references can make a short schema stand for a huge one, and its nesting.
const (
	maxTemplate = 64 << 10
	maxIndent   = 20
)

// Examples of values.
const (
	exampleText    = `"foo"`
	exampleNumber  = "42"
	exampleBoolean = "true"
	noExample      = "{ }"
)

type templateWriter struct {
	library   *library
	out       strings.Builder
	following map[string]bool // references on the way to the current place
}

// place is where a schema is written: in the template, in the models and in the
// input.
type place struct {
	model  string
	path   string // in the input, "" where it has no name
	indent int    // in levels
	loops  int    // around it
}

func (p place) in() place {
	p.indent++
	return p
}

func (t *templateWriter) line(p place, text string) {
	t.out.WriteByte('\n')
	t.out.WriteString(strings.Repeat("  ", p.indent))
	t.out.WriteString(text)
}

func (t *templateWriter) write(p place, value any) {
	schema, ok := value.(*jsonvalue.Object)
	if !ok || t.out.Len() > maxTemplate || p.indent > maxIndent {
		t.out.WriteString(noExample)
		return
	}
	if reference, ok := member(schema, "$ref").(string); ok {
		t.writeReference(p, reference)
		return
	}
	if values, ok := member(schema, "enum").(*jsonvalue.List); ok && values.Len() > 0 {
		t.out.WriteString(literal(jsonvalue.Append(nil, values.Items[0])))
		return
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		if schemas, ok := member(schema, keyword).(*jsonvalue.List); ok && schemas.Len() > 0 && member(schema, "properties") == nil {
			t.write(p, schemas.Items[0])
			return
		}
	}
	t.writeType(p, schema)
}

func (t *templateWriter) writeReference(p place, reference string) {
	model, target := t.library.follow(p.model, reference)
	key := model + "#" + reference
	if t.following[key] {
		t.out.WriteString(noExample)
		return
	}
	t.following[key] = true
	p.model = model
	t.write(p, target)
	delete(t.following, key)
}

func (t *templateWriter) writeType(p place, schema *jsonvalue.Object) {
	switch schemaType(schema) {
	case "array":
		t.writeList(p, member(schema, "items"))
	case "string":
		t.out.WriteString(exampleText)
	case "integer", "number":
		t.out.WriteString(exampleNumber)
	case "boolean":
		t.out.WriteString(exampleBoolean)
	case "null":
		t.out.WriteString("null")
	default:
		properties, _ := member(schema, "properties").(*jsonvalue.Object)
		t.writeObject(p, properties)
	}
}

// schemaType returns the type of a schema's values, the first if there are
// several.
func schemaType(schema *jsonvalue.Object) string {
	named := member(schema, "type")
	if types, ok := named.(*jsonvalue.List); ok {
		named, _ = types.At(0)
	}
	if name, ok := named.(string); ok {
		return name
	}
	if member(schema, "items") != nil {
		return "array"
	}
	return "object"
}

func (t *templateWriter) writeObject(p place, properties *jsonvalue.Object) {
	if properties == nil || properties.Len() == 0 {
		t.out.WriteString(noExample)
		return
	}
	t.out.WriteByte('{')
	separator := ""
	for name, schema := range properties.All() {
		t.out.WriteString(separator)
		separator = ","
		t.line(p.in(), literal(jsonvalue.AppendQuoted(nil, name))+" : ")
		inner := p.in()
		inner.path = memberPath(p.path, name)
		t.write(inner, schema)
	}
	t.line(p, "}")
}

// literal escapes JSON so that a template prints it as it is.
func literal(text []byte) string { return literals.Replace(string(text)) }

var literals = strings.NewReplacer("#", `\u0023`, "$", `\u0024`)

var templateName = lazyregexp.New(`^[A-Za-z][A-Za-z0-9_]*$`)

// memberPath returns the path of a member of the input, "" for a name that
// cannot be written in templates.
func memberPath(path, name string) string {
	switch {
	case path == "" || strings.ContainsAny(name, `'"$#\`):
		return ""
	case templateName.MatchString(name):
		return path + "." + name
	}
	return path + ".get('" + name + "')"
}

func (t *templateWriter) writeList(p place, items any) {
	if tuple, ok := items.(*jsonvalue.List); ok {
		items, _ = tuple.At(0)
	}
	if items == nil || p.path == "" {
		t.out.WriteString("[ ]")
		return
	}
	element := "$elem"
	if p.loops > 0 {
		element += strconv.Itoa(p.loops)
	}
	inner := p.in()
	inner.loops++
	t.out.WriteString("[\n#foreach(" + element + " in " + p.path + ")")
	inner.path = element
	t.line(inner, "")
	t.write(inner, items)
	t.out.WriteString("#if($foreach.hasNext),#end\n#end")
	t.line(p, "]")
}
