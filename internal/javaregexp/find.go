package javaregexp

import (
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// Finder is a compiled expression that finds matches within texts. It is
// immutable.
type Finder struct {
	linear       *regexp.Regexp
	backtracking *regexp2.Regexp // where linear is nil
}

// CompileFinder compiles an expression.
func CompileFinder(pattern string) (*Finder, error) {
	linear, backtracking, err := compile(pattern, "", "", "")
	if err != nil {
		return nil, err
	}
	return &Finder{linear: linear, backtracking: backtracking}, nil
}

// Groups is the number of groups in the expression.
func (f *Finder) Groups() int {
	if f.linear != nil {
		return f.linear.NumSubexp()
	}
	return len(f.backtracking.GetGroupNumbers()) - 1
}

// Group returns the number of a named group, or -1.
func (f *Finder) Group(name string) int {
	if f.linear != nil {
		return f.linear.SubexpIndex(name)
	}
	return f.backtracking.GroupNumberFromName(name)
}

// FindAll returns the first matches in a text, at most most of them, that do
// not overlap. Each is a list of byte offsets: of the beginning and the end of
// the match, then of those of each group, -1 for a group that did not match.
// The error is ErrTimeout.
func (f *Finder) FindAll(text string, most int) ([][]int, error) {
	if f.linear != nil {
		return f.linear.FindAllStringSubmatchIndex(text, most), nil
	}
	offsets := runeOffsets(text)
	start := time.Now()
	var found [][]int
	match, err := f.backtracking.FindStringMatch(text)
	for ; match != nil && err == nil && len(found) < most; match, err = f.backtracking.FindNextMatch(match) {
		if time.Since(start) > matchTimeout {
			return nil, ErrTimeout
		}
		found = append(found, groups(match, offsets))
	}
	if err != nil {
		return nil, ErrTimeout // the only error of that engine
	}
	return found, nil
}

func groups(match *regexp2.Match, offsets []int) []int {
	var ends []int
	for _, group := range match.Groups() {
		if len(group.Captures) == 0 {
			ends = append(ends, -1, -1)
			continue
		}
		ends = append(ends, offsets[group.Index], offsets[group.Index+group.Length])
	}
	return ends
}

// runeOffsets returns the byte offset of each character of a text, and its
// length.
func runeOffsets(text string) []int {
	offsets := make([]int, 0, utf8.RuneCountInString(text)+1)
	for i := range text {
		offsets = append(offsets, i)
	}
	return append(offsets, len(text))
}
