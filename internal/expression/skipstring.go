package expression

import (
	"encoding/binary"
	"math/bits"
)

// skipString reads a string from its opening quote on. It looks at eight bytes
// at once: messages are mostly strings.
func skipString(s []byte, i int) int {
	i++
	for {
		for i+8 <= len(s) {
			special := specials(eight(s, i))
			if special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
			i += 8
		}
		if i >= len(s) {
			return failed
		}
		switch c := s[i]; {
		case c == '"':
			return i + 1
		case c < ' ':
			return failed
		case c != '\\':
			i++
		default:
			if i = skipEscape(s, i); i < 0 {
				return failed
			}
		}
	}
}

// plainEnd returns the place of the first byte of a string that is not plain.
// ok is false if none of the first seven is one, or close to the end of the
// message. It is small, so that the compiler inlines it; i may be anything.
func plainEnd(s []byte, i int) (end int, ok bool) {
	if i+12 > len(s) {
		return 0, false
	}
	return i + 1 + bits.TrailingZeros64(specials(eight(s, i+1))|1<<63)/8, true
}

// eight returns the eight bytes from i on. The capacity in the brackets saves
// bounds checks.
func eight(s []byte, i int) uint64 {
	return binary.LittleEndian.Uint64(s[i : i+8 : i+8])
}

// specials marks the first of eight bytes that is a quote, a backslash or a
// control character. The lowest bit that is set belongs to it; higher bits have
// no meaning.
func specials(word uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	// Subtracting sets the top bit of bytes that are too small. Bytes that have
	// it already are parts of longer characters, and plain.
	quote := (word ^ ones*'"') - ones
	backslash := (word ^ ones*'\\') - ones
	control := word - ones*' '
	return (quote | backslash | control) & (tops &^ word)
}

func skipEscape(s []byte, i int) int {
	if i++; i == len(s) {
		return failed
	}
	switch s[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		end := i + 5
		if end > len(s) {
			return failed
		}
		for _, c := range s[i+1 : end] {
			if !isDigit(c) && !('a' <= c|0x20 && c|0x20 <= 'f') {
				return failed
			}
		}
		return end
	}
	return failed
}
