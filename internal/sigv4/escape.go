package sigv4

import "strings"

const upperHex = "0123456789ABCDEF"

// escape escapes every byte that is not unreserved by RFC 3986.
func escape(text string) string { return escapeOthers(text, &unreserved) }

// escapePath does so in each segment of a path.
func escapePath(path string) string { return escapeOthers(path, &unreservedOrSlash) }

// escapeOthers escapes every byte that is not among those that are kept.
func escapeOthers(text string, kept *[256]bool) string {
	reserved := 0
	for i := range len(text) {
		if !kept[text[i]] {
			reserved++
		}
	}
	if reserved == 0 {
		return text
	}
	escaped := make([]byte, 0, len(text)+2*reserved)
	for i := range len(text) {
		if char := text[i]; kept[char] {
			escaped = append(escaped, char)
		} else {
			escaped = append(escaped, '%', upperHex[char>>4], upperHex[char&15])
		}
	}
	return string(escaped)
}

var (
	unreserved        = bytesOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
	unreservedOrSlash = bytesOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
)

// bytesOf says of each byte whether a text has it.
func bytesOf(text string) (has [256]bool) {
	for i := range len(text) {
		has[text[i]] = true
	}
	return has
}

// unescape undoes the escapes of a query string. It returns false if a percent
// sign does not begin an escape.
func unescape(text string) (string, bool) {
	if !strings.ContainsAny(text, "%+") {
		return text, true
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '+':
			b.WriteByte(' ')
		case '%':
			if i+2 >= len(text) {
				return "", false
			}
			high, low := hexDigit(text[i+1]), hexDigit(text[i+2])
			if high < 0 || low < 0 {
				return "", false
			}
			b.WriteByte(byte(high<<4 | low))
			i += 2
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String(), true
}

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(char byte) int {
	switch {
	case '0' <= char && char <= '9':
		return int(char - '0')
	case 'a' <= char && char <= 'f':
		return int(char-'a') + 10
	case 'A' <= char && char <= 'F':
		return int(char-'A') + 10
	}
	return -1
}
