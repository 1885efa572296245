package authorizer

import (
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// source is an identity source: the place of a value in the handshake.
type source struct {
	kind sourceKind
	name string
	text string // as it is configured
}

type sourceKind int

const (
	headerSource sourceKind = iota
	querySource
	contextSource
	variableSource
)

// sourceForms are the ways to write a source: a prefix, and behind it the name.
var sourceForms = []struct {
	kind   sourceKind
	prefix string
}{
	{headerSource, "route.request.header."},
	{querySource, "route.request.querystring."},
	{contextSource, "context."},
	{variableSource, "stageVariables."},
}

var sourceName = lazyregexp.New(`^[a-zA-Z0-9._-]+$`)

// parseSource reads one identity source.
func parseSource(text string) (source, error) {
	for _, form := range sourceForms {
		if name, ok := strings.CutPrefix(text, form.prefix); ok && sourceName.MatchString(name) {
			return source{form.kind, name, text}, nil
		}
	}
	return source{}, fmt.Errorf("Invalid request identity source expression: %s. The sources must be separated by comma, and each source must be either "+ //nolint:staticcheck // API Gateway's words
		"a request parameter, matching 'route.request.querystring|header.[a-zA-Z0-9._-]+', or a stage variable, matching 'stageVariables.[a-zA-Z0-9._-]+', "+
		"or a context parameter, matching 'context.[a-zA-Z0-9._-]+'", text)
}

// parseSources reads an authorizer's identity sources. A text may have several, with
// commas between them; empty ones are skipped.
func parseSources(texts []string) ([]source, error) {
	var sources []source
	for _, list := range texts {
		for text := range strings.SplitSeq(list, ",") {
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			s, err := parseSource(text)
			if err != nil {
				return nil, err
			}
			sources = append(sources, s)
		}
	}
	return sources, nil
}

// missing reports whether the handshake has no value at the source, or an empty
// one.
func (s source) missing(e Event) bool {
	switch s.kind {
	case headerSource, querySource:
		return last(s.values(e)) == ""
	case variableSource:
		return e.StageVariables()[s.name] == ""
	}
	if s.name == "eventType" || s.name == "messageDirection" { // these are not set yet
		return true
	}
	value := e.Variable(s.name)
	return value == nil || value == ""
}

// values returns all values of a header or query parameter. The case of a header's
// name does not matter.
func (s source) values(e Event) []string {
	location, same := event.QueryString, func(name string) bool { return name == s.name }
	if s.kind == headerSource {
		location, same = event.Header, func(name string) bool { return strings.EqualFold(name, s.name) }
	}
	var values []string
	for name, value := range e.Parameters(location) {
		if same(name) {
			values = append(values, value)
		}
	}
	return values
}

// last returns the last of several values, which is the one that functions get; ""
// of none.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}
