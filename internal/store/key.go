package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errInvalidKey is a mistake of the calling code: keys are made with Key.
var errInvalidKey = errors.New("a key is two or more segments of letters, digits, '-', '_' and '=' between dots")

// Key joins segments to a key. Any text may be a segment, names with dots or
// '*' too: a byte that keys cannot have is written as '=' and two hexadecimal
// digits, and an empty segment as a single '='.
func Key(segments ...string) string {
	var key strings.Builder
	for i, segment := range segments {
		if i > 0 {
			key.WriteByte('.')
		}
		if segment == "" {
			key.WriteByte('=')
		}
		for j := range len(segment) {
			if c := segment[j]; isPlain(c) {
				key.WriteByte(c)
			} else {
				fmt.Fprintf(&key, "=%02X", c)
			}
		}
	}
	return key.String()
}

// splitKey is the inverse of Key.
func splitKey(key string) ([]string, error) {
	segments := strings.Split(key, ".")
	for i, segment := range segments {
		text, err := decodeSegment(segment)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", key, err)
		}
		segments[i] = text
	}
	return segments, nil
}

func decodeSegment(segment string) (string, error) {
	if segment == "=" {
		return "", nil
	}
	first, rest, escaped := strings.Cut(segment, "=")
	if !escaped {
		return segment, nil
	}
	text := []byte(first)
	for _, part := range strings.Split(rest, "=") {
		if len(part) < 2 {
			return "", fmt.Errorf("segment %q is cut off", segment)
		}
		c, err := strconv.ParseUint(part[:2], 16, 8)
		if err != nil {
			return "", fmt.Errorf("segment %q: %q are no two hexadecimal digits", segment, part[:2])
		}
		text = append(append(text, byte(c)), part[2:]...)
	}
	return string(text), nil
}

// checkKey returns an error for a text that is not a key.
func checkKey(key string) error {
	if strings.Contains(key, ".") && checkPrefix(key) == nil {
		return nil
	}
	return fmt.Errorf("%q: %w", key, errInvalidKey)
}

// checkPrefix returns an error for a text that is neither empty nor whole
// segments.
func checkPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	for segment := range strings.SplitSeq(prefix, ".") {
		if segment == "" || strings.ContainsFunc(segment, func(r rune) bool { return r > 127 || !isPlain(byte(r)) && r != '=' }) {
			return fmt.Errorf("%q: %w", prefix, errInvalidKey)
		}
	}
	return nil
}

// isBelow reports whether a key has the prefix's segments and more.
func isBelow(key, prefix string) bool {
	if prefix == "" {
		return true
	}
	rest, found := strings.CutPrefix(key, prefix)
	return found && strings.HasPrefix(rest, ".")
}

func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}
