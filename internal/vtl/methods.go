package vtl

import (
	"fmt"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// errNoMethod is the error for a method that a kind of value does not have, or
// not with such arguments. In a template the call's value is nil then.
var errNoMethod = fmt.Errorf("no such method")

// call calls a method of a value.
func (r *run) call(v any, name string, args []any) (any, error) {
	result, err := r.callKind(v, name, args)
	if err == errNoMethod { //nolint:errorlint // never wrapped, and asked for each call
		return r.callAny(v, name, args)
	}
	if err != nil && asSignal(err) == nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return result, err
}

func (r *run) callKind(v any, name string, args []any) (any, error) {
	switch receiver := v; v := v.(type) {
	case string:
		r.receiver = receiver
		return r.callString(v, name, args)
	case *jsonvalue.Object:
		return r.callMap(v, name, args)
	case *entry:
		return r.callEntry(v, name, args)
	case *iterator:
		return v.call(name, args)
	case *loop:
		if name == "hasNext" && len(args) == 0 {
			return v.hasNext, nil
		}
		return nil, errNoMethod
	case bool:
		return callBool(v, name, args)
	case Caller:
		return r.callHost(v, name, args)
	}
	if list, ok := asList(v); ok {
		return r.callList(list, name, args)
	}
	if n, ok := asNumber(v); ok {
		return callNumber(n, name, args)
	}
	return nil, errNoMethod
}

// callHost calls a method of the host, which gets the text of a #define.
func (r *run) callHost(host Caller, name string, args []any) (any, error) {
	for i, arg := range args {
		if d, ok := arg.(*definition); ok {
			text, err := r.text(d)
			if err != nil {
				return nil, err
			}
			args[i] = text
		}
	}
	return host.Call(name, args)
}

// callAny calls what every Java object has.
func (r *run) callAny(v any, name string, args []any) (any, error) {
	switch {
	case name == "toString" && len(args) == 0:
		return textValue(r.text(v))
	case name == "equals" && len(args) == 1:
		return boolValue(r.equal(v, args[0], 0))
	case name == "hashCode" && len(args) == 0:
		hash, err := r.hash(v, 0)
		return int64(hash), err
	}
	if l, ok := v.(*loop); ok && len(args) == 0 {
		return l.getter(name), nil
	}
	return nil, nil
}

// textValue turns a string and an error into a value and an error.
func textValue(s string, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// getters are the methods of $foreach, by its properties.
var getters = map[string]string{
	"getIndex": "index", "getCount": "count", "getHasNext": "hasNext", "getFirst": "first",
	"isFirst": "first", "getLast": "last", "isLast": "last", "getParent": "parent", "getTopmost": "topmost",
}

func (l *loop) getter(name string) any {
	v, _ := l.property(getters[name])
	return v
}

func callBool(b bool, name string, args []any) (any, error) {
	switch {
	case name == "booleanValue" && len(args) == 0:
		return b, nil
	case name == "compareTo" && len(args) == 1:
		if other, ok := args[0].(bool); ok {
			return int64(order(b) - order(other)), nil
		}
	case (name == "parseBoolean" || name == "valueOf") && len(args) == 1:
		if s, ok := args[0].(string); ok {
			return equalFold(s, "true"), nil
		}
	}
	return nil, errNoMethod
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (i *iterator) call(name string, args []any) (any, error) {
	if len(args) > 0 {
		return nil, errNoMethod
	}
	switch name {
	case "hasNext":
		return i.next < len(i.items), nil
	case "next":
		if i.next == len(i.items) {
			return nil, fmt.Errorf("the iterator has no more items")
		}
		i.next++
		return i.items[i.next-1], nil
	}
	return nil, errNoMethod
}

// hash is Java's hashCode.
func (r *run) hash(v any, depth int) (int32, error) {
	if err := r.step(); err != nil {
		return 0, err
	}
	if depth > jsonvalue.MaxDepth {
		return 0, limitError("values nested more than %d deep", jsonvalue.MaxDepth)
	}
	if list, ok := asList(v); ok {
		sum := int32(1)
		for _, item := range list.Items {
			h, err := r.hash(item, depth+1)
			if err != nil {
				return 0, err
			}
			sum = 31*sum + h
		}
		return sum, nil
	}
	if object, ok := v.(*jsonvalue.Object); ok {
		sum := int32(0)
		for name, value := range object.All() {
			h, err := r.hash(value, depth+1)
			if err != nil {
				return 0, err
			}
			sum += hashString(name) ^ h
		}
		return sum, nil
	}
	if n, ok := asNumber(v); ok {
		return n.hash(), nil
	}
	switch v := v.(type) {
	case string:
		return hashString(v), r.work(len(v))
	case bool:
		if v {
			return 1231, nil
		}
		return 1237, nil
	}
	return 0, nil
}
