package vtl

import (
	"math"
	"math/big"
	"math/bits"
)

// arithmetic is +, -, *, / or %. Integers stay integers, of any length; with a
// fraction the result is a fraction. It is nil for operands that are not
// numbers and for a division by zero. With a text as an operand, + joins texts.
type arithmetic struct {
	operands
	untrue
	op opcode
}

func (a *arithmetic) value(r *run) (any, error) {
	left, right, err := a.values(r)
	if err != nil {
		return nil, err
	}
	if a.op == opAdd && (isString(left) || isString(right)) {
		v, err := r.join(left, right)
		return v, located(err, a.at)
	}
	n, nOK := asNumber(left)
	m, mOK := asNumber(right)
	switch {
	case !nOK || !mOK:
		r.log(a.at, "arithmetic with a value that is not a number has no value")
		return nil, nil
	case m.isZero() && (a.op == opDivide || a.op == opModulo):
		r.log(a.at, "a division by zero has no value")
		return nil, nil
	case n.isFraction || m.isFraction:
		return calculateFloats(a.op, n.float64(), m.float64()), nil
	}
	if n.big == nil && m.big == nil {
		if v, ok := calculate(a.op, n.small, m.small); ok {
			return v, nil
		}
	}
	v, err := r.calculateBig(a.op, n.bigInt(), m.bigInt())
	return v, located(err, a.at)
}

func isString(v any) bool {
	_, ok := v.(string)
	return ok
}

// join puts two texts together. A missing value is empty.
func (r *run) join(left, right any) (any, error) {
	a, err := r.text(left)
	if err != nil {
		return nil, err
	}
	b, err := r.text(right)
	if err != nil {
		return nil, err
	}
	if err := r.charge(len(a) + len(b)); err != nil {
		return nil, err
	}
	return a + b, nil
}

// calculate returns the result, and false when it does not fit.
func calculate(op opcode, a, b int64) (int64, bool) {
	switch op {
	case opAdd:
		c := a + b
		return c, (a < 0) != (b < 0) || (c < 0) == (a < 0)
	case opSubtract:
		c := a - b
		return c, (a < 0) == (b < 0) || (c < 0) == (a < 0)
	case opMultiply:
		high, low := bits.Mul64(magnitude(a), magnitude(b))
		return a * b, high == 0 && low < 1<<63
	case opDivide:
		return a / b, a != math.MinInt64 || b != -1
	default:
		if b == -1 {
			return 0, true
		}
		return a % b, true
	}
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a) //nolint:gosec // right for the smallest integer too
	}
	return uint64(a)
}

func calculateFloats(op opcode, a, b float64) float64 {
	switch op {
	case opAdd:
		return a + b
	case opSubtract:
		return a - b
	case opMultiply:
		return a * b
	case opDivide:
		return a / b
	default:
		return math.Mod(a, b)
	}
}

func (r *run) calculateBig(op opcode, a, b *big.Int) (any, error) {
	const bitsPerDigit = 4
	if a.BitLen()+b.BitLen() > bitsPerDigit*maxIntegerDigits {
		return nil, limitError("an integer of more than %d digits", maxIntegerDigits)
	}
	if err := r.charge((a.BitLen() + b.BitLen()) / 8); err != nil {
		return nil, err
	}
	c := new(big.Int)
	switch op {
	case opAdd:
		c.Add(a, b)
	case opSubtract:
		c.Sub(a, b)
	case opMultiply:
		c.Mul(a, b)
	case opDivide:
		c.Quo(a, b)
	default:
		// Java's BigInteger refuses a negative modulus.
		if b.Sign() < 0 {
			return nil, nil
		}
		c.Mod(a, b)
	}
	return bigValue(c), nil
}
