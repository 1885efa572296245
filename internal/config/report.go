package config

import (
	"fmt"
	"slices"

	"github.com/stagedoor/stagedoor/internal/mistake"
)

// maxProblems bounds how much is said about one configuration.
const maxProblems = 100

// place is where a value was written.
type place struct {
	source string
	line   int
}

// report collects the problems of one configuration.
type report struct {
	problems mistake.List
	places   map[string]place // where a key was written, by its path
}

// problem records a mistake in the value of a key that was read.
func (r *report) problem(path, format string, args ...any) {
	r.at(r.places[path], path, format, args...)
}

// at records a mistake at a place.
func (r *report) at(where place, path, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, mistake.Mistake{File: where.source, Line: where.line, Where: path, Message: fmt.Sprintf(format, args...)})
	}
}

// err gives the problems, or nil.
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
