package dynamodb

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// update is an UpdateExpression.
type update struct {
	actions []action
}

// action is one action of an update. Its new value is computed from the item
// as it was, whatever the other actions do.
type action struct {
	verb  string // SET, REMOVE, ADD or DELETE
	path  path
	value term // nil for REMOVE
}

// term has the value that an action assigns, adds or deletes.
type term interface {
	value(old item) (value, error)
}

type (
	plain struct{ operand }
	sum   struct {
		left, right term
		minus       bool
	}
	ifNotExists struct {
		path     path
		fallback term
	}
	listAppend struct{ first, second term }
)

const wrongType = "An operand in the update expression has an incorrect data type"

func (t plain) value(old item) (value, error) {
	v, ok := t.get(old)
	if !ok {
		return v, validation("The provided expression refers to an attribute that does not exist in the item")
	}
	return v, nil
}

func (t sum) value(old item) (value, error) {
	left, err := t.left.value(old)
	if err != nil {
		return left, err
	}
	right, err := t.right.value(old)
	if err != nil {
		return right, err
	}
	if left.kind != kindNumber || right.kind != kindNumber {
		return value{}, validation(wrongType)
	}
	if t.minus {
		right.number = right.number.negated()
	}
	left.number, err = left.number.add(right.number)
	return left, err
}

func (t ifNotExists) value(old item) (value, error) {
	if v, ok := t.path.get(old); ok {
		return v, nil
	}
	return t.fallback.value(old)
}

func (t listAppend) value(old item) (value, error) {
	first, err := t.first.value(old)
	if err != nil {
		return first, err
	}
	second, err := t.second.value(old)
	if err != nil {
		return second, err
	}
	if first.kind != kindList || second.kind != kindList {
		return value{}, validation(wrongType)
	}
	return value{kind: kindList, members: slices.Concat(first.members, second.members)}, nil
}

// update reads clauses, each at most once.
func (p *parser) update() (*update, error) {
	u := new(update)
	seen := map[string]bool{}
	for p.peek().kind != tokenEnd {
		verb := strings.ToUpper(p.peek().text)
		rule, ok := clauses[verb]
		if !ok {
			return nil, p.unexpected()
		}
		if seen[verb] {
			return nil, validation("The \"%s\" section can only be used once in an update expression;", verb)
		}
		seen[verb] = true
		p.next()
		actions, err := list(p, rule)
		if err != nil {
			return nil, err
		}
		u.actions = append(u.actions, actions...)
	}
	if len(u.actions) == 0 {
		return nil, validation("The expression can not be empty;")
	}
	if first, second, ok := overlap(u.paths()); ok {
		return nil, validation("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", first, second)
	}
	return u, nil
}

var clauses = map[string]func(*parser) (action, error){
	"SET": func(p *parser) (action, error) {
		path, err := p.path()
		if err != nil {
			return action{}, err
		}
		if err := p.expect("="); err != nil {
			return action{}, err
		}
		value, err := p.sum()
		return action{"SET", path, value}, err
	},
	"REMOVE": func(p *parser) (action, error) {
		path, err := p.path()
		return action{"REMOVE", path, nil}, err
	},
	"ADD":    func(p *parser) (action, error) { return p.addition("ADD") },
	"DELETE": func(p *parser) (action, error) { return p.addition("DELETE") },
}

// addition reads what follows ADD and DELETE: a path and a :value.
func (p *parser) addition(verb string) (action, error) {
	path, err := p.path()
	if err != nil {
		return action{}, err
	}
	if p.peek().kind != tokenValue {
		return action{}, p.unexpected()
	}
	v, err := p.constant()
	_, isSet := setOf[v.kind]
	if err == nil && !isSet && (verb == "DELETE" || v.kind != kindNumber) {
		err = validation("Incorrect operand type for operator or function; operator: %s, operand type: %s", verb, v.kind)
	}
	return action{verb, path, plain{constant{v}}}, err
}

// sum reads what SET assigns: a term, or two with + or - between.
func (p *parser) sum() (term, error) {
	left, err := p.term()
	if err != nil {
		return nil, err
	}
	minus := p.peek().is("-")
	if !p.accept("+") && !p.accept("-") {
		return left, nil
	}
	right, err := p.term()
	return sum{left, right, minus}, err
}

func (p *parser) term() (term, error) {
	if p.accept("(") {
		inner, err := p.sum()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	name := p.peek()
	if name.kind != tokenName || !p.tokens[1].is("(") {
		if name.kind == tokenValue {
			v, err := p.constant()
			return plain{constant{v}}, err
		}
		path, err := p.path()
		return plain{path}, err
	}
	p.next()
	p.next()
	switch name.text {
	case "if_not_exists":
		path, err := p.path()
		if err != nil {
			return nil, err
		}
		fallback, err := p.lastArgument()
		return ifNotExists{path, fallback}, err
	case "list_append":
		first, err := p.term()
		if err != nil {
			return nil, err
		}
		second, err := p.lastArgument()
		return listAppend{first, second}, err
	}
	return nil, validation("Invalid function name; function: %s", name.text)
}

// lastArgument reads a comma, the second argument and the parenthesis.
func (p *parser) lastArgument() (term, error) {
	if err := p.expect(","); err != nil {
		return nil, err
	}
	argument, err := p.term()
	if err != nil {
		return nil, err
	}
	return argument, p.expect(")")
}

func (u *update) paths() []path {
	paths := make([]path, len(u.actions))
	for i, action := range u.actions {
		paths[i] = action.path
	}
	return paths
}

// apply returns the updated item, and does not change old.
func (u *update) apply(old item) (item, error) {
	changed := value{kind: kindMap, fields: maps.Clone(old)}
	if changed.fields == nil {
		changed.fields = item{}
	}
	for _, action := range u.inOrder() {
		v, present, err := action.result(old)
		if err != nil {
			return nil, err
		}
		if changed, err = replaced(changed, action.path, v, present); err != nil {
			return nil, err
		}
	}
	return changed.fields, nil
}

// inOrder returns the actions in an order in which none moves the target of a
// later one: members leave a list last, from its end, and those beyond its end
// are appended in the order of their indexes.
func (u *update) inOrder() []action {
	actions := slices.Clone(u.actions)
	rank := func(a action) int {
		if a.verb == "REMOVE" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(actions, func(a, b action) int {
		if order := cmp.Compare(rank(a), rank(b)); order != 0 {
			return order
		}
		order := slices.CompareFunc(a.path, b.path, func(x, y step) int { return cmp.Compare(x.index, y.index) })
		if rank(a) == 1 {
			return -order
		}
		return order
	})
	return actions
}

// result returns the value that is at the action's path afterwards; present is
// false when there is none.
func (a action) result(old item) (v value, present bool, err error) {
	if a.verb == "REMOVE" {
		return value{}, false, nil
	}
	if v, err = a.value.value(old); err != nil || a.verb == "SET" {
		return v, true, err
	}
	current, exists := a.path.get(old)
	switch {
	case !exists:
		return v, a.verb == "ADD", nil
	case current.kind != v.kind:
		return value{}, false, validation(wrongType)
	case v.kind == kindNumber:
		current.number, err = current.number.add(v.number)
		return current, true, err
	}
	keys := v.memberKeys()
	rest := slices.DeleteFunc(slices.Clone(current.members), func(m value) bool { return keys[m.setKey()] })
	if a.verb == "ADD" {
		rest = append(rest, v.members...)
	}
	return value{kind: v.kind, members: rest}, len(rest) > 0, nil
}

// replaced returns a copy of in with the value at path set, or removed if
// present is false. Values that are not on the path are shared.
func replaced(in value, path path, v value, present bool) (value, error) {
	invalid := validation("The document path provided in the update expression is invalid for update")
	if len(path) == 0 {
		return v, nil
	}
	first, rest := path[0], path[1:]
	var child value
	switch {
	case first.index < 0 && in.kind == kindMap:
		child = in.fields[first.name]
	case first.index >= 0 && in.kind == kindList:
		if first.index < len(in.members) {
			child = in.members[first.index]
		}
	default:
		return in, invalid
	}
	if len(rest) > 0 {
		if child.kind == "" {
			return in, invalid
		}
		var err error
		if v, err = replaced(child, rest, v, present); err != nil {
			return in, err
		}
		present = true
	}
	if in.kind == kindMap {
		in.fields = maps.Clone(in.fields)
		if in.fields == nil {
			in.fields = item{}
		}
		in.fields[first.name] = v
		if !present {
			delete(in.fields, first.name)
		}
		return in, nil
	}
	in.members = slices.Clone(in.members)
	switch inside := first.index < len(in.members); {
	case present && inside:
		in.members[first.index] = v
	case present:
		in.members = append(in.members, v)
	case inside:
		in.members = slices.Delete(in.members, first.index, first.index+1)
	}
	return in, nil
}
