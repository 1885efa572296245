package jsonpath

import (
	"time"

	"github.com/stagedoor/stagedoor/internal/javaregexp"
)

const (
	// maxWork is the largest number of values that a single evaluation may look
	// at. A deep scan of the largest message that a client can send looks at
	// about a tenth of that.
	maxWork = 1_000_000
	// maxMatching is the longest that all regular expressions of a budget may
	// take: a message can have many texts that each take long.
	maxMatching = time.Second
)

// Budget is the work that evaluations may still do. It is used by one goroutine
// at a time.
type Budget struct {
	work     int // values that may be looked at
	matching time.Duration
}

// NewBudget makes a budget for looking at so many values, and for matching
// regular expressions for a second.
func NewBudget(values int) *Budget { return &Budget{values, maxMatching} }

// match matches a text. The error is javaregexp.ErrTimeout if there is no time
// left.
func (b *Budget) match(pattern *javaregexp.Regexp, text string) (bool, error) {
	if b.matching <= 0 {
		return false, javaregexp.ErrTimeout
	}
	began := time.Now()
	matched, err := pattern.Match(text)
	b.matching -= time.Since(began)
	return matched, err
}
