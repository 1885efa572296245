package model

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

func (v *validation) text(s *schema, text string, at *location) *violation {
	if s.minLength != nil || s.maxLength != nil {
		if found := size(at, "Length", "characters", utf8.RuneCountInString(text), s.minLength, s.maxLength); found != nil {
			return found
		}
	}
	if s.pattern == nil {
		return nil
	}
	matches, found := v.find(s.pattern, text, at, "pattern")
	if found == nil && !matches {
		return wrong(at, "pattern", "%s does not match %s", show(text), show(s.pattern.source))
	}
	return found
}

// maxExpression is the length, in bytes, of the longest regular expression that
// a message may have where the format is "regex".
const maxExpression = 1024

func (v *validation) format(s *schema, text string, at *location) *violation {
	start := time.Now()
	if s.format == "regex" && len(text) > maxExpression {
		return wrong(at, "format", "the regular expression has more than %d bytes", maxExpression)
	}
	is := s.is(text)
	if found := v.spend(start, at, "format", s.format); found != nil {
		return found
	}
	if !is {
		return wrong(at, "format", "%s is not a valid %s", show(text), s.format)
	}
	return nil
}

// find reports whether a pattern matches in a text; the violation is set if
// that takes too long.
func (v *validation) find(p *pattern, text string, at *location, keyword string) (bool, *violation) {
	start := time.Now()
	found, err := p.find(text)
	if err != nil {
		return false, v.stop(slow(at, keyword, p.source))
	}
	return found, v.spend(start, at, keyword, p.source)
}

// spend counts the time of patterns and formats since start, and returns a
// violation when a message has used too much.
func (v *validation) spend(start time.Time, at *location, keyword, what string) *violation {
	if v.patternTime += time.Since(start); v.patternTime > maxPatternTime {
		return v.stop(slow(at, keyword, what))
	}
	return nil
}

func slow(at *location, keyword, what string) *violation {
	return wrong(at, keyword, "%s took too long to be checked", show(what))
}

// size checks a count against its keywords, min… and max….
func size(at *location, keyword, things string, n int, least, most *int) *violation {
	switch {
	case least != nil && n < *least:
		return wrong(at, "min"+keyword, "%d %s, must be at least %d", n, things, *least)
	case most != nil && n > *most:
		return wrong(at, "max"+keyword, "%d %s, must be at most %d", n, things, *most)
	}
	return nil
}

func number(s *schema, n jsonvalue.Number, at *location) *violation {
	if s.minimum == nil && s.exclusiveMinimum == nil && s.maximum == nil && s.exclusiveMaximum == nil && s.multipleOf == nil {
		return nil
	}
	d, ok := parseDecimal(n)
	switch {
	case !ok:
		return wrong(at, "limit", "the exponent of %s is out of range", show(n))
	case s.minimum != nil && d.compare(*s.minimum) < 0:
		return wrong(at, "minimum", "%s is less than allowed", show(n))
	case s.exclusiveMinimum != nil && d.compare(*s.exclusiveMinimum) <= 0:
		return wrong(at, "exclusiveMinimum", "%s is not more than the minimum", show(n))
	case s.maximum != nil && d.compare(*s.maximum) > 0:
		return wrong(at, "maximum", "%s is more than allowed", show(n))
	case s.exclusiveMaximum != nil && d.compare(*s.exclusiveMaximum) >= 0:
		return wrong(at, "exclusiveMaximum", "%s is not less than the maximum", show(n))
	case s.multipleOf != nil && !d.isMultipleOf(*s.multipleOf):
		return wrong(at, "multipleOf", "%s is no multiple of what is asked for", show(n))
	}
	return nil
}

// typeOf returns the narrowest type of a value. An integer is a number that is
// written without fraction and exponent, as in draft-04.
func typeOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case *jsonvalue.List:
		return "array"
	case *jsonvalue.Object:
		return "object"
	case jsonvalue.Number:
		if value.IsInteger() {
			return "integer"
		}
	}
	return "number"
}

func isOf(types []string, value any) bool {
	is := typeOf(value)
	return slices.Contains(types, is) || is == "integer" && slices.Contains(types, "number")
}

// maxShown is how many bytes of a value errors show.
const maxShown = 80

// show returns a value as a line, shortened if it is long.
func show(value any) string {
	switch value := value.(type) {
	case string:
		return printable(string(jsonvalue.AppendQuoted(nil, cut(value, maxShown))))
	case jsonvalue.Number:
		return cut(value.String(), maxShown)
	case bool, nil:
		return string(jsonvalue.Append(nil, value))
	}
	return "the " + typeOf(value)
}
