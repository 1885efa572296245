// Package setting reads single values that people write: durations and whole
// numbers within bounds, URLs, addresses. Its errors say what would be right. The
// configuration, the short form of APIs and flags are read with it.
package setting

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

var number = lazyregexp.New(`^\d+(\.\d+)?$`)

// Duration reads a number with a unit, such as 500ms, 30s or 1h30m. The error
// says what is wrong if it is not one, or not between least and most.
func Duration(text string, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil && number.MatchString(text):
		return 0, fmt.Errorf("%s has no unit; write %ss for seconds", text, text)
	case err != nil:
		return 0, fmt.Errorf("%q is not a duration such as 500ms, 30s or 1h30m", text)
	case d < least || d > most:
		return 0, fmt.Errorf("%s is not between %s and %s", text, short(least), short(most))
	}
	return d, nil
}

// Integer reads a whole number. The error says what is wrong if it is not one,
// or not between least and most.
func Integer(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q is not a whole number between %d and %d", text, least, most)
	}
	return n, nil
}

// short is a duration's text without the units that are zero: 10m, not 10m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
