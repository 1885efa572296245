package vtl

import (
	"math/big"
	"strconv"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// style is how a value prints.
type style int

const (
	// styleJava is Java's toString: strings without quotes, maps as {a=b},
	// lists that the template made as [a, b], other lists as JSON.
	styleJava style = iota
	// styleJSON is JSON text.
	styleJSON
)

// Text is what a template prints for a value: nothing for nil. The error wraps
// ErrLimit when the text would be longer than limit, in bytes.
func Text(v any, limit int) (string, error) {
	r := run{limits: Limits{Output: limit}}
	err := r.print(v)
	return string(r.out), err
}

// text is what a value prints, as a string.
func (r *run) text(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case jsonvalue.Number:
		return string(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return r.capture(func() error { return r.print(v) })
}

// print writes a value to the output; a missing one writes nothing.
func (r *run) print(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return r.write(v)
	case *definition:
		return v.print(r)
	}
	return r.append(v, styleJava, 0)
}

func (r *run) append(v any, s style, depth int) error {
	if depth > jsonvalue.MaxDepth {
		return limitError("values nested more than %d deep", jsonvalue.MaxDepth)
	}
	switch v := v.(type) {
	case string:
		if s == styleJava {
			return r.write(v)
		}
		r.out = jsonvalue.AppendQuoted(r.out, v)
	case jsonvalue.Number:
		r.out = append(r.out, v...)
	case bool:
		r.out = strconv.AppendBool(r.out, v)
	case int64:
		r.out = strconv.AppendInt(r.out, v, 10)
	case float64:
		r.out = append(r.out, jsonvalue.Float(v)...)
	case *big.Int:
		r.out = v.Append(r.out, 10)
	case *jsonvalue.Object:
		return r.appendObject(v, s, depth)
	case *jsonvalue.List:
		return r.appendList(v, styleJSON, ",", depth)
	case *ArrayList:
		if s == styleJSON {
			return r.appendList(&v.List, styleJSON, ",", depth)
		}
		return r.appendList(&v.List, styleJava, ", ", depth)
	default:
		return r.appendOther(v, s, depth)
	}
	return r.checkOutput()
}

// appendOther appends values that JSON does not have.
func (r *run) appendOther(v any, s style, depth int) error {
	switch v := v.(type) {
	case nil:
		r.out = append(r.out, "null"...)
	case int:
		return r.append(int64(v), s, depth)
	case int32:
		return r.append(int64(v), s, depth)
	case *entry:
		r.out = append(r.out, v.key...)
		r.out = append(r.out, '=')
		return r.append(v.value(), styleJava, depth+1)
	case *definition:
		return v.print(r)
	case interface{ String() string }:
		return r.append(v.String(), s, depth)
	case *loop:
		r.out = append(r.out, "{}"...)
	}
	return r.checkOutput()
}

func (r *run) checkOutput() error {
	if len(r.out)-r.base > r.limits.Output {
		return r.outputError()
	}
	return nil
}

func (r *run) appendList(list *jsonvalue.List, s style, separator string, depth int) error {
	r.out = append(r.out, '[')
	for i, item := range list.Items {
		if i > 0 {
			r.out = append(r.out, separator...)
		}
		if err := r.append(item, s, depth+1); err != nil {
			return err
		}
	}
	r.out = append(r.out, ']')
	return r.checkOutput()
}

func (r *run) appendObject(object *jsonvalue.Object, s style, depth int) error {
	separator := ", "
	if s == styleJSON {
		separator = ","
	}
	r.out = append(r.out, '{')
	for i := range object.Len() {
		if i > 0 {
			r.out = append(r.out, separator...)
		}
		name, value := object.At(i)
		if s == styleJSON {
			r.out = append(jsonvalue.AppendQuoted(r.out, name), ':')
		} else {
			r.out = append(append(r.out, name...), '=')
		}
		if err := r.append(value, s, depth+1); err != nil {
			return err
		}
	}
	r.out = append(r.out, '}')
	return r.checkOutput()
}
