package expression

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/stagedoor/stagedoor/internal/jsonpath"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// find looks for a value in JSON text and checks on the way that the text is
// JSON, strictly, from its first to its last byte; it makes no tree. Of members
// with the same name the last counts, as it does for Jackson. The raw text of
// the value is part of the message; it is nil when the value is missing or the
// message is not JSON.
func find(message []byte, keys []jsonpath.Key) (raw []byte) {
	raw = message
	for i := range keys {
		start := skipSpace(raw, 0)
		var end int
		if raw, end = findKey(raw, start, &keys[i], i); raw == nil {
			return nil
		}
		if i == 0 && skipSpace(message, end) != len(message) {
			return nil
		}
	}
	return raw
}

// findKey looks for the value of a key in the value that begins at i and lies
// so deep in the message, and gives the end of that value. What is found is nil
// when there is no such value or when the text is not JSON.
func findKey(s []byte, i int, key *jsonpath.Key, depth int) (found []byte, end int) {
	if i == len(s) {
		return nil, failed
	}
	object := s[i] == '{'
	if !object && s[i] != '[' || object == key.IsIndex {
		return nil, skipValue(s, i, depth)
	}
	for n := 0; ; n++ {
		i = skipSpace(s, i+1)
		if n == 0 && i < len(s) && s[i] == closing(object) {
			return nil, i + 1
		}
		wanted := key.IsIndex && key.Index == n
		if object {
			name := i
			if i = skipName(s, i); i < 0 {
				return nil, failed
			}
			wanted = hasName(s[name:i], key.Name)
		}
		start := i
		if i = skipValue(s, i, depth+1); i < 0 {
			return nil, failed
		}
		if wanted {
			found = s[start:i]
		}
		i = skipSpace(s, i)
		switch {
		case i == len(s):
			return nil, failed
		case s[i] == closing(object):
			return found, i + 1
		case s[i] != ',':
			return nil, failed
		}
	}
}

func closing(object bool) byte {
	if object {
		return '}'
	}
	return ']'
}

// hasName tells whether raw, what skipName has read, means a name.
func hasName(raw []byte, name string) bool {
	end := len(name) + 1
	if end < len(raw) && raw[end] == '"' && string(raw[1:end]) == name {
		return !hasEscape(raw[1:end])
	}
	if !hasEscape(raw) {
		return false
	}
	meaning, err := jsonvalue.Parse(raw[:skipString(raw, 0)])
	return err == nil && meaning == name
}

func hasEscape(raw []byte) bool {
	return bytes.IndexByte(raw, '\\') >= 0
}

// failed is what the functions below return when the text is not JSON. They
// read what begins at i and return the place behind it.
const failed = -1

// skipSpace is small, so that the compiler puts it in place: mostly there is
// no space.
func skipSpace(s []byte, i int) int {
	if i < len(s) && s[i] > ' ' {
		return i
	}
	return skipSpaces(s, i)
}

func skipSpaces(s []byte, i int) int {
	for i < len(s) && s[i] <= ' ' {
		if c := s[i]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return i
		}
		i++
	}
	return i
}

// skipValue reads a value that lies so deep in the message.
func skipValue(s []byte, i, depth int) int {
	if i >= len(s) {
		return failed
	}
	switch s[i] {
	case '"':
		return skipString(s, i)
	case '{':
		return skipObject(s, i, depth+1)
	case '[':
		return skipList(s, i, depth+1)
	case 't':
		return skipWord(s, i, "true")
	case 'f':
		return skipWord(s, i, "false")
	case 'n':
		return skipWord(s, i, "null")
	}
	return skipNumber(s, i)
}

func skipWord(s []byte, i int, word string) int {
	end := i + len(word)
	if end > len(s) || string(s[i:end]) != word {
		return failed
	}
	return end
}

func skipObject(s []byte, i, depth int) int {
	if depth > jsonvalue.MaxDepth {
		return failed
	}
	if i = skipSpace(s, i+1); i < len(s) && s[i] == '}' {
		return i + 1
	}
	for {
		if i = skipName(s, i); i < 0 {
			return failed
		}
		if i = skipValue(s, i, depth); i < 0 {
			return failed
		}
		if i = skipSpace(s, i); i == len(s) {
			return failed
		}
		if s[i] == '}' {
			return i + 1
		}
		if s[i] != ',' {
			return failed
		}
		i = skipSpace(s, i+1)
	}
}

func skipList(s []byte, i, depth int) int {
	if depth > jsonvalue.MaxDepth {
		return failed
	}
	if i = skipSpace(s, i+1); i < len(s) && s[i] == ']' {
		return i + 1
	}
	for {
		if i = skipValue(s, i, depth); i < 0 {
			return failed
		}
		if i = skipSpace(s, i); i == len(s) {
			return failed
		}
		if s[i] == ']' {
			return i + 1
		}
		if s[i] != ',' {
			return failed
		}
		i = skipSpace(s, i+1)
	}
}

// skipName reads a member's name, the colon, and the space behind it.
func skipName(s []byte, i int) int {
	if i >= len(s) || s[i] != '"' {
		return failed
	}
	if i = skipString(s, i); i < 0 {
		return failed
	}
	if i = skipSpace(s, i); i == len(s) || s[i] != ':' {
		return failed
	}
	return skipSpace(s, i+1)
}

// skipString reads a string from its opening quote on. It looks at eight bytes
// at once: messages are mostly strings.
func skipString(s []byte, i int) int {
	i++
	for {
		for i+8 <= len(s) {
			special := specials(binary.LittleEndian.Uint64(s[i:]))
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

// specials marks the first of eight bytes that ends a run of plain characters:
// a quote, a backslash or a control character. The lowest bit that is set
// belongs to it; higher ones say nothing.
func specials(word uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	// Subtracting makes the top bit of what is too small; bytes that have it
	// anyway are parts of longer characters, and plain.
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

func skipNumber(s []byte, i int) int {
	if s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if i = skipDigits(s, i); i < 0 {
		return failed
	}
	if i < len(s) && s[i] == '.' {
		if i = skipDigits(s, i+1); i < 0 {
			return failed
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		return skipDigits(s, i)
	}
	return i
}

// skipDigits reads at least one digit.
func skipDigits(s []byte, i int) int {
	start := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == start {
		return failed
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
