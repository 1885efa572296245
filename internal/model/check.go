package model

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// typeNames are the types of values, in the order of the specification.
var typeNames = []string{"array", "boolean", "integer", "null", "number", "object", "string"}

// checker finds the first mistake in a schema by what draft-04 says about schemas. A
// mistake has no model yet.
type checker struct{ library *library }

func mistake(at *location, format string, args ...any) error {
	return &schemaError{at: at.String(), problem: fmt.Sprintf(format, args...)}
}

// want returns an error for a value that is of another type.
func want(is bool, value any, at *location, name string) error {
	if is {
		return nil
	}
	got := typeOf(value)
	if got == "integer" {
		got = "number"
	}
	return mistake(at, "got %s, want %s", got, name)
}

// schema checks a schema and all within it.
func (c checker) schema(value any, at *location) error {
	object, ok := value.(*jsonvalue.Object)
	if !ok {
		return want(false, value, at, "object")
	}
	for name, value := range object.All() {
		if err := c.keyword(name, value, &location{parent: at, name: name}); err != nil {
			return err
		}
	}
	for _, bound := range []string{"maximum", "minimum"} {
		exclusive := "exclusive" + strings.ToUpper(bound[:1]) + bound[1:]
		if has(object, exclusive) && !has(object, bound) {
			return mistake(at, "properties '%s' required, if '%s' exists", bound, exclusive)
		}
	}
	return nil
}

func has(object *jsonvalue.Object, name string) bool {
	_, there := object.Get(name)
	return there
}

// keyword checks the value of a member of a schema. Members that are no keywords may
// have any.
func (c checker) keyword(name string, value any, at *location) error {
	switch name {
	case "id", "$schema", "title", "description", "format", "$ref":
		_, is := value.(string)
		return want(is, value, at, "string")
	case "exclusiveMaximum", "exclusiveMinimum", "uniqueItems":
		_, is := value.(bool)
		return want(is, value, at, "boolean")
	case "maximum", "minimum", "multipleOf":
		return checkNumber(name, value, at)
	case "maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties":
		return checkCount(value, at)
	case "pattern":
		return c.pattern(value, at)
	case "required":
		return stringArray(value, at)
	case "enum":
		_, err := array(value, at, true)
		return err
	case "type":
		return checkType(value, at)
	case "allOf", "anyOf", "oneOf":
		return c.schemas(value, at)
	case "not":
		return c.schema(value, at)
	case "items":
		if _, is := value.(*jsonvalue.List); is {
			return c.schemas(value, at)
		}
		return c.schema(value, at)
	case "additionalItems", "additionalProperties":
		if _, is := value.(*jsonvalue.Object); is {
			return c.schema(value, at)
		}
		_, is := value.(bool)
		return want(is, value, at, "boolean")
	case "definitions", "properties", "patternProperties", "dependencies":
		return c.members(name, value, at)
	}
	return nil
}

// members checks an object whose members are schemas, or lists of names.
func (c checker) members(keyword string, value any, at *location) error {
	object, ok := value.(*jsonvalue.Object)
	if !ok {
		return want(false, value, at, "object")
	}
	for name, member := range object.All() {
		here := &location{parent: at, name: name}
		check := c.schema
		if _, is := member.(*jsonvalue.List); is && keyword == "dependencies" {
			check = stringArray
		}
		if err := check(member, here); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) schemas(value any, at *location) error {
	list, err := array(value, at, false)
	if err != nil {
		return err
	}
	for i, item := range list.Items {
		if err := c.schema(item, &location{parent: at, index: i, isIndex: true}); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) pattern(value any, at *location) error {
	text, ok := value.(string)
	if !ok {
		return want(false, value, at, "string")
	}
	if _, err := c.library.compilePattern(text); err != nil {
		return mistake(at, "%s is not valid regex: %v", quoted(text), err)
	}
	return nil
}

// quoted returns a text in single quotes, as a line.
func quoted(text string) string {
	text = strconv.Quote(text)
	text = strings.NewReplacer(`\"`, `"`, "'", `\'`).Replace(text[1 : len(text)-1])
	return "'" + text + "'"
}

// array returns a list that is not empty, and whose items differ where they must.
func array(value any, at *location, unique bool) (*jsonvalue.List, error) {
	list, ok := value.(*jsonvalue.List)
	if !ok {
		return nil, want(false, value, at, "array")
	}
	if list.Len() == 0 {
		return nil, mistake(at, "minItems: got 0, want 1")
	}
	seen, unlimited := map[string]int{}, math.MaxInt
	for i, item := range list.Items {
		key := canonical(item, &unlimited)
		if first, twice := seen[key]; twice && unique {
			return nil, mistake(at, "items at %d and %d are equal", first, i)
		}
		seen[key] = i
	}
	return list, nil
}

func stringArray(value any, at *location) error {
	list, err := array(value, at, true)
	if err != nil {
		return err
	}
	for i, item := range list.Items {
		if _, is := item.(string); !is {
			return want(false, item, &location{parent: at, index: i, isIndex: true}, "string")
		}
	}
	return nil
}

func checkType(value any, at *location) error {
	wrong := mistake(at, "value must be one of '%s'", strings.Join(typeNames, "', '"))
	list, ok := value.(*jsonvalue.List)
	if !ok {
		list = jsonvalue.NewList(value)
	}
	if _, err := array(list, at, true); err != nil {
		return wrong
	}
	for _, item := range list.Items {
		if name, is := item.(string); !is || !slices.Contains(typeNames, name) {
			return wrong
		}
	}
	return nil
}

func checkNumber(name string, value any, at *location) error {
	n, ok := value.(jsonvalue.Number)
	if !ok {
		return want(false, value, at, "number")
	}
	if d, _ := parseDecimal(n); name == "multipleOf" && (d.negative || d.digits == "") {
		return mistake(at, "exclusiveMinimum: got %v, want 0", n.Float64())
	}
	return nil
}

// checkCount checks a number that counts something: 3, 3.0 and 3e0 are the same.
func checkCount(value any, at *location) error {
	n, ok := value.(jsonvalue.Number)
	if !ok {
		return want(false, value, at, "integer")
	}
	d, _ := parseDecimal(n)
	switch {
	case d.exponent < len(d.digits):
		return want(false, value, at, "integer")
	case d.negative:
		return mistake(at, "minimum: got %v, want 0", n.Float64())
	}
	return nil
}
