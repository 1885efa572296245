package expression

import (
	"bytes"

	"github.com/stagedoor/stagedoor/internal/jsonpath"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// find returns the raw text of a value in a message, nil if the value is
// missing or the message is not strict JSON, which it checks to the last byte.
// It builds no tree. Of several members with the same name the last counts, as
// with Jackson. The result is a part of the message.
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

// findKey finds the value of a key in the value that begins at i, and returns
// the end of the latter. depth is its nesting in the message. found is nil when
// there is no such value or when the text is not JSON.
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

// hasName reports whether raw, which skipName has read, is the name, perhaps
// with escapes.
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
