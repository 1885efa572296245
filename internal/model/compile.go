package model

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// compiler makes schemas of documents that were checked.
type compiler struct {
	library *library
	done    map[*jsonvalue.Object]*schema
	order   []*schema
	err     error // the first
}

// compile makes the schema of the document with a URL.
func (c *compiler) compile(address string) (*schema, error) {
	d, err := c.library.document(address)
	if err != nil {
		return nil, err
	}
	root := c.schema(d, d.parts[d.url])
	if c.err == nil {
		c.err = c.endless()
	}
	return root, c.err
}

// fail notes an error; the first counts.
func (c *compiler) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// schema makes the schema of a part of a document, nil where that is none.
func (c *compiler) schema(d *document, p part) *schema {
	object, ok := p.value.(*jsonvalue.Object)
	if !ok || c.err != nil {
		return nil
	}
	if s, found := c.done[object]; found {
		return s
	}
	s := &schema{model: d.model, at: p.at}
	c.done[object] = s
	c.order = append(c.order, s)
	if base, known := d.bases[object]; known {
		p.base = base
	}
	in := source{c, d, p, object}
	if reference, ok := member(object, "$ref").(string); ok {
		s.ref = in.reference(reference)
		return s
	}
	s.types = typesOf(member(object, "type"))
	if values, ok := member(object, "enum").(*jsonvalue.List); ok {
		unlimited := math.MaxInt
		s.enum = make(map[string]bool, values.Len())
		for _, value := range values.Items {
			s.enum[canonical(value, &unlimited)] = true
		}
	}
	s.format, _ = member(object, "format").(string)
	s.is = formatOf(s.format)
	s.not, s.allOf, s.anyOf, s.oneOf = in.part("not"), in.all("allOf"), in.all("anyOf"), in.all("oneOf")
	in.properties(s)
	in.listItems(s)
	in.scalars(s)
	return s
}

// source is a schema that is compiled.
type source struct {
	*compiler
	document *document
	place    part
	value    *jsonvalue.Object
}

// reference compiles what a reference leads to.
func (in source) reference(reference string) *schema {
	owner, target, err := in.library.resolve(in.document, in.place.base, reference, &location{parent: in.place.at, name: "$ref"})
	if err != nil {
		in.fail(err)
		return nil
	}
	if object, ok := target.value.(*jsonvalue.Object); !ok || owner.bases[object] == "" {
		// It is no schema by its place, and was not checked.
		if err := in.library.checkPart(owner.model, target); err != nil {
			in.fail(err)
			return nil
		}
	}
	return in.schema(owner, target)
}

// part compiles the schema that a member is, nil where there is none.
func (in source) part(keyword string) *schema {
	return in.schema(in.document, part{member(in.value, keyword), &location{parent: in.place.at, name: keyword}, in.place.base})
}

// all compiles the schemas of a member that is a list.
func (in source) all(keyword string) []*schema {
	list, ok := member(in.value, keyword).(*jsonvalue.List)
	if !ok {
		return nil
	}
	at := &location{parent: in.place.at, name: keyword}
	schemas := make([]*schema, 0, list.Len())
	for i, item := range list.Items {
		schemas = append(schemas, in.schema(in.document, part{item, &location{parent: at, index: i, isIndex: true}, in.place.base}))
	}
	return schemas
}

// named compiles the schemas of a member that is an object; those that are none are nil.
func (in source) named(keyword string) map[string]*schema {
	object, ok := member(in.value, keyword).(*jsonvalue.Object)
	if !ok {
		return nil
	}
	at := &location{parent: in.place.at, name: keyword}
	schemas := make(map[string]*schema, object.Len())
	for name, value := range object.All() {
		schemas[name] = in.schema(in.document, part{value, &location{parent: at, name: name}, in.place.base})
	}
	return schemas
}

func (in source) additional(keyword string) additional {
	if allowed, is := member(in.value, keyword).(bool); is {
		return additional{refused: !allowed}
	}
	return additional{schema: in.part(keyword)}
}

func (in source) properties(s *schema) {
	s.required = texts(member(in.value, "required"))
	s.minProperties, s.maxProperties = in.count("minProperties"), in.count("maxProperties")
	s.properties = in.named("properties")
	properties := in.named("patternProperties")
	for _, expression := range slices.Sorted(maps.Keys(properties)) {
		compiled, err := in.library.compilePattern(expression)
		if err != nil {
			in.fail(&schemaError{in.document.model, (&location{parent: in.place.at, name: "patternProperties"}).String(), err.Error()})
			return
		}
		s.patternProperties = append(s.patternProperties, patternProperty{compiled, properties[expression]})
	}
	s.additionalProperties = in.additional("additionalProperties")
	needed := in.named("dependencies")
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		s.dependencies = append(s.dependencies, dependency{
			name: name, required: texts(member(member(in.value, "dependencies"), name)), schema: needed[name],
		})
	}
}

func (in source) listItems(s *schema) {
	s.minItems, s.maxItems = in.count("minItems"), in.count("maxItems")
	s.uniqueItems, _ = member(in.value, "uniqueItems").(bool)
	if s.tuple = in.all("items"); s.tuple != nil {
		s.additionalItems = in.additional("additionalItems")
		return
	}
	s.items = in.part("items")
}

func (in source) scalars(s *schema) {
	s.minLength, s.maxLength = in.count("minLength"), in.count("maxLength")
	if expression, ok := member(in.value, "pattern").(string); ok {
		s.pattern, _ = in.library.compilePattern(expression) // it was checked
	}
	s.minimum, s.exclusiveMinimum = in.bound("minimum", "exclusiveMinimum")
	s.maximum, s.exclusiveMaximum = in.bound("maximum", "exclusiveMaximum")
	s.multipleOf = in.number("multipleOf")
}

// bound is a bound, which is an exclusive one where another member says so.
func (in source) bound(keyword, exclusive string) (bound, exclusiveBound *decimal) {
	bound = in.number(keyword)
	if is, _ := member(in.value, exclusive).(bool); is {
		return nil, bound
	}
	return bound, nil
}

func (in source) number(keyword string) *decimal {
	n, ok := member(in.value, keyword).(jsonvalue.Number)
	if !ok {
		return nil
	}
	d, _ := parseDecimal(n) // it was checked
	return &d
}

// count is a number that counts something, nil where there is none.
func (in source) count(keyword string) *int {
	d := in.number(keyword)
	if d == nil {
		return nil
	}
	n := 0
	for i := range d.exponent {
		n *= 10
		if i < len(d.digits) {
			n += int(d.digits[i] - '0')
		}
	}
	return &n
}

// texts are the texts of a list.
func texts(value any) []string {
	list, ok := value.(*jsonvalue.List)
	if !ok {
		return nil
	}
	all := make([]string, 0, list.Len())
	for _, item := range list.Items {
		if text, is := item.(string); is {
			all = append(all, text)
		}
	}
	return all
}

// typesOf are the types that a schema allows, in a fixed order.
func typesOf(value any) []string {
	types := texts(value)
	if name, is := value.(string); is {
		types = []string{name}
	}
	slices.SortFunc(types, func(a, b string) int { return strings.Index(typeOrder, a) - strings.Index(typeOrder, b) })
	return types
}

const typeOrder = "null boolean number integer string array object"
