// Package mistake has the type of mistakes in what people write: in templates,
// configurations, and the short form of APIs. A mistake says what is wrong, and
// where.
package mistake

import (
	"fmt"
	"strings"
)

// Mistake is one thing that is wrong.
type Mistake struct {
	File    string // or an environment variable, or a flag
	Line    int    // 1-based; 0 where no line is known
	Where   string // the logical id of a resource, or the path of a key, "log.level"; empty for the whole
	Message string
}

// Error returns the mistake in one line, "file:line: where: message".
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

// List has all mistakes of a file, in their order there. A reader returns it as
// its error only if it is not empty.
type List []Mistake

func (l List) Error() string {
	lines := make([]string, len(l))
	for i, m := range l {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}
