package model

import (
	"slices"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// bytesPerStep is how much text is written at the cost of a step.
const bytesPerStep = 64

// appendCanonical writes a value so that values that JSON Schema takes for
// equal, and only those, are written alike: numbers by their value, members of
// objects in any order. A number whose exponent is out of range equals only
// what is written like it.
//
// What that costs is taken from the steps; once they are used up, which leaves
// them negative, what is written means nothing.
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
