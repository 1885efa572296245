package control

import (
	"maps"
	"reflect"
)

// as returns a structure To with those members of a request that both have, by
// name. It turns a create request into an update of a new resource, so that the
// rules for members are written once.
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

// set changes a member if the request has a value for it. The empty value
// stands for an absent member, so an empty text removes it.
func set[T any](member *T, value *T) {
	if value != nil {
		*member = *value
	}
}

// replace replaces a whole map if the request has one. An empty map stands for
// an absent one.
func replace[V any](member *map[string]V, values map[string]V) {
	switch {
	case values == nil:
	case len(values) == 0:
		*member = nil
	default:
		*member = values
	}
}

// merge adds the entries of a request to a map. Those with an empty value are
// removed from the map.
func merge(member *map[string]string, entries map[string]string) {
	merged := maps.Clone(*member)
	if merged == nil {
		merged = make(map[string]string)
	}
	maps.Copy(merged, entries)
	maps.DeleteFunc(merged, func(_, value string) bool { return value == "" })
	replace(member, merged)
}

// optional returns a text as a member of an answer: nil, so that it is left
// out, if it is empty.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
