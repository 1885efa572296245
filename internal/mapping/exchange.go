package mapping

import (
	"fmt"
	"slices"

	"github.com/stagedoor/stagedoor/internal/jsonpath"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/trace"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// Exchange is one event on its way through its mappings: what the templates
// see of it, and what the request's template leaves behind for the response's.
// It is used by one goroutine at a time.
type Exchange struct {
	// Trace is told what is mapped; nil where nobody watches the event.
	Trace *trace.Trace

	event Context

	input   input
	context contextObject
	util    utility

	stage            *jsonvalue.Object
	authorizer       *jsonvalue.Object
	requestOverride  *jsonvalue.Object
	responseOverride *jsonvalue.Object

	running *template
	paths   *pathCache
	budget  budget
}

// NewExchange begins the mapping of an event.
func NewExchange(e Context) *Exchange {
	x := &Exchange{event: e}
	x.context.begin(x)
	x.util.x = x
	return x
}

// begin binds $input to a body, for one phase.
func (x *Exchange) begin(body []byte, paths *pathCache) {
	x.input = input{x: x, body: body}
	x.paths = paths
	x.budget = budget{memory: maxMemory}
}

// scope is what a template may refer to.
type scope Exchange

func (s *scope) Variable(name string) (any, bool) {
	x := (*Exchange)(s)
	switch name {
	case "input":
		return &x.input, true
	case "context":
		return &x.context, true
	case "stageVariables":
		return x.stageVariables(), true
	case "util":
		return &x.util, true
	}
	return nil, false
}

// Log hands on what the interpreter tells, unless another event was told of
// this line.
func (s *scope) Log(line, column int, message string) {
	if s.running.isNews(line) {
		s.event.Log(s.running.name, line, column, message)
	}
}

// stageVariables is a copy, for a template may change it.
func (x *Exchange) stageVariables() *jsonvalue.Object {
	if x.stage == nil {
		variables := x.event.StageVariables()
		x.stage = jsonvalue.NewObject(len(variables))
		var room [16]string
		names := room[:0]
		for name := range variables {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			x.stage.Set(name, variables[name])
		}
	}
	return x.stage
}

// budget is what our functions may still do for an execution. The interpreter
// sees what they return, not what it took.
type budget struct {
	memory int              // bytes of text
	search *jsonpath.Budget // nil until the first search
}

func (b *budget) made(text string) (any, error) {
	if err := b.charge(len(text)); err != nil {
		return nil, err
	}
	return text, nil
}

func (b *budget) charge(size int) error {
	if b.memory -= size; b.memory < 0 {
		return fmt.Errorf("%w: more than %d bytes of memory", vtl.ErrLimit, maxMemory)
	}
	return nil
}

// evaluate finds a path's value in a document.
func (b *budget) evaluate(path *jsonpath.Path, document any) (value any, found bool, err error) {
	if b.search == nil {
		b.search = jsonpath.NewBudget(maxSearch)
	}
	value, found, err = path.EvaluateWithin(document, b.search)
	if err != nil {
		err = fmt.Errorf("%w: %w", vtl.ErrLimit, err)
	}
	return value, found, err
}
