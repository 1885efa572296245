package dynamodb

// keyCondition is a KeyConditionExpression: one partition, and perhaps a range
// of the sort key.
type keyCondition struct {
	hash value
	sort condition // nil: the whole partition
}

// keyConditions turns a condition into one on the key of an index.
func keyConditions(c condition, x *index) (*keyCondition, error) {
	parts := []condition{c}
	if both, ok := c.(and); ok {
		parts = []condition{both.left, both.right}
	}
	keys := new(keyCondition)
	hashed := false
	for _, part := range parts {
		name, operator, constants, ok := keyPart(part)
		if !ok {
			return nil, validation("Invalid operator used in KeyConditionExpression: only =, <, <=, >, >=, BETWEEN and begins_with on key attributes, joined by one AND, are allowed")
		}
		at := -1
		for n, key := range x.keys {
			if key.name == name {
				at = n
			}
		}
		switch {
		case at < 0 || at == 0 && hashed || at == 1 && keys.sort != nil:
			return nil, validation("Query condition missed key schema element: %s", x.missing(hashed))
		case at == 0 && operator != "=":
			return nil, validation("Query key condition not supported")
		}
		for _, v := range constants {
			if v.kind != x.keys[at].kind {
				return nil, validation("One or more parameter values were invalid: Condition parameter type does not match schema type")
			}
		}
		if at == 0 {
			keys.hash, hashed = constants[0], true
		} else {
			keys.sort = part
		}
	}
	if !hashed {
		return nil, validation("Query condition missed key schema element: %s", x.missing(false))
	}
	return keys, nil
}

// missing returns the name of the key attribute that a query lacks.
func (x *index) missing(hashed bool) string {
	if hashed && len(x.keys) == 2 {
		return x.keys[1].name
	}
	return x.keys[0].name
}

// keyPart returns the parts of a comparison of one attribute with values; ok is
// false for any other condition.
func keyPart(c condition) (name, operator string, constants []value, ok bool) {
	var subject operand
	var others []operand
	switch c := c.(type) {
	case comparison:
		subject, operator, others, ok = c.left, c.operator, []operand{c.right}, c.operator != "<>"
	case between:
		subject, operator, others, ok = c.subject, "BETWEEN", []operand{c.low, c.high}, true
	case predicate:
		subject, operator, others, ok = c.arguments[0], c.name, c.arguments[1:], c.name == "begins_with"
	}
	path, isPath := subject.(path)
	if !ok || !isPath || len(path) != 1 {
		return "", "", nil, false
	}
	for _, other := range others {
		v, isConstant := other.(constant)
		if !isConstant {
			return "", "", nil, false
		}
		constants = append(constants, v.value)
	}
	return path[0].name, operator, constants, true
}

// mentions reports whether a filter refers to any of the attributes of a key.
func mentions(c condition, keys []keyAttribute) bool {
	var operands []operand
	switch c := c.(type) {
	case and:
		return mentions(c.left, keys) || mentions(c.right, keys)
	case or:
		return mentions(c.left, keys) || mentions(c.right, keys)
	case not:
		return mentions(c.inner, keys)
	case comparison:
		operands = []operand{c.left, c.right}
	case between:
		operands = []operand{c.subject, c.low, c.high}
	case in:
		operands = append([]operand{c.subject}, c.choices...)
	case predicate:
		operands = c.arguments
	case existence:
		operands = []operand{c.path}
	}
	for _, o := range operands {
		if s, ok := o.(size); ok {
			o = s.of
		}
		for _, key := range keys {
			if p, ok := o.(path); ok && len(p) == 1 && p[0].name == key.name {
				return true
			}
		}
	}
	return false
}
