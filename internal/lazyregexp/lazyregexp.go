// Package lazyregexp has regular expressions that are compiled when they are used
// first. Package variables are of it rather than of regexp, so that a program does not
// compile at its start what it may never use: a bounded repetition such as {1,512}
// alone takes a third of a millisecond.
package lazyregexp

import (
	"regexp"
	"sync"
)

// Regexp is a regular expression. Its methods are safe for concurrent use. The first
// call of one panics where the text is no regular expression; a test of
// internal/architecture compiles all that are in the code.
type Regexp struct {
	text     string
	once     sync.Once
	compiled *regexp.Regexp // written by once
}

// New returns the regular expression of a text.
func New(text string) *Regexp { return &Regexp{text: text} }

// Compiled returns what has all methods of a regular expression.
func (r *Regexp) Compiled() *regexp.Regexp {
	r.once.Do(func() { r.compiled = regexp.MustCompile(r.text) })
	return r.compiled
}

// String returns the text.
func (r *Regexp) String() string { return r.text }

// MatchString is that of regexp.Regexp.
func (r *Regexp) MatchString(s string) bool { return r.Compiled().MatchString(s) }

// FindStringSubmatch is that of regexp.Regexp.
func (r *Regexp) FindStringSubmatch(s string) []string { return r.Compiled().FindStringSubmatch(s) }
