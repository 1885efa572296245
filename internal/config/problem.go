package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a configuration.
type Problem struct {
	Source  string // the file, the variable of the environment, or the flag
	Line    int    // 1-based; 0 for a variable, a flag, and the file as a whole
	Key     string // "log.level"; empty for the file as a whole
	Message string
}

// Error gives the problem in one line, "file:line: key: message".
func (p Problem) Error() string {
	s := p.Source
	if p.Line > 0 {
		s = fmt.Sprintf("%s:%d", s, p.Line)
	}
	if p.Key != "" {
		s += ": " + p.Key
	}
	return s + ": " + p.Message
}

// Problems are all mistakes of a configuration: those of the file in its
// order, then those of the environment and of flags.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds how much is said about one configuration.
const maxProblems = 100

// place is where a value was written.
type place struct {
	source string
	line   int
}

// report collects the problems of one configuration.
type report struct {
	problems Problems
	places   map[string]place // where a key was written, by its path
}

// problem records a mistake in the value of a key that was read.
func (r *report) problem(path, format string, args ...any) {
	r.at(r.places[path], path, format, args...)
}

// at records a mistake at a place.
func (r *report) at(where place, path, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, Problem{where.source, where.line, path, fmt.Sprintf(format, args...)})
	}
}

// err gives the problems, or nil.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		if a.Line == 0 || b.Line == 0 {
			return b.Line - a.Line // the file comes first
		}
		return a.Line - b.Line
	})
	return r.problems
}
