package expression

import (
	"strings"

	"github.com/stagedoor/stagedoor/internal/javaregexp"
)

// Default is the key that is selected when no other key matches.
const Default = "$default"

// Matcher finds the key that an expression's value selects. Keys of integration
// responses are exact, /regular expressions/ or $default. It is immutable.
type Matcher struct {
	exact    map[string]int
	patterns []pattern
	fallback int // the place of $default, or -1
}

type pattern struct {
	regexp *javaregexp.Regexp
	place  int
}

// NewMatcher reads keys. The error names the regular expression that is wrong.
func NewMatcher(keys []string) (*Matcher, error) {
	m := &Matcher{exact: make(map[string]int), fallback: -1}
	for i, key := range keys {
		switch {
		case key == Default:
			m.fallback = i
		case IsPattern(key):
			r, err := javaregexp.Compile(key[1:len(key)-1], "")
			if err != nil {
				return nil, err
			}
			m.patterns = append(m.patterns, pattern{regexp: r, place: i})
		default:
			m.exact[key] = i
		}
	}
	return m, nil
}

// IsPattern reports whether a key is a regular expression: /2\d\d/.
func IsPattern(key string) bool {
	return len(key) >= 2 && strings.HasPrefix(key, "/") && strings.HasSuffix(key, "/")
}

// Match returns the place, among the keys given to NewMatcher, of the key that
// a value selects: the exact one, else the first pattern that matches the whole
// value, else $default, else -1. A pattern that takes too long does not match.
func (m *Matcher) Match(value []byte) int {
	if i, ok := m.exact[string(value)]; ok {
		return i
	}
	if len(m.patterns) == 0 {
		return m.fallback
	}
	text := string(value)
	for _, p := range m.patterns {
		if matched, err := p.regexp.Match(text); err == nil && matched {
			return p.place
		}
	}
	return m.fallback
}
