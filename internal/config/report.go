package config

import (
	"fmt"
	"slices"

	"github.com/stagedoor/stagedoor/internal/mistake"
)

// maxProblems is how many mistakes of one configuration are reported at most.
const maxProblems = 100

// place is where a value was written.
type place struct {
	source string
	line   int
}

// report collects the mistakes of one configuration.
type report struct {
	problems mistake.List
	places   map[string]place // where a key was written, by its path
}

// problem records a mistake in the value of a key, at the place of that value.
func (r *report) problem(path, format string, args ...any) {
	r.at(r.places[path], path, format, args...)
}

// at records a mistake at a place.
func (r *report) at(where place, path, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, mistake.Mistake{File: where.source, Line: where.line, Where: path, Message: fmt.Sprintf(format, args...)})
	}
}

// err returns the mistakes, those of the file first and in its order; nil where there
// are none.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b mistake.Mistake) int {
		if a.Line == 0 || b.Line == 0 {
			return b.Line - a.Line // the file comes first
		}
		return a.Line - b.Line
	})
	return r.problems
}
