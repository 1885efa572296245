package mask

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
)

// maxDepth is how many texts are looked for secrets that are strings within one another.
const maxDepth = 4

// Append appends a text with its secrets hidden: JSON, of which the end may be missing,
// a form or a query (a=b&c=d), lines of a header, or any other. Strings of JSON that have
// such texts in them are looked at as well.
func Append(dst, text []byte) []byte { return appendText(dst, text, 0) }

func appendText(dst, text []byte, depth int) []byte {
	if isJSON(text) {
		return appendJSON(dst, text, depth)
	}
	return appendPairs(dst, text)
}

// isJSON reports whether a text is JSON, or the beginning of some, that can have names.
func isJSON(text []byte) bool {
	first := bytes.TrimLeft(text, " \t\r\n")
	if len(first) == 0 || first[0] != '{' && first[0] != '[' && first[0] != '"' {
		return false
	}
	var value json.RawMessage
	var wrong *json.SyntaxError
	err := json.Unmarshal(text, &value)
	return err == nil || errors.As(err, &wrong) && wrong.Offset == int64(len(text)) // the end is missing
}

// appendJSON goes through the strings of a text: those before a colon are names.
func appendJSON(dst, text []byte, depth int) []byte {
	for len(text) > 0 {
		if text[0] != '"' {
			dst, text = append(dst, text[0]), text[1:]
			continue
		}
		whole := text[:stringEnd(text)]
		rest := text[len(whole):]
		value, found := memberValue(rest)
		if !found {
			dst, text = appendString(dst, whole, depth), rest
			continue
		}
		dst = append(append(dst, whole...), rest[:value]...)
		text = rest[value:]
		if name, _ := unquote(whole); IsSecret(string(name)) {
			dst = append(append(append(dst, '"'), Hidden...), '"')
			text = text[valueEnd(text):]
		}
	}
	return dst
}

// appendString appends a string that is a value.
func appendString(dst, whole []byte, depth int) []byte {
	content, ok := unquote(whole)
	if !ok || depth >= maxDepth || !bytes.ContainsAny(content, "=:") {
		return append(dst, whole...)
	}
	masked := appendText(nil, content, depth+1)
	if bytes.Equal(masked, content) {
		return append(dst, whole...)
	}
	quoted, _ := json.Marshal(string(masked)) // texts always marshal
	if !isClosed(whole) {
		quoted = quoted[:len(quoted)-1]
	}
	return append(dst, quoted...)
}

// stringEnd is where the string ends that a text begins with: behind its quote, or where
// the text was cut off.
func stringEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// isClosed reports whether a string was not cut off.
func isClosed(whole []byte) bool {
	backslashes := 0
	for i := len(whole) - 2; i > 0 && whole[i] == '\\'; i-- {
		backslashes++
	}
	return len(whole) > 1 && whole[len(whole)-1] == '"' && backslashes%2 == 0
}

// unquote returns the characters of a string. One that was cut off has no quote at its
// end, and perhaps half of an escape.
func unquote(whole []byte) (content []byte, ok bool) {
	inner := whole[1:]
	if isClosed(whole) {
		inner = inner[:len(inner)-1]
	}
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner, true
	}
	const longestEscape = len(`\u0000`)
	for cut := range min(longestEscape, len(inner)) + 1 {
		var text string
		if json.Unmarshal(append(append([]byte{'"'}, inner[:len(inner)-cut]...), '"'), &text) == nil {
			return []byte(text), true
		}
	}
	return inner, false
}

// space is how many bytes of white space a text begins with.
func space(text []byte) int { return len(text) - len(bytes.TrimLeft(text, " \t\r\n")) }

// valueEnd is where the value ends that a text begins with, or where the text was cut
// off.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:]) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(text)
}

// appendPairs hides the values of name=value, up to the next pair or space, of
// name: value, up to the end of the line, and of "name": value, up to the value's end: a
// text may have JSON in it.
func appendPairs(dst, text []byte) []byte {
	start := 0 // of the name
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '=', ':':
			if !secretPair(text[start:i]) {
				start = i + 1
				continue
			}
			end := pairEnd(text[i+1:], text[i])
			dst = append(append(dst, text[:i+1]...), Hidden...)
			text, i, start = text[i+1+end:], -1, 0
		case '"', '\'':
			value, found := memberValue(text[i+1:])
			if !found || !secretPair(text[start:i]) {
				start = i + 1
				continue
			}
			value += i + 1
			dst = append(append(append(append(dst, text[:value]...), '"'), Hidden...), '"')
			text, i, start = text[value+valueEnd(text[value:]):], -1, 0
		case '&', '?', ';', ',', ' ', '\t', '\r', '\n', '{', '(', '/':
			start = i + 1
		}
	}
	return append(dst, text...)
}

// memberValue is where the value begins of a member whose name stands before a text. found
// is false where there is none.
func memberValue(text []byte) (start int, found bool) {
	colon := space(text)
	if colon == len(text) || text[colon] != ':' {
		return 0, false
	}
	start = colon + 1 + space(text[colon+1:])
	return start, start < len(text)
}

// secretPair reports whether a name sounds like one of a secret. It may be escaped as in
// a URL.
func secretPair(name []byte) bool {
	if len(name) == 0 {
		return false
	}
	if plainName, err := url.QueryUnescape(string(name)); err == nil {
		return IsSecret(plainName)
	}
	return IsSecret(string(name))
}

// pairEnd is where a value ends that stands behind a separator.
func pairEnd(text []byte, separator byte) int {
	ends := "\r\n"
	if separator == '=' {
		ends = "&; \t\r\n\"'"
		if len(text) > 0 && (text[0] == '"' || text[0] == '\'') { // a quoted value ends with its quote
			if end := bytes.IndexByte(text[1:], text[0]); end >= 0 {
				return end + 2
			}
			return len(text)
		}
	}
	if end := bytes.IndexAny(text, ends); end >= 0 {
		return end
	}
	return len(text)
}
