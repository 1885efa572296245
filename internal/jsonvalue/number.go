package jsonvalue

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// Number is a JSON number as it was written, so that no digit is lost.
type Number string

// Int makes the number of an integer.
func Int(i int64) Number {
	return Number(strconv.FormatInt(i, 10))
}

// Float makes the number of a float, written as Java's Double.toString writes
// it: 1.0, 1.0E7, 1.0E-4. NaN and the infinities, which JSON does not have, are
// written as in Java.
func Float(f float64) Number {
	switch size := math.Abs(f); {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case size == 0 || 1e-3 <= size && size < 1e7:
		return Number(withFraction(strconv.FormatFloat(f, 'f', -1, 64)))
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	sign := ""
	if exponent[0] == '-' {
		sign = "-"
	}
	return Number(withFraction(mantissa) + "E" + sign + strings.TrimLeft(exponent, "+-0"))
}

func withFraction(s string) string {
	if strings.Contains(s, ".") {
		return s
	}
	return s + ".0"
}

// String is the number as it was written.
func (n Number) String() string {
	return string(n)
}

// IsInteger reports whether the number is written without fraction and
// exponent.
func (n Number) IsInteger() bool {
	return len(n) > 0 && !strings.ContainsAny(string(n), ".eEIN")
}

// Int64 returns the value of an integer, and false for a number that has a
// fraction or an exponent, or does not fit.
func (n Number) Int64() (int64, bool) {
	if !n.IsInteger() {
		return 0, false
	}
	i, err := strconv.ParseInt(string(n), 10, 64)
	return i, err == nil
}

// Float64 returns the nearest float, which is an infinity for numbers that are
// too large.
func (n Number) Float64() float64 {
	f, _ := strconv.ParseFloat(string(n), 64) // the result is an infinity when it is out of range, and 0 when it is not a number
	return f
}

// Compare is negative, zero or positive as n is less than, equal to or greater
// than m. Integers of any length are compared exactly, others as floats.
func (n Number) Compare(m Number) int {
	if !n.IsInteger() || !m.IsInteger() {
		return cmp.Compare(n.Float64(), m.Float64())
	}
	a, negativeA := n.digits()
	b, negativeB := m.digits()
	switch {
	case negativeA && negativeB:
		return compareDigits(b, a)
	case negativeA:
		return -1
	case negativeB:
		return 1
	}
	return compareDigits(a, b)
}

// digits splits an integer into its digits and its sign; zero has neither.
func (n Number) digits() (digits string, negative bool) {
	digits, negative = strings.CutPrefix(string(n), "-")
	digits = strings.TrimLeft(digits, "0")
	return digits, negative && digits != ""
}

func compareDigits(a, b string) int {
	if len(a) != len(b) {
		return cmp.Compare(len(a), len(b))
	}
	return strings.Compare(a, b)
}
