package expression

import (
	"errors"
	"fmt"
	"strings"
)

// Doubts says of the forms in the expression that are accepted although they
// select nothing here, each in one sentence. What API Gateway makes of them is
// not known.
func (e *Expression) Doubts() []string { return e.doubts }

// checkEnd looks at what follows a path that is written without braces: a part
// of a path that was not finished is refused, and text that may have been meant
// as a part of it is a doubt.
func (p *parser) checkEnd(name string) error {
	switch last := p.parts[len(p.parts)-1]; {
	case last.variable != requestBody && last.variable != responseBody, p.rest == "":
		return nil
	case p.rest[0] == '[':
		return fmt.Errorf("$%s[ has no ] behind it", name)
	case p.rest == ".", strings.HasPrefix(p.rest, ".."), strings.HasPrefix(p.rest, ".["):
		return errors.New("a path must not end with a dot")
	case strings.IndexByte("-.@*", p.rest[0]) >= 0:
		text, _, _ := strings.Cut(p.rest, "$")
		p.doubts = append(p.doubts, fmt.Sprintf(
			"$%s%s means the value of $%s with the text %q behind it, which probably matches nothing; braces say what is meant: ${%s}%s, or ${%s%s}",
			name, text, name, text, name, text, name, text))
	}
	return nil
}

// doubtList is for paths that may lead to several values.
func (p *parser) doubtList(name string, part part) {
	if part.path != nil && !part.path.Definite() {
		p.doubts = append(p.doubts, fmt.Sprintf(
			"$%s gives a list of all that it finds, such as [a, b], which matches nothing; a path to one value does", name))
	}
}
