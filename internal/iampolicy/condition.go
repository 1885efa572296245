package iampolicy

import "strings"

// quantifier is how several values of a key are combined.
type quantifier int

const (
	single quantifier = iota
	forAnyValue
	forAllValues
)

// condition is one key under one operator.
type condition struct {
	key        string // in lower case
	quantifier quantifier
	ifExists   bool
	null       bool // the operator is Null
	negated    bool // the operator is a Not…
	tests      []test
}

// test compares a value of the request with a value of the document.
type test interface {
	test(e *evaluation, value string) match
}

// holds reports whether the condition holds. The values of the document are
// alternatives; with a negated operator none of them may match. If a comparison
// can't be made, a statement that allows doesn't apply, and one that denies
// does.
func (c *condition) holds(e *evaluation, effect Effect) bool {
	values := e.values(c.key)
	if c.null {
		want := "false"
		if len(values) == 0 {
			want = "true"
		}
		return c.matchesOne(e, want) == matched
	}
	if len(values) == 0 {
		return c.ifExists || c.quantifier == forAllValues || c.negated && c.quantifier == single
	}
	count := 0
	for _, value := range values {
		outcome := unusable
		if len(value) <= MaxSubject {
			outcome = c.matchesOne(e, value)
		}
		switch {
		case outcome == unusable, outcome == noValue && c.negated:
			return effect == ExplicitDeny
		case (outcome == matched) != c.negated:
			count++
		}
	}
	if c.quantifier == forAllValues || c.quantifier == single && c.negated {
		return count == len(values)
	}
	return count > 0
}

// matchesOne compares a value with all values of the document.
func (c *condition) matchesOne(e *evaluation, value string) match {
	outcome := different
	for _, test := range c.tests {
		switch m := test.test(e, value); m {
		case matched, unusable:
			return m
		case noValue:
			outcome = noValue
		case different:
		}
	}
	return outcome
}

// operator is a condition operator without prefix and suffix.
type operator struct {
	negated bool
	null    bool
	compile func(x syntax, value string) (test, error)
}

// operators by name. ArnEquals and ArnLike are the same, as with AWS.
var operators = map[string]operator{
	"StringEquals":              {compile: compileEquals},
	"StringNotEquals":           {compile: compileEquals, negated: true},
	"StringEqualsIgnoreCase":    {compile: compileEqualsIgnoreCase},
	"StringNotEqualsIgnoreCase": {compile: compileEqualsIgnoreCase, negated: true},
	"StringLike":                {compile: compileLike},
	"StringNotLike":             {compile: compileLike, negated: true},

	"NumericEquals":            {compile: compileNumber(equal)},
	"NumericNotEquals":         {compile: compileNumber(equal), negated: true},
	"NumericLessThan":          {compile: compileNumber(less)},
	"NumericLessThanEquals":    {compile: compileNumber(less | equal)},
	"NumericGreaterThan":       {compile: compileNumber(greater)},
	"NumericGreaterThanEquals": {compile: compileNumber(greater | equal)},

	"DateEquals":            {compile: compileDate(equal)},
	"DateNotEquals":         {compile: compileDate(equal), negated: true},
	"DateLessThan":          {compile: compileDate(less)},
	"DateLessThanEquals":    {compile: compileDate(less | equal)},
	"DateGreaterThan":       {compile: compileDate(greater)},
	"DateGreaterThanEquals": {compile: compileDate(greater | equal)},

	"Bool":         {compile: compileBool},
	"BinaryEquals": {compile: compileBinary},
	"IpAddress":    {compile: compileAddress},
	"NotIpAddress": {compile: compileAddress, negated: true},
	"ArnEquals":    {compile: compileARN},
	"ArnLike":      {compile: compileARN},
	"ArnNotEquals": {compile: compileARN, negated: true},
	"ArnNotLike":   {compile: compileARN, negated: true},
	"Null":         {compile: compileBool, null: true},
}

// newCondition makes a condition without its tests from an operator's full
// name.
func newCondition(name, key string) (condition, operator, error) {
	c := condition{key: strings.ToLower(key)}
	plain := name
	if rest, ok := strings.CutPrefix(plain, "ForAnyValue:"); ok {
		c.quantifier, plain = forAnyValue, rest
	} else if rest, ok := strings.CutPrefix(plain, "ForAllValues:"); ok {
		c.quantifier, plain = forAllValues, rest
	}
	plain, c.ifExists = strings.CutSuffix(plain, "IfExists")
	o, known := operators[plain]
	if !known || o.null && plain != name {
		return condition{}, operator{}, mistake("there is no condition operator %s", quote(name))
	}
	if !validKey(key) {
		return condition{}, operator{}, mistake("%s is not a condition key", quote(key))
	}
	c.null, c.negated = o.null, o.negated
	return c, o, nil
}
