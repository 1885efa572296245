package vtl

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// callNumber calls a method of java.lang.Integer, Long, Double or BigInteger,
// and the static methods that templates reach through any number, such as
// $number.parseInt("5").
func callNumber(n number, name string, args []any) (any, error) {
	switch len(args) {
	case 0:
		return callNumber0(n, name)
	case 1:
		if s, ok := args[0].(string); ok {
			return parseNumber(name, s, n.isFraction)
		}
		if m, ok := asNumber(args[0]); ok {
			return callNumber1(n, m, name, args[0])
		}
	case 2:
		return callNumber2(name, args[0], args[1])
	}
	return nil, errNoMethod
}

// callNumber2 calls the static methods with two numbers.
func callNumber2(name string, first, second any) (any, error) {
	n, nOK := asNumber(first)
	m, mOK := asNumber(second)
	if !nOK || !mOK {
		return nil, errNoMethod
	}
	order, _ := n.compare(m)
	switch name {
	case "compare":
		return int64(order), nil
	case "max":
		if order < 0 {
			return second, nil
		}
		return first, nil
	case "min":
		if order > 0 {
			return second, nil
		}
		return first, nil
	}
	return nil, errNoMethod
}

func callNumber0(n number, name string) (any, error) {
	switch name {
	case "intValue":
		return n.int32(), nil
	case "longValue":
		return n.int64(), nil
	case "shortValue":
		return int64(int16(n.int32())), nil //nolint:gosec // wraps, as Java's
	case "byteValue":
		return int64(int8(n.int32())), nil //nolint:gosec // wraps, as Java's
	case "doubleValue", "floatValue":
		return n.float64(), nil
	case "isNaN":
		return math.IsNaN(n.float64()), nil
	case "isInfinite":
		return math.IsInf(n.float64(), 0), nil
	}
	return nil, errNoMethod
}

func callNumber1(n, m number, name string, other any) (any, error) {
	if name == "compareTo" {
		order, _ := n.compare(m)
		return int64(order), nil
	}
	if m.isInteger() && m.big == nil {
		return radixText(name, m.small, other)
	}
	return nil, errNoMethod
}

// radixText calls the static methods that print an integer.
func radixText(name string, i int64, other any) (any, error) {
	unsigned := uint64(i) //nolint:gosec // negative ones print as two's complement
	if i == int64(int32(i)) {
		unsigned = uint64(uint32(i))
	}
	switch name {
	case "toHexString":
		return strconv.FormatUint(unsigned, 16), nil
	case "toBinaryString":
		return strconv.FormatUint(unsigned, 2), nil
	case "toOctalString":
		return strconv.FormatUint(unsigned, 8), nil
	case "toString":
		return strconv.FormatInt(i, 10), nil
	case "valueOf":
		return other, nil
	}
	return nil, errNoMethod
}

// parseNumber calls the static methods that read a number.
func parseNumber(name, s string, isFraction bool) (any, error) {
	switch name {
	case "parseInt":
		return parseInteger(s, 32)
	case "parseLong":
		return parseInteger(s, 64)
	case "valueOf":
		if isFraction {
			return parseDouble(s)
		}
		return parseInteger(s, 64)
	case "parseDouble", "parseFloat":
		return parseDouble(s)
	}
	return nil, errNoMethod
}

func parseInteger(s string, size int) (any, error) {
	i, err := strconv.ParseInt(s, 10, size)
	if err != nil {
		return nil, fmt.Errorf("%q is not an integer of %d bits", shortened(s), size)
	}
	return i, nil
}

func parseDouble(s string) (any, error) {
	trimmed := strings.TrimSpace(s)
	f, err := strconv.ParseFloat(trimmed, 64)
	if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(trimmed, "_pP") {
		return nil, fmt.Errorf("%q is not a number", shortened(s))
	}
	return f, nil
}

// shortened returns a text that is short enough to be quoted in an error.
func shortened(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// hash is the hashCode of Java's Integer, Long or Double.
func (n number) hash() int32 {
	bits := uint64(n.small) //nolint:gosec // only the bits count
	switch {
	case n.isFraction:
		bits = math.Float64bits(n.fraction)
	case n.big != nil:
		bits = uint64(n.int64()) //nolint:gosec // only the bits count
	case n.small == int64(int32(n.small)):
		return int32(n.small)
	}
	return int32(bits ^ bits>>32) //nolint:gosec // wraps, as Java's
}
