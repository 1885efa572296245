package mapping

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/jsonpath"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// source is where a parameter's values come from. It gives none when what it
// refers to is missing.
type source interface {
	values(x *Exchange, response *Response) ([]string, error)
}

var parameterName = lazyregexp.New(`^[a-zA-Z0-9._$-]+$`)

func isParameterName(name string) bool { return parameterName.MatchString(name) }

// sourceKind is a kind of source that is written as a prefix and what follows.
type sourceKind struct {
	prefix string
	parse  func(rest string) (source, error)
}

// Kinds of sources, with longer prefixes first where one begins another.
var (
	everywhere = []sourceKind{
		{"context.", parseContextSource},
		{"stageVariables.", parseStageVariable},
	}
	requestSources = append([]sourceKind{
		{"route.request.multivaluequerystring.", handshakeSource(event.QueryString, true)},
		{"route.request.multivalueheader.", handshakeSource(event.Header, true)},
		{"route.request.querystring.", handshakeSource(event.QueryString, false)},
		{"route.request.header.", handshakeSource(event.Header, false)},
		{"route.request.path.", handshakeSource(event.Path, false)},
		{"route.request.body", parseBody},
	}, everywhere...)
	responseSources = append([]sourceKind{
		{"integration.response.multivalueheader.", responseHeaderSource(true)},
		{"integration.response.header.", responseHeaderSource(false)},
		{"integration.response.body", parseBody},
	}, everywhere...)
)

// parseSource reads the source of a parameter.
func parseSource(text string, kinds []sourceKind) (source, error) {
	if strings.HasPrefix(text, "'") {
		if len(text) < 2 || !strings.HasSuffix(text, "'") {
			return nil, fmt.Errorf("%s has no closing quote", text)
		}
		return staticSource(text[1 : len(text)-1]), nil
	}
	for _, kind := range kinds {
		rest, ok := strings.CutPrefix(text, kind.prefix)
		if !ok {
			continue
		}
		s, err := kind.parse(rest)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		return s, nil
	}
	return nil, fmt.Errorf("%q is no source; it must be %s", text, describe(kinds))
}

func describe(kinds []sourceKind) string {
	var forms []string
	for _, kind := range kinds {
		form := kind.prefix + "{name}"
		if !strings.HasSuffix(kind.prefix, ".") {
			form = kind.prefix + ".{JSONPath}"
		}
		forms = append(forms, form)
	}
	return strings.Join(forms, ", ") + " or text in single quotes"
}

func checkName(name string) error {
	if !isParameterName(name) {
		return fmt.Errorf("%q is no name of a parameter: letters, digits, dots, underscores, dollars and dashes", name)
	}
	return nil
}

// staticSource is text in quotes.
type staticSource string

func (s staticSource) values(*Exchange, *Response) ([]string, error) { return []string{string(s)}, nil }

// contextSource is a $context variable, by the steps of its name.
type contextSource []string

func parseContextSource(rest string) (source, error) {
	if err := checkName(rest); err != nil {
		return nil, err
	}
	return contextSource(strings.Split(rest, ".")), nil
}

func (s contextSource) values(x *Exchange, _ *Response) ([]string, error) {
	return oneText(x.contextVariable(s))
}

// stageVariable is a variable of the stage.
type stageVariable string

func parseStageVariable(rest string) (source, error) { return stageVariable(rest), checkName(rest) }

func (s stageVariable) values(x *Exchange, _ *Response) ([]string, error) {
	if value, ok := x.event.StageVariables()[string(s)]; ok {
		return []string{value}, nil
	}
	return nil, nil
}

// handshake is a parameter of the handshake.
type handshake struct {
	location event.Location
	multi    bool
	name     string
}

func handshakeSource(location event.Location, multi bool) func(string) (source, error) {
	return func(name string) (source, error) { return handshake{location, multi, name}, checkName(name) }
}

func (h handshake) values(x *Exchange, _ *Response) ([]string, error) {
	if h.multi {
		return all(x.event, h.location, h.name), nil
	}
	if value, ok := last(x.event, h.location, h.name); ok {
		return []string{value}, nil
	}
	return nil, nil
}

// responseHeader is a header of the integration's response.
type responseHeader struct {
	multi bool
	name  string
}

func responseHeaderSource(multi bool) func(string) (source, error) {
	return func(name string) (source, error) { return responseHeader{multi, name}, checkName(name) }
}

func (h responseHeader) values(_ *Exchange, response *Response) ([]string, error) {
	values := response.Header.Values(h.name)
	if !h.multi && len(values) > 1 {
		values = values[:1]
	}
	return values, nil
}

// wholeBody is the body as text.
type wholeBody struct{}

func (wholeBody) values(x *Exchange, _ *Response) ([]string, error) {
	return []string{string(x.input.body)}, nil
}

// bodyPath is a value in the body.
type bodyPath struct{ path *jsonpath.Path }

func parseBody(rest string) (source, error) {
	if rest == "" {
		return wholeBody{}, nil
	}
	if rest[0] != '.' && rest[0] != '[' {
		return nil, errors.New("a dot or a bracket must follow body")
	}
	path, err := jsonpath.Compile("$" + rest)
	if err != nil {
		return nil, err
	}
	return bodyPath{path}, nil
}

func (b bodyPath) values(x *Exchange, _ *Response) ([]string, error) {
	if !x.input.parse() {
		return nil, nil
	}
	value, _, err := x.budget.evaluate(b.path, x.input.document)
	if err != nil {
		return nil, err
	}
	if isCollection(value) {
		text, err := jsonvalue.AppendWithin(nil, value, maxText)
		return []string{string(text)}, err
	}
	return oneText(value)
}

// oneText is a value as a parameter: none when it is missing.
func oneText(value any) ([]string, error) {
	if value == nil {
		return nil, nil
	}
	text, err := textOf(value)
	return []string{text}, err
}
