package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/spelling"
)

// form is what a property's value must look like.
type form uint8

const (
	anyForm form = iota
	textForm
	integerForm
	decimalForm
	booleanForm
	textsForm    // a list of strings
	textMapForm  // an object of strings
	objectForm   // an object
	listForm     // a list of anything
	requiredForm // an object of {Required: boolean}
)

// property is one property of a type of resource.
type property struct {
	name     string
	form     form
	required bool
	oneOf    []string
	min, max int                // of an integer, or of the length of a text; none when max is 0
	pattern  *lazyregexp.Regexp // of a text
	// kept is set for properties that have no effect yet. They are reported,
	// unless they have the value inert, which asks for nothing.
	kept  bool
	inert string
	// refused is the error's text for a property that API Gateway refuses for
	// WebSocket APIs.
	refused string
}

// properties are the resolved and checked properties of a resource. One that is
// missing or was reported has the zero value.
type properties struct {
	*report
	res    *resource
	values map[string]*value
	lines  map[string]int
}

// keptMessage is the notice for a kept property.
const keptMessage = "kept, but not acted on yet"

// read resolves a resource's properties and checks them against those that its
// type has.
func (b *builder) read(res *resource, schema []property) *properties {
	p := &properties{report: b.report, res: res, values: map[string]*value{}, lines: map[string]int{}}
	p.object(b.properties(res), "", schema, p.values)
	return p
}

// object checks the members of an object; prefix is its path within the
// properties, with a dot at the end.
func (p *properties) object(v *value, prefix string, schema []property, into map[string]*value) {
	for _, m := range v.members {
		i := slices.IndexFunc(schema, func(s property) bool { return s.name == m.key })
		if i < 0 {
			names := make([]string, len(schema))
			for i, s := range schema {
				names[i] = s.name
			}
			owner := p.res.typ
			if prefix != "" {
				owner = strings.TrimSuffix(prefix, ".")
			}
			p.problem(m.line, p.res.id, "%s has no property %s%s", owner, m.key, p.didYouMean(m.key, names))
			continue
		}
		s := schema[i]
		p.lines[prefix+s.name] = m.line
		if s.refused != "" {
			p.problem(m.line, p.res.id, "%s", s.refused)
			continue
		}
		if m.value.kind == unknown {
			into[s.name] = m.value
			continue
		}
		if message := s.check(m.value); message != "" {
			p.problem(m.line, p.res.id, "%s%s %s", prefix, s.name, message)
			into[s.name] = newUnknown(m.line)
			continue
		}
		into[s.name] = m.value
		if s.form == textMapForm {
			into[s.name] = p.textMembers(prefix+s.name, m.value)
		}
		if s.kept && (s.inert == "" || m.value.text != s.inert) {
			p.ignore(m.line, prefix+s.name, keptMessage)
		}
	}
	line := v.line
	if prefix == "" {
		line = p.res.line
	}
	for _, s := range schema {
		if s.required && into[s.name] == nil {
			p.problem(line, p.res.id, "the property %s%s is missing", prefix, s.name)
		}
	}
}

// textMembers returns an object with those of its members that are scalars. It
// reports each of the others.
func (p *properties) textMembers(path string, v *value) *value {
	out := newObject(v.line)
	for _, m := range v.members {
		switch {
		case m.value.isScalar():
			out.members = append(out.members, m)
		case m.value.kind != unknown:
			p.problem(m.line, p.res.id, "%s must be an object of strings, but %s is %s", path, m.key, m.value.describe())
		}
	}
	return out
}

// ignore records that a property is ignored.
func (p *properties) ignore(line int, name, message string) {
	p.notice(Notice{Line: line, LogicalID: p.res.id, Type: p.res.typ, Property: name, Message: message})
}

// wrong reports a mistake in a property, on the property's line.
func (p *properties) wrong(name, format string, args ...any) {
	line, ok := p.lines[name]
	if !ok {
		line = p.res.line
	}
	p.problem(line, p.res.id, format, args...)
}

// check returns what is wrong with a value, as the end of a sentence, or "".
func (s property) check(v *value) string {
	switch s.form {
	case textForm:
		return s.checkText(v)
	case integerForm:
		return s.checkInteger(v)
	case decimalForm:
		if _, err := strconv.ParseFloat(v.text, 64); err != nil || !v.isScalar() {
			return "must be a number, not " + v.show()
		}
	case booleanForm:
		if !v.isScalar() || v.text != "true" && v.text != "false" {
			return "must be true or false, not " + v.show()
		}
	case textsForm:
		return checkTexts(v)
	case requiredForm:
		return checkConstraints(v)
	case objectForm, textMapForm:
		if v.kind != object {
			return "must be an object, not " + v.show()
		}
	case listForm:
		if v.kind != list {
			return "must be a list, not " + v.show()
		}
	}
	return ""
}

func (s property) checkInteger(v *value) string {
	n, err := strconv.Atoi(v.text)
	switch {
	case err != nil || !v.isScalar():
		return "must be a whole number, not " + v.show()
	case s.max > 0 && (n < s.min || n > s.max):
		return fmt.Sprintf("must be between %d and %d, not %d", s.min, s.max, n)
	}
	return ""
}

func (s property) checkText(v *value) string {
	if !v.isScalar() {
		return "must be a string, not " + v.show()
	}
	if s.oneOf != nil && !slices.Contains(s.oneOf, v.text) {
		if len(s.oneOf) == 1 {
			return fmt.Sprintf("must be %s, not %q", s.oneOf[0], v.text)
		}
		return fmt.Sprintf("must be one of %s, not %q%s", strings.Join(s.oneOf, ", "), v.text, spelling.Hint(v.text, s.oneOf))
	}
	if n := len([]rune(v.text)); s.max > 0 && (n < s.min || n > s.max) {
		return fmt.Sprintf("must have %d to %d characters, not %d", s.min, s.max, n)
	}
	if s.pattern != nil && !s.pattern.MatchString(v.text) {
		return fmt.Sprintf("must match %s, not %q", s.pattern, v.text)
	}
	return ""
}

func checkTexts(v *value) string {
	if v.kind != list {
		return "must be a list of strings, not " + v.show()
	}
	for _, item := range v.items {
		if !item.isScalar() && item.kind != unknown {
			return "must be a list of strings, but one item is " + item.describe()
		}
	}
	return ""
}

func checkConstraints(v *value) string {
	if v.kind != object {
		return "must be an object, not " + v.show()
	}
	for _, m := range v.members {
		required := m.value.get("Required")
		if m.value.kind != unknown && (!required.isScalar() || len(m.value.members) != 1 || required.text != "true" && required.text != "false") {
			return fmt.Sprintf("must have an object {Required: true or false} for %s", m.key)
		}
	}
	return ""
}

// show returns a scalar as it is written, and for any other value its kind.
func (v *value) show() string {
	if v.isScalar() {
		return strconv.Quote(v.text)
	}
	return v.describe()
}

// has reports whether the property is there, whether its value is known or not.
func (p *properties) has(name string) bool { return p.values[name] != nil }

// isKnown reports whether the property has a value, and that is known.
func (p *properties) isKnown(name string) bool {
	return p.has(name) && p.values[name].kind != unknown
}

func (p *properties) text(name string) string { return textOf(p.values[name]) }

// textOf returns a scalar as a string.
func textOf(v *value) string {
	if !v.isScalar() {
		return ""
	}
	return v.text
}

func (p *properties) integer(name string) int { return integerOf(p.values[name]) }

// integerOf returns a scalar as a whole number, 0 where it is none.
func integerOf(v *value) int {
	n, err := strconv.Atoi(textOf(v))
	if err != nil {
		return 0
	}
	return n
}

func (p *properties) boolean(name string) bool { return p.text(name) == "true" }

// optionalBoolean returns a property that is true or false, nil where it is not
// there.
func (p *properties) optionalBoolean(name string) *bool {
	if !p.has(name) {
		return nil
	}
	return new(p.boolean(name))
}

func (p *properties) texts(name string) []string {
	if !p.isKnown(name) {
		return nil
	}
	var out []string
	for _, item := range p.values[name].items {
		if item.isScalar() {
			out = append(out, item.text)
		}
	}
	return out
}

func (p *properties) textMap(name string) map[string]string { return textMapOf(p.values[name]) }

// textMapOf returns an object of scalars as strings; nil when it is empty.
func textMapOf(v *value) map[string]string {
	if v == nil || len(v.members) == 0 {
		return nil
	}
	out := make(map[string]string, len(v.members))
	for _, m := range v.members {
		if m.value.isScalar() {
			out[m.key] = m.value.text
		}
	}
	return out
}

// nested checks an object inside the properties. path is where it is.
func (p *properties) nested(path string, v *value, schema []property) *properties {
	n := &properties{report: p.report, res: p.res, values: map[string]*value{}, lines: map[string]int{}}
	switch {
	case v == nil || v.kind == unknown:
	case v.kind != object:
		p.problem(v.line, p.res.id, "%s must be an object, not %s", path, v.show())
	default:
		n.object(v, path+".", schema, n.values)
	}
	return n
}
