package model

import (
	"slices"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// bytesPerStep is how many bytes of text cost one step.
const bytesPerStep = 64

// appendCanonical appends a canonical form of a value: it is the same for
// values that are equal for JSON Schema, and different for others. Numbers are
// compared by their value, and the order of members does not matter. A number
// whose exponent is out of range equals only one that is written in the same
// way.
//
// The cost is subtracted from steps. When they are used up they are negative,
// and the result must not be used.
func appendCanonical(dst []byte, value any, steps *int) []byte {
	if *steps--; *steps < 0 {
		return dst
	}
	switch value := value.(type) {
	case jsonvalue.Number:
		if d, ok := parseDecimal(value); ok {
			return d.append(dst)
		}
		return append(append(dst, '?'), value...)
	case string:
		*steps -= len(value) / bytesPerStep
	case *jsonvalue.List:
		dst = append(dst, '[')
		for _, item := range value.Items {
			dst = append(appendCanonical(dst, item, steps), ',')
		}
		return append(dst, ']')
	case *jsonvalue.Object:
		dst = append(dst, '{')
		names := value.Keys()
		slices.Sort(names)
		for _, name := range names {
			member, _ := value.Get(name)
			*steps -= len(name) / bytesPerStep
			dst = append(jsonvalue.AppendQuoted(dst, name), ':')
			dst = append(appendCanonical(dst, member, steps), ',')
		}
		return append(dst, '}')
	}
	return jsonvalue.Append(dst, value)
}

func canonical(value any, steps *int) string { return string(appendCanonical(nil, value, steps)) }
