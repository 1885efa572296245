// Package jsonpath finds values in JSON documents by JSONPath expressions, with
// the semantics of Jayway JsonPath 2, the library behind API Gateway's
// $input.json, $input.path and selection expressions.
//
// Paths are compiled once, when a deployment is put on a stage, and evaluated
// on the messages of clients. The work of an evaluation is bounded, so that no
// message can make it run for long.
//
// Where Jayway throws an exception because something on the way is missing, and
// where it would apply an index behind a deep scan to every item, this package
// returns the values that it finds. A slice's step is read and ignored, as
// Jayway does.
package jsonpath

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// Limits of a path's text: its bytes, and how deep filters, parentheses and
// arguments may be nested.
const (
	MaxLength = 4096
	maxNested = 32
)

// ErrTooMuchWork means that a path would look at too many values of a document.
var ErrTooMuchWork = errors.New("the JSONPath looks at too many values")

// Path is a compiled expression. It is immutable.
type Path struct {
	source   string
	steps    []step
	definite bool
	plain    bool // whether each step is one name or one index
	slots    int  // of paths in filters that start at the document's root
}

// Compile reads an expression. The leading $ may be left out: a.b is $.a.b.
func Compile(source string) (*Path, error) {
	text := strings.TrimSpace(source)
	switch {
	case text == "":
		return nil, errors.New("the JSONPath is empty")
	case len(text) > MaxLength:
		return nil, fmt.Errorf("the JSONPath is longer than %d bytes", MaxLength)
	case text[0] != '$' && text[0] != '@':
		text = "$." + text
	}
	p := parser{text: text}
	path, err := p.path()
	if err == nil && p.at < len(p.text) {
		err = p.fail("expected . or [")
	}
	if err != nil {
		return nil, fmt.Errorf("JSONPath %q: %w", source, err)
	}
	path.source = source
	path.slots = p.slots
	return path, nil
}

// String is the expression as it was given to Compile.
func (p *Path) String() string {
	return p.source
}

// Definite reports whether the path can only ever lead to one value.
func (p *Path) Definite() bool {
	return p.definite
}

// Evaluate returns the path's value in a document; found is false where there
// is none. For a definite path it is the value itself, which may be nil. For
// any other path it is always a new *jsonvalue.List of all values that the path
// leads to. The error is ErrTooMuchWork, or javaregexp.ErrTimeout.
func (p *Path) Evaluate(document any) (value any, found bool, err error) {
	e := evaluation{document: document, own: Budget{maxWork, maxMatching}}
	e.budget = &e.own
	return e.run(p)
}

// EvaluateWithin is Evaluate for one of several evaluations that share a
// budget.
func (p *Path) EvaluateWithin(document any, budget *Budget) (value any, found bool, err error) {
	e := evaluation{document: document, budget: budget}
	return e.run(p)
}

func (e *evaluation) run(p *Path) (value any, found bool, err error) {
	if p.slots > 0 {
		e.cache = make([]rootValue, p.slots)
	}
	value, found = e.evaluate(p, e.document)
	if e.err != nil {
		return nil, false, e.err
	}
	return value, found, nil
}

// evaluation is the state of one evaluation, that of paths in filters and
// arguments included.
type evaluation struct {
	document any
	results  []any // of the path that is being evaluated
	cache    []rootValue
	budget   *Budget
	own      Budget // the budget of an evaluation that does not share one
	err      error
}

// rootValue is the value of a path in a filter that starts at the document's
// root. It is kept, because it is the same for every node.
type rootValue struct {
	value       any
	found, done bool
}

// evaluate finds the value of a path from a node on.
func (e *evaluation) evaluate(p *Path, node any) (value any, found bool) {
	if p.plain {
		return e.descend(node, p.steps)
	}
	outer := e.results
	e.results = nil
	e.follow(node, p.steps)
	results := e.results
	e.results = outer
	switch {
	case !p.definite:
		return &jsonvalue.List{Items: results}, true
	case len(results) == 0:
		return nil, false
	}
	return results[0], true
}

// descend follows the steps of a plain path, without a list of results.
func (e *evaluation) descend(node any, steps []step) (value any, found bool) {
	e.spend(1 + len(steps))
	for _, s := range steps {
		found := false
		switch s := s.(type) {
		case names:
			if object, ok := node.(*jsonvalue.Object); ok {
				node, found = object.Get(s[0])
			}
		case indexes:
			if list, ok := node.(*jsonvalue.List); ok {
				node, found = itemAt(list, s[0])
			}
		}
		if !found {
			return nil, false
		}
	}
	return node, true
}

// follow follows the steps from a node, and adds the values that they lead to
// to the results.
func (e *evaluation) follow(node any, steps []step) {
	if !e.spend(1) {
		return
	}
	if len(steps) == 0 {
		e.results = append(e.results, node)
		return
	}
	steps[0].apply(e, node, steps[1:])
}

// spend takes from the work that is left, and reports whether there was enough.
func (e *evaluation) spend(n int) bool {
	if e.budget.work -= n; e.budget.work < 0 && e.err == nil {
		e.err = ErrTooMuchWork
	}
	return e.err == nil
}

// Key is one step of a plain path: the name of a member or, when IsIndex is
// set, the place of an item from 0.
type Key struct {
	Name    string
	Index   int
	IsIndex bool
}

// Keys returns the steps of a path of single names and indexes from 0, and
// false for any other path. Such a path can be followed in JSON text, without
// parsing it.
func (p *Path) Keys() ([]Key, bool) {
	if !p.plain {
		return nil, false
	}
	keys := make([]Key, len(p.steps))
	for i, s := range p.steps {
		switch s := s.(type) {
		case names:
			keys[i] = Key{Name: s[0]}
		case indexes:
			if s[0] < 0 {
				return nil, false
			}
			keys[i] = Key{Index: s[0], IsIndex: true}
		}
	}
	return keys, true
}
