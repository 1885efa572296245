package expression

import (
	"errors"
	"fmt"
	"strings"
)

// Doubts returns a sentence for each form in the expression that is accepted
// although it selects nothing here. How API Gateway evaluates these is not
// known.
func (e *Expression) Doubts() []string { return e.doubts }

// checkEnd checks the text behind a path that is written without braces. It
// returns an error for an unfinished part of a path, and notes a doubt about
// text that may have been meant as a part of it.
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

// doubtList notes a doubt about a path that may lead to several values.
func (p *parser) doubtList(name string, part part) {
	if part.path != nil && !part.path.Definite() {
		p.doubts = append(p.doubts, fmt.Sprintf(
			"$%s gives a list of all that it finds, such as [a, b], which matches nothing; a path to one value does", name))
	}
}
