package model

import (
	"github.com/stagedoor/stagedoor/internal/javaregexp"
)

// pattern is a regular expression of a schema. It may match anywhere in a text.
type pattern struct {
	source string
	finder *javaregexp.Finder
}

func compilePattern(source string) (*pattern, error) {
	finder, err := javaregexp.CompileFinder(source)
	if err != nil {
		return nil, err
	}
	return &pattern{source, finder}, nil
}

// find reports whether the pattern is found in a text. The error is
// javaregexp.ErrTimeout.
func (p *pattern) find(text string) (bool, error) {
	found, err := p.finder.FindAll(text, 1)
	return len(found) > 0, err
}
