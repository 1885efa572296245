// Package mistake says what is wrong with something that people write, and where:
// in a template, a configuration, or the short form of APIs.
package mistake

import (
	"fmt"
	"strings"
)

// Mistake is one thing that is wrong.
type Mistake struct {
	File    string // or the variable of the environment, or the flag
	Line    int    // 1-based; 0 where it is not of one line
	Where   string // the logical id of a resource, or the path of a key, "log.level"; empty for the whole
	Message string
}

// Error gives the mistake in one line, "file:line: where: message".
func (m Mistake) Error() string {
	s := m.File
	if m.Line > 0 {
		s = fmt.Sprintf("%s:%d", s, m.Line)
	}
	if m.Where != "" {
		s += ": " + m.Where
	}
	return s + ": " + m.Message
}

// List has all mistakes of what was read, in its order. It is the error of what
// cannot be used, and never empty then.
type List []Mistake

func (l List) Error() string {
	lines := make([]string, len(l))
	for i, m := range l {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}
