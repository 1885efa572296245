package jsonpath

import (
	"time"

	"github.com/stagedoor/stagedoor/internal/javaregexp"
)

const (
	// maxWork is how many values a single evaluation may look at. A deep scan of
	// the largest message that a client can send needs about a tenth of it.
	maxWork = 1_000_000
	// maxMatching is how long the regular expressions of a budget may match in
	// all: a message may have many texts that each take one long.
	maxMatching = time.Second
)

// Budget is what evaluations may still do. It is used by one goroutine at a time.
type Budget struct {
	work     int // values that may be looked at
	matching time.Duration
}

// NewBudget allows to look at so many values, and to match regular expressions
// for a second.
func NewBudget(values int) *Budget { return &Budget{values, maxMatching} }

// match matches a text, if there is time left for it.
func (b *Budget) match(pattern *javaregexp.Regexp, text string) (bool, error) {
	if b.matching <= 0 {
		return false, javaregexp.ErrTimeout
	}
	began := time.Now()
	matched, err := pattern.Match(text)
	b.matching -= time.Since(began)
	return matched, err
}
