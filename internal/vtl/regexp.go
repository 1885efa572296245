package vtl

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/javaregexp"
)

const (
	// maxSearched is the length of the longest string, in bytes, that a regular
	// expression searches.
	maxSearched = 256 << 10
	// maxMatches is the largest number of matches of one search.
	maxMatches = 100_000
	// maxPatterns is how many compiled expressions a template keeps.
	maxPatterns = 64
)

// pattern is a regular expression, compiled for what it was used for.
type pattern struct {
	find  *javaregexp.Finder
	match *javaregexp.Regexp
}

// patterns keeps the expressions of a template from one execution to the next.
type patterns struct {
	mu     sync.Mutex
	byText map[string]pattern
}

func (p *patterns) get(text string) pattern {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byText[text]
}

func (p *patterns) put(text string, compiled pattern) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byText == nil || len(p.byText) >= maxPatterns {
		p.byText = make(map[string]pattern)
	}
	p.byText[text] = compiled
}

// isLiteral reports whether a regular expression matches itself only.
func isLiteral(expression string) bool {
	return !strings.ContainsAny(expression, `\^$.|?*+()[]{}`)
}

// search runs do, which searches a string with a regular expression, and counts
// its time. The error is do's, or that of a limit.
func (r *run) search(s, expression string, do func() error) error {
	if len(s) > maxSearched {
		return limitError("a search in a string longer than %d bytes", maxSearched)
	}
	if err := r.charge(len(expression)); err != nil {
		return err
	}
	start := time.Now()
	err := do()
	if r.regexpTime += time.Since(start); r.regexpTime > r.limits.RegexpTime || errors.Is(err, javaregexp.ErrTimeout) {
		return limitError("regular expressions searched for more than %v", r.limits.RegexpTime)
	}
	return err
}

// matches is Java's matches: it is true if the whole string matches.
func (r *run) matches(s, expression string) (any, error) {
	if isLiteral(expression) {
		return s == expression, nil
	}
	var matched bool
	err := r.search(s, expression, func() (err error) {
		p := r.template.patterns.get(expression)
		if p.match == nil {
			if p.match, err = javaregexp.Compile(expression, ""); err != nil {
				return err
			}
			r.template.patterns.put(expression, p)
		}
		matched, err = p.match.Match(s)
		return err
	})
	return matched, err
}

// find returns the first matches in a string, and the expression.
func (r *run) find(s, expression string, most int) (found [][]int, finder *javaregexp.Finder, err error) {
	err = r.search(s, expression, func() (err error) {
		p := r.template.patterns.get(expression)
		if p.find == nil {
			if p.find, err = javaregexp.CompileFinder(expression); err != nil {
				return err
			}
			r.template.patterns.put(expression, p)
		}
		finder = p.find
		found, err = finder.FindAll(s, most)
		return err
	})
	if err == nil {
		err = r.charge(bytesPerItem * len(found))
	}
	return found, finder, err
}

// replaceMatches is Java's replaceAll and replaceFirst.
func (r *run) replaceMatches(s, expression, replacement string, most int) (any, error) {
	if isLiteral(expression) && !strings.ContainsAny(replacement, `\$`) {
		if most == 1 {
			if err := r.charge(len(s) + len(replacement)); err != nil {
				return nil, err
			}
			return strings.Replace(s, expression, replacement, 1), nil
		}
		return r.replace(s, expression, replacement)
	}
	found, finder, err := r.find(s, expression, most)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return r.stringValue(s), nil
	}
	parts, err := parseReplacement(replacement, finder)
	if err != nil {
		return nil, err
	}
	return textValue(r.capture(func() error {
		end := 0
		for _, match := range found {
			if err := r.write(s[end:match[0]]); err != nil {
				return err
			}
			end = match[1]
			if err := r.writeReplacement(s, match, parts); err != nil {
				return err
			}
		}
		return r.write(s[end:])
	}))
}

func (r *run) writeReplacement(s string, match []int, parts []replacementPart) error {
	for _, part := range parts {
		t := part.text
		if part.group >= 0 {
			if match[2*part.group] < 0 {
				continue
			}
			t = s[match[2*part.group]:match[2*part.group+1]]
		}
		if err := r.write(t); err != nil {
			return err
		}
	}
	return nil
}

// replacementPart is text or, when group is not negative, what a group matched.
type replacementPart struct {
	text  string
	group int
}

// parseReplacement reads $1, ${name} and \x in what replaces a match.
func parseReplacement(s string, finder *javaregexp.Finder) ([]replacementPart, error) {
	var parts []replacementPart
	for s != "" {
		i := strings.IndexAny(s, `\$`)
		if i < 0 {
			i = len(s)
		}
		if i > 0 {
			parts = append(parts, replacementPart{text: s[:i], group: -1})
			s = s[i:]
			continue
		}
		if s[0] == '\\' {
			if len(s) == 1 {
				return nil, errors.New("the replacement ends in a backslash")
			}
			parts = append(parts, replacementPart{text: s[1:2], group: -1})
			s = s[2:]
			continue
		}
		group, rest, err := parseGroup(s[1:], finder)
		if err != nil {
			return nil, err
		}
		parts = append(parts, replacementPart{group: group})
		s = rest
	}
	return parts, nil
}

// parseGroup reads the number or the name of a group. It takes as many digits
// as make the number of a group that exists.
func parseGroup(s string, finder *javaregexp.Finder) (group int, rest string, err error) {
	if name, after, ok := strings.Cut(s, "}"); ok && strings.HasPrefix(name, "{") {
		group = finder.Group(name[1:])
		if group < 0 {
			return 0, "", errors.New("the replacement names a group that the regular expression does not have")
		}
		return group, after, nil
	}
	if s == "" || !isDigit(s[0]) {
		return 0, "", errors.New("the replacement has a $ that no group follows")
	}
	group, s = int(s[0]-'0'), s[1:]
	for s != "" && isDigit(s[0]) {
		longer := 10*group + int(s[0]-'0')
		if longer > finder.Groups() {
			break
		}
		group, s = longer, s[1:]
	}
	if group > finder.Groups() {
		return 0, "", errors.New("the replacement has no group " + strconv.Itoa(group))
	}
	return group, s, nil
}

// split is Java's split: without a limit, empty strings at the end are dropped.
func (r *run) split(s, expression string, limit int64) (any, error) {
	most := maxMatches
	if limit > 0 {
		most = int(min(limit-1, maxMatches))
	}
	var pieces []any
	if most > 0 {
		var err error
		if pieces, s, err = r.splitAll(s, expression, most); err != nil {
			return nil, err
		}
	}
	pieces = append(pieces, s)
	if limit == 0 {
		for len(pieces) > 1 && pieces[len(pieces)-1] == "" {
			pieces = pieces[:len(pieces)-1]
		}
	}
	if err := r.charge(bytesPerItem * len(pieces)); err != nil {
		return nil, err
	}
	return newArrayList(pieces), nil
}

// splitAll returns the texts before each match, and the rest after the last. An
// empty match at the beginning does not count.
func (r *run) splitAll(s, expression string, most int) (pieces []any, rest string, err error) {
	if isLiteral(expression) && expression != "" {
		if err := r.charge(bytesPerItem * min(most, strings.Count(s, expression))); err != nil {
			return nil, "", err
		}
		for range most {
			before, after, found := strings.Cut(s, expression)
			if !found {
				break
			}
			pieces, s = append(pieces, before), after
		}
		return pieces, s, nil
	}
	found, _, err := r.find(s, expression, most+1)
	if err != nil {
		return nil, "", err
	}
	end := 0
	for _, match := range found {
		if match[1] == 0 || len(pieces) == most || match[0] == match[1] && match[1] == len(s) {
			continue
		}
		pieces = append(pieces, s[end:match[0]])
		end = match[1]
	}
	return pieces, s[end:], nil
}
