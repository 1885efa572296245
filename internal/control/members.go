package control

import (
	"maps"
	"reflect"
)

// as returns the structure To with those members of a request that it has too,
// by name. It makes a create request an update of a new resource, so that what
// holds for members is written once.
func as[To, From any](from *From) *To {
	to := new(To)
	source, target := reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem()
	for i := range source.NumField() {
		field := source.Type().Field(i)
		if same := target.FieldByName(field.Name); same.IsValid() && same.Type() == field.Type {
			same.Set(source.Field(i))
		}
	}
	return to
}

// set changes a member that a request has. Empty is how absent is kept, so an
// empty text removes it.
func set[T any](member *T, value *T) {
	if value != nil {
		*member = *value
	}
}

// replace changes a map that a request has as a whole. An empty one is kept as
// absent.
func replace[V any](member *map[string]V, values map[string]V) {
	switch {
	case values == nil:
	case len(values) == 0:
		*member = nil
	default:
		*member = values
	}
}

// merge adds the entries that a request has to a map; those that are empty are
// removed from it.
func merge(member *map[string]string, entries map[string]string) {
	merged := maps.Clone(*member)
	if merged == nil {
		merged = make(map[string]string)
	}
	maps.Copy(merged, entries)
	maps.DeleteFunc(merged, func(_, value string) bool { return value == "" })
	replace(member, merged)
}

// optional is a text of an answer, absent if it is empty.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
