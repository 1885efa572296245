package model

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// maxExponent is the largest exponent that is computed with.
const maxExponent = 1_000_000_000

// decimal is an exact number, 0.digits × 10^exponent. The digits neither begin
// nor end with 0; zero has no digits.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// parseDecimal reads a number. ok is false if its exponent is out of range.
func parseDecimal(n jsonvalue.Number) (d decimal, ok bool) {
	text, negative := strings.CutPrefix(string(n), "-")
	power := 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		var err error
		if power, err = strconv.Atoi(text[i+1:]); err != nil || power > maxExponent || power < -maxExponent {
			return decimal{}, false
		}
		text = text[:i]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent := len(whole) - (len(whole) + len(fraction) - len(digits)) + power
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return decimal{}, true
	}
	return decimal{negative, digits, exponent}, true
}

func (d decimal) compare(other decimal) int {
	if d.negative != other.negative {
		return d.sign() - other.sign()
	}
	size := cmp.Compare(d.sign(), other.sign()) // when one is zero
	if d.digits != "" && other.digits != "" {
		size = cmp.Or(cmp.Compare(d.exponent, other.exponent), strings.Compare(d.digits, other.digits))
		size *= d.sign()
	}
	return size
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// isMultipleOf reports whether d divided by other is an integer. other is not
// 0.
func (d decimal) isMultipleOf(other decimal) bool {
	if d.digits == "" {
		return true
	}
	shift := (d.exponent - len(d.digits)) - (other.exponent - len(other.digits))
	if shift < 0 {
		return false // a number that does not end with 0 is not a multiple of 10
	}
	dividend, _ := new(big.Int).SetString(d.digits, 10)
	divisor, _ := new(big.Int).SetString(other.digits, 10)
	rest := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(shift)), divisor)
	rest.Mul(rest, dividend).Mod(rest, divisor)
	return rest.Sign() == 0
}

// append appends a form of the number that is the same for equal numbers.
func (d decimal) append(dst []byte) []byte {
	if d.negative {
		dst = append(dst, '-')
	}
	dst = append(dst, d.digits...)
	return strconv.AppendInt(append(dst, 'e'), int64(d.exponent), 10)
}
