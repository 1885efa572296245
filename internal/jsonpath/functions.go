package jsonpath

import (
	"errors"
	"fmt"
	"math"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// call is a function at the end of a path or within it: .length(), .sum($..n).
// An argument that begins with @ is a path from the node that it is called on.
type call struct {
	function  function
	arguments []operand
	counts    bool // whether the function is about members, not their values
}

// function computes a value from the node that it is called on and from its
// arguments, those without a value left out. It returns false where Jayway
// throws an exception, and where the evaluation has failed.
type function func(e *evaluation, node any, arguments []any) (any, bool)

var functions = map[string]function{
	"length": length,
	"size":   length,
	"keys":   keys,
	"min":    aggregate(func(s *series) float64 { return s.min }),
	"max":    aggregate(func(s *series) float64 { return s.max }),
	"sum":    aggregate(func(s *series) float64 { return s.sum }),
	"avg":    aggregate(func(s *series) float64 { return s.sum / s.count }),
	"stddev": aggregate((*series).deviation),
	"concat": concat,
	"append": appendItems,
	"first":  func(e *evaluation, node any, _ []any) (any, bool) { return index(e, node, []any{jsonvalue.Int(0)}) },
	"last":   func(e *evaluation, node any, _ []any) (any, bool) { return index(e, node, []any{jsonvalue.Int(-1)}) },
	"index":  index,
}

func newCall(name string, arguments []operand) (call, error) {
	f, ok := functions[name]
	if !ok {
		return call{}, fmt.Errorf("there is no function %s()", name)
	}
	return call{function: f, arguments: arguments, counts: name == "length" || name == "size"}, nil
}

func (call) definite(bool) bool { return true }

func (s call) apply(e *evaluation, node any, rest []step) {
	arguments := make([]any, 0, len(s.arguments))
	for _, argument := range s.arguments {
		if value, ok := argument.value(e, node); ok {
			arguments = append(arguments, value)
			e.spend(lengthOf(value))
		}
	}
	if !e.spend(lengthOf(node)) {
		return
	}
	result, ok := s.function(e, node, arguments)
	text, _ := result.(string)
	if ok && e.spend(lengthOf(result)+textWork(text)) {
		e.follow(result, rest)
	}
}

// invert turns $..path.function() into $.function($..path), as Jayway does: the
// function gets the list of all values that the scan finds. The length of a
// scan is the number of the values one level below; other functions need a step
// behind the dots.
func invert(steps []step) ([]step, error) {
	if len(steps) == 0 {
		return steps, nil
	}
	if _, ok := steps[0].(scan); !ok {
		return steps, nil
	}
	for i, s := range steps {
		f, ok := s.(call)
		if !ok {
			continue
		}
		scanned := append([]step(nil), steps[:i]...)
		switch {
		case f.counts:
			scanned = append(scanned, wildcard{})
		case i == 1:
			return nil, errors.New("a deep scan needs a name, a bracket or a wildcard in front of a function")
		}
		f.arguments = []operand{{path: newPath(scanned), slot: -1}}
		return append([]step{f}, steps[i+1:]...), nil
	}
	return steps, nil
}

func lengthOf(node any) int {
	switch node := node.(type) {
	case *jsonvalue.List:
		return node.Len()
	case *jsonvalue.Object:
		return node.Len()
	}
	return 0
}

func length(_ *evaluation, node any, arguments []any) (any, bool) {
	if len(arguments) > 0 {
		if list, ok := arguments[0].(*jsonvalue.List); ok {
			node = list
		}
	}
	if !isContainer(node) {
		return nil, true
	}
	return jsonvalue.Int(int64(lengthOf(node))), true
}

func keys(_ *evaluation, node any, _ []any) (any, bool) {
	object, ok := node.(*jsonvalue.Object)
	if !ok {
		return nil, true
	}
	list := &jsonvalue.List{Items: make([]any, 0, object.Len())}
	for name := range object.All() {
		list.Add(name)
	}
	return list, true
}

// series has the sums of the numbers that were added.
type series struct {
	count, sum, squares, min, max float64
}

func (s *series) add(value any) {
	n, ok := value.(jsonvalue.Number)
	if !ok {
		return
	}
	f := n.Float64()
	if s.count == 0 {
		s.min, s.max = f, f
	}
	s.count++
	s.sum += f
	s.squares += f * f
	s.min, s.max = math.Min(s.min, f), math.Max(s.max, f)
}

func (s *series) addAll(value any) {
	if list, ok := value.(*jsonvalue.List); ok {
		for _, item := range list.Items {
			s.add(item)
		}
	}
}

// deviation is the standard deviation of the whole population.
func (s *series) deviation() float64 {
	mean := s.sum / s.count
	return math.Sqrt(math.Max(0, s.squares/s.count-mean*mean))
}

// aggregate returns a function that computes a result from the numbers of the
// node's array and of the arguments. There is no value if there are no numbers,
// or the result is not a number.
func aggregate(result func(*series) float64) function {
	return func(_ *evaluation, node any, arguments []any) (any, bool) {
		var s series
		s.addAll(node)
		for _, argument := range arguments {
			s.add(argument)
			s.addAll(argument)
		}
		f := result(&s)
		if s.count == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, false
		}
		return jsonvalue.Float(f), true
	}
}

// maxText is the length of the longest text, in bytes, that concat makes of
// lists.
const maxText = 1 << 20

// concat joins the strings of the node's array, and the arguments. A template
// can put a list into itself, whose text has no end; so the evaluation fails
// when the text of a list goes past maxText.
func concat(e *evaluation, node any, arguments []any) (any, bool) {
	var text []byte
	if list, ok := node.(*jsonvalue.List); ok {
		for _, item := range list.Items {
			if part, ok := item.(string); ok {
				text = append(text, part...)
			}
		}
	}
	for _, argument := range arguments {
		switch argument := argument.(type) {
		case string:
			text = append(text, argument...)
		case *jsonvalue.List:
			for _, item := range argument.Items {
				if item == nil {
					continue
				}
				var err error
				if text, err = jsonvalue.AppendJavaWithin(text, item, maxText-len(text)); err != nil {
					e.err = ErrTooMuchWork
					return nil, false
				}
			}
		}
	}
	return string(text), true
}

// appendItems returns the node's array with the arguments as further items.
func appendItems(_ *evaluation, node any, arguments []any) (any, bool) {
	list, ok := node.(*jsonvalue.List)
	if !ok {
		return node, true
	}
	longer := &jsonvalue.List{Items: make([]any, 0, list.Len()+len(arguments))}
	longer.Items = append(append(longer.Items, list.Items...), arguments...)
	return longer, true
}

// index returns the item of the node's array at the index that is the argument.
func index(_ *evaluation, node any, arguments []any) (any, bool) {
	list, ok := node.(*jsonvalue.List)
	if !ok || len(arguments) == 0 {
		return nil, false
	}
	n, _ := arguments[0].(jsonvalue.Number)
	i, ok := n.Int64()
	if !ok || i != int64(int32(i)) {
		return nil, false
	}
	return itemAt(list, int(i))
}
