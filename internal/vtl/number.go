package vtl

import (
	"math/big"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// maxIntegerDigits is how many digits an integer has at most.
const maxIntegerDigits = 2000

// number is a value in arithmetic: an integer, small or big, or a fraction.
type number struct {
	small      int64
	big        *big.Int // instead of small, or nil
	fraction   float64
	isFraction bool
}

// asNumber returns the number that a value is, and false for any other value.
// Text is not a number.
func asNumber(v any) (number, bool) {
	switch v := v.(type) {
	case int64:
		return number{small: v}, true
	case int:
		return number{small: int64(v)}, true
	case int32:
		return number{small: int64(v)}, true
	case float64:
		return number{fraction: v, isFraction: true}, true
	case *big.Int:
		return number{big: v}, v != nil
	case jsonvalue.Number:
		if i, ok := v.Int64(); ok {
			return number{small: i}, true
		}
		if v.IsInteger() && len(v) <= maxIntegerDigits {
			if i, ok := new(big.Int).SetString(string(v), 10); ok {
				return number{big: i}, true
			}
		}
		return number{fraction: v.Float64(), isFraction: true}, true
	}
	return number{}, false
}

// integer returns the value of an integer that fits, and false for any other
// value.
func integer(v any) (int64, bool) {
	n, ok := asNumber(v)
	return n.small, ok && n.isInteger() && n.big == nil
}

func (n number) isInteger() bool { return !n.isFraction }

func (n number) isZero() bool {
	switch {
	case n.isFraction:
		return n.fraction == 0
	case n.big != nil:
		return n.big.Sign() == 0
	}
	return n.small == 0
}

func (n number) float64() float64 {
	switch {
	case n.isFraction:
		return n.fraction
	case n.big != nil:
		f, _ := new(big.Float).SetInt(n.big).Float64()
		return f
	}
	return float64(n.small)
}

func (n number) bigInt() *big.Int {
	if n.big != nil {
		return n.big
	}
	return big.NewInt(n.small)
}

// int64 is the number as Java's longValue returns it: a fraction loses the
// digits after the point. An integer that is too large wraps; a fraction
// becomes the largest or smallest int64.
func (n number) int64() int64 {
	switch {
	case n.isFraction:
		return truncated(n.fraction, -1<<63, 1<<63-1)
	case n.big != nil:
		low := new(big.Int).And(n.big, new(big.Int).SetUint64(1<<64-1))
		return int64(low.Uint64()) //nolint:gosec // wraps, as Java's
	}
	return n.small
}

// int32 is the number as Java's intValue returns it.
func (n number) int32() int64 {
	if n.isFraction {
		return truncated(n.fraction, -1<<31, 1<<31-1)
	}
	return int64(int32(n.int64())) //nolint:gosec // wraps, as Java's
}

func truncated(f float64, lowest, highest int64) int64 {
	switch {
	case f != f:
		return 0
	case f <= float64(lowest):
		return lowest
	case f >= float64(highest):
		return highest
	}
	return int64(f)
}

// bigValue is an integer as a value, small if it fits.
func bigValue(i *big.Int) any {
	if i.IsInt64() {
		return i.Int64()
	}
	return i
}
