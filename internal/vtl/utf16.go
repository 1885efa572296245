package vtl

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Java counts the length of strings in units of UTF-16, where characters
// outside of the basic plane count as two. Strings here are UTF-8. For ASCII
// both counts are the same.

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// length is Java's length().
func length(s string) int {
	if isASCII(s) {
		return len(s)
	}
	n := 0
	for _, c := range s {
		n += utf16.RuneLen(c)
	}
	return n
}

// byteOffset returns the offset in s of a unit of UTF-16, which must not be
// past the end. For the second half of a character it is the character's
// offset.
func byteOffset(s string, unit int) int {
	n := 0
	for i, c := range s {
		width := utf16.RuneLen(c)
		if n+width > unit {
			return i
		}
		n += width
	}
	return len(s)
}

// slice returns the units from one to before another. Half a character becomes
// U+FFFD.
func slice(s string, from, to int) string {
	if isASCII(s) {
		return s[from:to]
	}
	start, end := byteOffset(s, from), byteOffset(s, to)
	if length(s[:start]) == from && length(s[:end]) == to {
		return s[start:end]
	}
	return string(utf16.Decode(utf16.Encode([]rune(s))[from:to]))
}

// unitOffset returns the unit of UTF-16 at an offset in s, or -1 for -1.
func unitOffset(s string, offset int) int {
	if offset < 0 {
		return -1
	}
	return length(s[:offset])
}

// compareStrings is Java's compareTo.
func compareStrings(a, b string) int {
	u, v := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
	for i := range min(len(u), len(v)) {
		if u[i] != v[i] {
			return int(u[i]) - int(v[i])
		}
	}
	return len(u) - len(v)
}

// hashString is Java's hashCode.
func hashString(s string) int32 {
	var sum int32
	for _, c := range s {
		if high, low := utf16.EncodeRune(c); high != unicode.ReplacementChar {
			sum = 31*(31*sum+high) + low
		} else {
			sum = 31*sum + c
		}
	}
	return sum
}

// equalFold is Java's equalsIgnoreCase.
func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// trim is Java's trim: it removes spaces and control characters at both ends.
func trim(s string) string {
	return strings.TrimFunc(s, func(c rune) bool { return c <= ' ' })
}
