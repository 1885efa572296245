package model

import (
	"strconv"
	"strings"
	"unicode"
)

// location is a place in a value; nil is the value itself.
type location struct {
	parent  *location
	name    string
	index   int
	isIndex bool
}

// String is the place as a JSON pointer, escaped so that it can be printed in a
// line.
func (l *location) String() string {
	depth := 0
	for at := l; at != nil; at = at.parent {
		depth++
	}
	steps := make([]string, depth)
	for at := l; at != nil; at = at.parent {
		depth--
		steps[depth] = at.step()
	}
	return strings.Join(steps, "")
}

func (l *location) step() string {
	if l.isIndex {
		return "/" + strconv.Itoa(l.index)
	}
	return "/" + escapePointer(printable(l.name))
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func escapePointer(name string) string { return pointerEscapes.Replace(name) }

// printable returns a text with control characters and the like written as Go's
// escapes, for terminals and logs.
func printable(text string) string {
	var out strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			out.WriteRune(r)
			continue
		}
		out.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return out.String()
}
