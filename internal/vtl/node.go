package vtl

// node is a part of a template that prints or does something. Its error is an
// *Error or a signal.
type node interface {
	render(r *run) error
}

// block is the nodes between two directives.
type block []node

func (b block) render(r *run) error { return r.block(b) }

// text is printed as it is.
type text string

func (t text) render(r *run) error { return r.write(string(t)) }

// expression is a part of a template that has a value.
type expression interface {
	value(r *run) (any, error)
	// truth is the value as a condition. Only references, true, false,
	// comparisons and combinations of conditions can be true: in Velocity, a
	// literal string, number or list is false.
	truth(r *run) (bool, error)
}

// untrue is embedded in expressions that are false as a condition.
type untrue struct{}

func (untrue) truth(*run) (bool, error) { return false, nil }

// constant is a literal whose value never changes: a string or a number.
type constant struct {
	untrue
	constant any
}

func (c *constant) value(*run) (any, error) { return c.constant, nil }

// boolean is true or false.
type boolean bool

func (b boolean) value(*run) (any, error)  { return bool(b), nil }
func (b boolean) truth(*run) (bool, error) { return bool(b), nil }

// stringTemplate is a string in double quotes that has references or
// directives.
type stringTemplate struct {
	untrue
	body block
}

func (s *stringTemplate) value(r *run) (any, error) {
	v, err := r.capture(func() error { return r.block(s.body) })
	if err != nil {
		return nil, err
	}
	return v, nil
}

// listLiteral is [a, b].
type listLiteral struct {
	untrue
	items []expression
	at    place
}

func (l *listLiteral) value(r *run) (any, error) {
	if err := r.charge(bytesPerItem * (1 + len(l.items))); err != nil {
		return nil, located(err, l.at)
	}
	list := &ArrayList{}
	list.Items = make([]any, len(l.items))
	for i, item := range l.items {
		v, err := item.value(r)
		if err != nil {
			return nil, err
		}
		list.Items[i] = stored(v)
	}
	return list, nil
}

// rangeLiteral is [a..b].
type rangeLiteral struct {
	untrue
	from, to expression
	at       place
}

func (l *rangeLiteral) value(r *run) (any, error) {
	from, err := l.from.value(r)
	if err != nil {
		return nil, err
	}
	to, err := l.to.value(r)
	if err != nil {
		return nil, err
	}
	a, aOK := integer(from)
	b, bOK := integer(to)
	if !aOK || !bOK {
		r.log(l.at, "a range needs two numbers")
		return nil, nil
	}
	first, last := int64(int32(a)), int64(int32(b)) //nolint:gosec // as Java's intValue
	step := int64(1)
	if last <= first {
		step = -1
	}
	count := int((last-first)*step) + 1
	if err := r.charge(bytesPerItem * count); err != nil {
		return nil, located(err, l.at)
	}
	list := &ArrayList{}
	list.Items = make([]any, count)
	for i := range list.Items {
		list.Items[i] = stored(first + int64(i)*step)
	}
	return list, nil
}

// mapLiteral is {"key": value}.
type mapLiteral struct {
	untrue
	keys, values []expression
	at           place
}

func (m *mapLiteral) value(r *run) (any, error) {
	if err := r.charge(2 * bytesPerItem * (1 + len(m.keys))); err != nil {
		return nil, located(err, m.at)
	}
	object := newObject(len(m.keys))
	for i := range m.keys {
		key, err := m.keys[i].value(r)
		if err != nil {
			return nil, err
		}
		value, err := m.values[i].value(r)
		if err != nil {
			return nil, err
		}
		name, err := r.text(key)
		if err != nil {
			return nil, located(err, m.at)
		}
		object.Set(name, stored(value))
	}
	return object, nil
}
