// Package javaregexp matches texts with regular expressions written for Java's
// java.util.regex, as they stand in JSONPath filters, in the keys of
// integration responses and in mapping templates.
//
// Expressions that Go's regexp package can express run there, in linear time,
// because texts come from clients. Look-around, back references and atomic
// groups need a backtracking engine, which has a time limit. Possessive
// quantifiers and intersections of character classes are refused.
package javaregexp

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// matchTimeout is the longest that the backtracking engine may take for one
// text. It is measured in wall time, so it leaves room for a busy machine.
const matchTimeout = time.Second

// ErrTimeout means that the backtracking engine took too long for a text.
var ErrTimeout = errors.New("the regular expression took too long")

// Regexp is a compiled expression. It is immutable.
type Regexp struct {
	linear       *regexp.Regexp
	backtracking *regexp2.Regexp // where linear is nil
}

// Compile compiles an expression. Flags are the letters that Java has within
// (?…): i, m and s have an effect, u, U and d are accepted.
func Compile(pattern, flags string) (*Regexp, error) {
	for _, flag := range flags {
		if !strings.ContainsRune("imsuUd", flag) {
			return nil, fmt.Errorf("regular expression /%s/%s: unknown flag %c", pattern, flags, flag)
		}
	}
	linear, backtracking, err := compile(pattern, flags, `\A`, `\z`)
	if err != nil {
		return nil, err
	}
	return &Regexp{linear: linear, backtracking: backtracking}, nil
}

// compile compiles before + pattern + after for one of the engines. The result
// for the other is nil.
func compile(pattern, flags, before, after string) (*regexp.Regexp, *regexp2.Regexp, error) {
	if strings.Contains(pattern, "&&") && strings.Contains(pattern, "[") {
		return nil, nil, fmt.Errorf("regular expression /%s/: intersections of classes are not supported", pattern)
	}
	if linear, err := compileLinear(pattern, flags, before, after); err == nil {
		return linear, nil, nil
	}
	var options regexp2.RegexOptions
	for flag, option := range map[string]regexp2.RegexOptions{"i": regexp2.IgnoreCase, "m": regexp2.Multiline, "s": regexp2.Singleline} {
		if strings.Contains(flags, flag) {
			options |= option
		}
	}
	backtracking, err := regexp2.Compile(before+`(?:`+pattern+`)`+after, options)
	if err != nil {
		return nil, nil, fmt.Errorf("regular expression /%s/: %w", pattern, err)
	}
	backtracking.MatchTimeout = matchTimeout
	return nil, backtracking, nil
}

func compileLinear(pattern, flags, before, after string) (*regexp.Regexp, error) {
	var options syntax.Flags
	for flag, option := range map[string]syntax.Flags{"i": syntax.FoldCase, "s": syntax.DotNL} {
		if strings.Contains(flags, flag) {
			options |= option
		}
	}
	if strings.Contains(flags, "m") {
		options &^= syntax.OneLine
	} else {
		options |= syntax.OneLine
	}
	tree, err := syntax.Parse(pattern, syntax.PerlX|syntax.UnicodeGroups|options)
	if err != nil {
		return nil, err
	}
	endLinesAsJava(tree)
	return regexp.Compile(before + `(?:` + tree.String() + `)` + after)
}

// endLinesAsJava makes dots match no character that ends a line in Java.
func endLinesAsJava(tree *syntax.Regexp) {
	if tree.Op == syntax.OpAnyCharNotNL {
		tree.Op = syntax.OpCharClass
		tree.Rune = []rune{0, '\n' - 1, '\n' + 1, '\r' - 1, '\r' + 1, '\u0084', '\u0086', '\u2027', '\u202a', '\U0010ffff'}
	}
	for _, part := range tree.Sub {
		endLinesAsJava(part)
	}
}

// Match reports whether the expression matches a whole text, as Java's
// Matcher.matches does. The error is ErrTimeout.
func (r *Regexp) Match(text string) (bool, error) {
	if r.linear != nil {
		return r.linear.MatchString(text), nil
	}
	matched, err := r.backtracking.MatchString(text)
	if err != nil {
		return false, ErrTimeout // the only error of that engine
	}
	return matched, nil
}
