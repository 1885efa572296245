package accesslog

import (
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/spelling"
)

// unknown returns the variables that no event has, as a format writes them, each once.
func unknown(list []piece) []string {
	var names []string
	for _, p := range list {
		if p.name == "" || slices.Contains(names, start+p.name) {
			continue
		}
		if _, known := event.Find(p.name); !known {
			names = append(names, start+p.name)
		}
	}
	return names
}

// Warnings returns what is probably a mistake in a format, in sentences, though API
// Gateway takes it.
func Warnings(format string) []string {
	list := pieces(format)
	language := settle(list)
	var warnings []string
	all := slices.Collect(event.Variables())
	for _, name := range unknown(list) {
		warnings = append(warnings, name+` does not exist: it is printed as "-"`+spelling.Hint(strings.TrimPrefix(name, start), all))
	}
	var unquoted, empty []string
	add := func(to *[]string, name string) {
		if name = start + name; !slices.Contains(*to, name) {
			*to = append(*to, name)
		}
	}
	for _, p := range list {
		if p.place == jsonValue && p.name != "" {
			add(&unquoted, p.name)
		}
		if isEmpty(p.name) {
			add(&empty, p.name)
		}
	}
	if len(unquoted) > 0 {
		warnings = append(warnings, `not in quotes: `+strings.Join(unquoted, ", ")+`: where there is no value "-" is printed, and the line is no JSON`)
	}
	if len(empty) > 0 {
		warnings = append(warnings, `always "-" for WebSocket APIs, as in API Gateway: `+strings.Join(empty, ", "))
	}
	if language != ofJSON && strings.HasPrefix(strings.TrimSpace(format), "{") {
		warnings = append(warnings, "the format begins like JSON, but is none")
	}
	return warnings
}
