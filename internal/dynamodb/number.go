package dynamodb

import (
	"math/big"
	"strconv"
	"strings"
)

// Limits of DynamoDB's numbers.
const (
	maxDigits    = 38
	maxMagnitude = 125  // the first digit stands for at most 10^125
	minMagnitude = -130 // and at least 10^-130
)

// number is an exact decimal: coefficient × 10^exponent.
type number struct {
	coefficient *big.Int
	exponent    int
}

func parseNumber(text string) (number, error) {
	invalid := validation("The parameter cannot be converted to a numeric value: %s", clip(text))
	digits, power, hasPower := strings.Cut(strings.ReplaceAll(strings.TrimSpace(text), "E", "e"), "e")
	exponent := 0
	if hasPower {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil {
			return number{}, invalid
		}
	}
	negative := strings.HasPrefix(digits, "-")
	digits = strings.TrimPrefix(strings.TrimPrefix(digits, "-"), "+")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return number{}, invalid
	}
	if exponent > 1<<20 || exponent < -1<<20 {
		exponent = max(-1<<20, min(exponent, 1<<20)) // out of range below, and no overflow on the way
	}
	exponent -= len(fraction)
	significant := strings.TrimLeft(whole+fraction, "0")
	trimmed := strings.TrimRight(significant, "0")
	exponent += len(significant) - len(trimmed)
	if trimmed == "" {
		return number{coefficient: new(big.Int)}, nil
	}
	switch magnitude := exponent + len(trimmed) - 1; {
	case len(trimmed) > maxDigits:
		return number{}, validation("Attempting to store more than 38 significant digits in a Number")
	case magnitude > maxMagnitude:
		return number{}, validation("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case magnitude < minMagnitude:
		return number{}, validation("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	coefficient, _ := new(big.Int).SetString(trimmed, 10)
	if negative {
		coefficient.Neg(coefficient)
	}
	return number{coefficient, exponent}, nil
}

func clip(text string) string {
	if len(text) > 100 {
		return text[:100] + "…"
	}
	return text
}

// String returns the digits without an exponent, as DynamoDB does.
func (n number) String() string {
	text := new(big.Int).Abs(n.coefficient).String()
	switch {
	case n.exponent > 0:
		text += strings.Repeat("0", n.exponent)
	case n.exponent < 0:
		if missing := 1 - n.exponent - len(text); missing > 0 {
			text = strings.Repeat("0", missing) + text
		}
		point := len(text) + n.exponent
		text = text[:point] + "." + text[point:]
	}
	if n.coefficient.Sign() < 0 {
		text = "-" + text
	}
	return text
}

// aligned returns both numbers' coefficients for the same exponent.
func aligned(a, b number) (x, y *big.Int, exponent int) {
	exponent = min(a.exponent, b.exponent)
	return scaled(a, exponent), scaled(b, exponent), exponent
}

func scaled(n number, exponent int) *big.Int {
	if n.exponent == exponent {
		return n.coefficient
	}
	factor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n.exponent-exponent)), nil)
	return factor.Mul(factor, n.coefficient)
}

func (n number) compare(other number) int {
	x, y, _ := aligned(n, other)
	return x.Cmp(y)
}

// add returns the exact sum, or an error when it is out of range.
func (n number) add(other number) (number, error) {
	x, y, exponent := aligned(n, other)
	return parseNumber(new(big.Int).Add(x, y).String() + "e" + strconv.Itoa(exponent))
}

func (n number) negated() number {
	return number{new(big.Int).Neg(n.coefficient), n.exponent}
}

// floor returns the whole part, as Unix seconds need it; ok is false for
// numbers that are too large for an int64.
func (n number) floor() (whole int64, ok bool) {
	if n.exponent >= 0 {
		x := scaled(n, 0)
		return x.Int64(), x.IsInt64()
	}
	divisor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n.exponent)), nil)
	x := divisor.Div(n.coefficient, divisor)
	return x.Int64(), x.IsInt64()
}
