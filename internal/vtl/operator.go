package vtl

func newBinary(op opcode, left, right expression, at place) expression {
	operands := operands{left: left, right: right, at: at}
	switch {
	case op == opOr || op == opAnd:
		return &combination{operands: operands, or: op == opOr}
	case op < opAdd:
		return &comparison{operands: operands, op: op}
	}
	return &arithmetic{operands: operands, op: op}
}

// operands are the two sides of an operator.
type operands struct {
	left, right expression
	at          place
}

func (o *operands) values(r *run) (left, right any, err error) {
	if err := r.step(); err != nil {
		return nil, nil, located(err, o.at)
	}
	if left, err = o.left.value(r); err != nil {
		return nil, nil, err
	}
	right, err = o.right.value(r)
	return left, right, err
}

// negation is !operand.
type negation struct{ operand expression }

func (n *negation) truth(r *run) (bool, error) {
	ok, err := n.operand.truth(r)
	return !ok, err
}

func (n *negation) value(r *run) (any, error) { return boolValue(n.truth(r)) }

// combination is && or ||. The right side is evaluated only when it matters.
type combination struct {
	operands
	or bool
}

func (c *combination) truth(r *run) (bool, error) {
	if err := r.step(); err != nil {
		return false, located(err, c.at)
	}
	ok, err := c.left.truth(r)
	if err != nil || ok == c.or {
		return ok, err
	}
	return c.right.truth(r)
}

func (c *combination) value(r *run) (any, error) { return boolValue(c.truth(r)) }

func boolValue(b bool, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return b, nil
}
