package eventstream

import (
	"iter"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/mask"
)

// field is a header line or a parameter, as it is shown.
type field struct{ name, value string }

// headerFields are the lines of a header in their order. Those of one name are one.
func headerFields(header iter.Seq2[string, string]) (list []field) {
	for name, value := range header {
		value = mask.Value(name, cut(value))
		if i := slices.IndexFunc(list, func(f field) bool { return strings.EqualFold(f.name, name) }); i >= 0 {
			list[i].value = cut(list[i].value + ", " + value)
			continue
		}
		if list = append(list, field{name, value}); len(list) == maxFields {
			break
		}
	}
	return list
}

// queryFields are parameters, sorted by their names.
func queryFields(query url.Values) (list []field) {
	for _, name := range slices.Sorted(maps.Keys(query)) {
		values := make([]string, 0, len(query[name]))
		for _, value := range query[name] {
			values = append(values, mask.Value(name, cut(value)))
		}
		if list = append(list, field{name, cut(strings.Join(values, ", "))}); len(list) == maxFields {
			break
		}
	}
	return list
}

// cut shortens a text, and says so in it.
func cut(text string) string {
	if len(text) <= maxValue {
		return text
	}
	return string(wholeRunes([]byte(text[:maxValue]))) + "…"
}

// appendFields appends a member with fields, unless there are none.
func appendFields(dst []byte, member string, list []field) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), member...), `":`...)
	separator := byte('{')
	for _, f := range list {
		dst = append(jsonvalue.AppendQuoted(append(dst, separator), cut(f.name)), ':')
		dst = jsonvalue.AppendQuoted(dst, f.value)
		separator = ','
	}
	return append(dst, '}')
}
