package model

import (
	"fmt"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// Limits for the check of a message. A message of 128 KB has some 65,000 values
// at most.
const (
	maxSteps       = 250_000                // values looked at, once for each schema and comparison
	maxPatternTime = 500 * time.Millisecond // of all regular expressions and formats

	maxViolations = 32 // that are collected
)

// validation is the check of one message.
type validation struct {
	steps       int
	patternTime time.Duration
	stopped     *violation // set when the check was given up; later results do not count

	collects  bool         // go on behind a violation
	collected []*violation // where the check went on
}

// firstViolation returns the first thing in a message that does not fit a
// schema, or nil.
func firstViolation(s *schema, message any) *violation {
	v := validation{steps: maxSteps}
	found := v.check(s, message, nil)
	if v.steps < 0 {
		return v.exhausted()
	}
	if v.stopped != nil {
		return v.stopped
	}
	return found
}

// allViolations returns what in a message does not fit a schema.
func allViolations(s *schema, message any) []*violation {
	v := validation{steps: maxSteps, collects: true}
	if found := v.check(s, message, nil); found != nil && found != v.stopped {
		v.collected = append(v.collected, found)
	}
	if v.steps < 0 {
		v.exhausted()
	}
	if v.stopped != nil {
		v.collected = append(v.collected, v.stopped)
	}
	return v.collected
}

// pass returns a violation that ends the check. It returns nil for one behind which the
// check goes on, which is noted.
func (v *validation) pass(found *violation) *violation {
	if found == nil || !v.collects || v.stopped != nil || len(v.collected) >= maxViolations-1 {
		return found
	}
	v.collected = append(v.collected, found)
	return nil
}

// violation is a part of a message that does not fit.
type violation struct {
	at      *location
	keyword string
	problem string
	cause   *violation
}

// String is the violation in a line, or the beginning of it if it is long.
func (v *violation) String() string {
	var text strings.Builder
	for ; v != nil && text.Len() <= maxReason; v = v.cause {
		if v.at != nil {
			text.WriteString("at " + v.at.String() + ": ")
		}
		text.WriteString(v.keyword + ": " + v.problem)
	}
	return text.String()
}

func wrong(at *location, keyword, format string, args ...any) *violation {
	return &violation{at: at, keyword: keyword, problem: fmt.Sprintf(format, args...)}
}

// stop ends the check: nothing after it is looked at. It returns what was
// found.
func (v *validation) stop(found *violation) *violation {
	if v.stopped == nil {
		v.stopped = found
	}
	return v.stopped
}

func (v *validation) exhausted() *violation {
	return v.stop(wrong(nil, "limit", "the message takes too long to be checked"))
}

// check returns the first thing in a value that does not fit a schema, or nil.
func (v *validation) check(s *schema, value any, at *location) *violation {
	for s.ref != nil {
		s = s.ref
	}
	if v.steps--; v.steps < 0 || v.stopped != nil {
		return v.exhausted()
	}
	if len(s.types) > 0 && !isOf(s.types, value) {
		return wrong(at, "type", "is %s, must be %s", typeOf(value), strings.Join(s.types, " or "))
	}
	if s.enum != nil && !s.enum[canonical(value, &v.steps)] {
		return wrong(at, "enum", "%s is none of the allowed values", show(value))
	}
	if text, is := value.(string); is && s.is != nil {
		if found := v.format(s, text, at); found != nil {
			return found
		}
	}
	var found *violation
	switch value := value.(type) {
	case *jsonvalue.Object:
		found = v.object(s, value, at)
	case *jsonvalue.List:
		found = v.list(s, value, at)
	case string:
		found = v.text(s, value, at)
	case jsonvalue.Number:
		found = number(s, value, at)
	}
	if found != nil {
		return found
	}
	return v.combined(s, value, at)
}

// combined checks the keywords that combine schemas.
func (v *validation) combined(s *schema, value any, at *location) *violation {
	for _, part := range s.allOf {
		if found := v.pass(v.check(part, value, at)); found != nil {
			return found
		}
	}
	if s.not != nil && v.first(s.not, value, at) == nil {
		return wrong(at, "not", "fits the schema that it must not fit")
	}
	if first, fits := v.count(s.anyOf, value, at, 1); len(s.anyOf) > 0 && fits == 0 {
		return none(at, "anyOf", len(s.anyOf), first)
	}
	if len(s.oneOf) == 0 {
		return nil
	}
	switch first, fits := v.count(s.oneOf, value, at, 2); fits {
	case 0:
		return none(at, "oneOf", len(s.oneOf), first)
	case 1:
		return nil
	}
	return wrong(at, "oneOf", "fits more than one of %d schemas", len(s.oneOf))
}

// count returns how many of the schemas fit, and stops at most. first is the
// violation of the first one that does not fit.
func (v *validation) count(schemas []*schema, value any, at *location, most int) (first *violation, fits int) {
	for _, s := range schemas {
		found := v.first(s, value, at)
		switch {
		case found == nil:
			if fits++; fits == most {
				return first, fits
			}
		case first == nil:
			first = found
		}
	}
	return first, fits
}

// first is check, which stops at the first violation.
func (v *validation) first(s *schema, value any, at *location) *violation {
	collects := v.collects
	v.collects = false
	found := v.check(s, value, at)
	v.collects = collects
	return found
}

func none(at *location, keyword string, schemas int, first *violation) *violation {
	found := wrong(at, keyword, "fits none of %d schemas; by the first: ", schemas)
	found.cause = first
	return found
}
