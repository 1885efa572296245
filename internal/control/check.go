package control

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// messages are AWS's own texts for members that are missing or have a value
// that is not one of the possible ones (sections H.2, I.1).
var messages = map[string]string{
	"protocolType":   "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]",
	"authorizerType": "Invalid authorizer type. Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis.",

	"authorizerPayloadFormatVersion": "AuthorizerPayloadFormatVersion cannot be set for WEBSOCKET protocol Apis.",
	"authorizerResultTtlInSeconds":   "AuthorizerResultTtlInSeconds cannot be set for WEBSOCKET protocol Apis.",
}

// check returns an error unless a structure is within the model's limits:
// required members, lengths, ranges, enumerations, patterns. With emptyRemoves,
// a text may also be empty, whatever its limits.
func (s *structure) check(v reflect.Value, path string, emptyRemoves bool) error {
	for _, m := range s.members {
		field, name := v.Field(m.index), path+m.name
		if field.IsZero() {
			if m.required {
				return m.missing(name)
			}
			continue
		}
		if err := m.check(field, name, emptyRemoves); err != nil {
			return err
		}
	}
	return nil
}

func (m *member) missing(name string) error { return m.refuse("Missing required member: " + name) }

// refuse returns the error for a value: AWS's text where it is known, else
// message.
func (m *member) refuse(message string) error {
	if known := messages[m.name]; known != "" {
		message = known
	}
	return apigw.BadRequest(message)
}

// check checks a value of the member, and the values in it.
func (m *member) check(v reflect.Value, name string, emptyRemoves bool) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return apigw.BadRequest("Invalid value for " + name + ": it must not be null.")
		}
		return m.check(v.Elem(), name, emptyRemoves)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			if err := m.check(v.Index(i), fmt.Sprintf("%s[%d]", name, i), emptyRemoves); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, key := range slices.Sorted(maps.Keys(texts(v))) {
			if err := m.check(v.MapIndex(texts(v)[key]), name+"["+key+"]", emptyRemoves); err != nil {
				return err
			}
		}
	case reflect.Struct:
		if m.inner != nil {
			return m.inner.check(v, name+".", emptyRemoves)
		}
	case reflect.String:
		return m.checkText(v.String(), name, emptyRemoves)
	case reflect.Int:
		return m.checkNumber(int(v.Int()), name)
	}
	return nil
}

// texts returns the keys of a map by their text.
func texts(v reflect.Value) map[string]reflect.Value {
	keys := make(map[string]reflect.Value, v.Len())
	for _, key := range v.MapKeys() {
		keys[key.String()] = key
	}
	return keys
}

func (m *member) checkText(text, name string, emptyRemoves bool) error {
	l := &m.limits
	length := utf8.RuneCountInString(text)
	switch {
	case len(l.enum) > 0:
		if slices.Contains(l.enum, text) {
			return nil
		}
		return m.refuse(fmt.Sprintf("Invalid %s specified. Must be one of [%s]", name, strings.Join(l.enum, ", ")))
	case text == "" && emptyRemoves:
		return nil
	case l.min != nil && length < *l.min || l.max != nil && length > *l.max:
		return m.refuse(fmt.Sprintf("Invalid value for %s: it must have %s.", name, l.rangeOf("characters")))
	case l.pattern != nil && !l.pattern.MatchString(text):
		return m.refuse(fmt.Sprintf("Invalid value for %s: it must match %s.", name, l.pattern))
	}
	return nil
}

func (m *member) checkNumber(n int, name string) error {
	l := &m.limits
	if l.min != nil && n < *l.min || l.max != nil && n > *l.max {
		return m.refuse(fmt.Sprintf("Invalid value for %s: it must be %s.", name, l.rangeOf("")))
	}
	return nil
}

// rangeOf is the range of a value in words.
func (l *limits) rangeOf(unit string) string {
	var words string
	switch {
	case l.min == nil:
		words = fmt.Sprintf("at most %d %s", *l.max, unit)
	case l.max == nil:
		words = fmt.Sprintf("at least %d %s", *l.min, unit)
	default:
		words = fmt.Sprintf("between %d and %d %s", *l.min, *l.max, unit)
	}
	return strings.TrimSpace(words)
}
