package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// jsonEscapes rewrites the escapes that JSON has and the YAML parser does not
// know, so that one parser can read both: the escaped slash, and the two-part
// \u escapes of characters beyond U+FFFF. A source that is not JSON stays as it
// is.
func jsonEscapes(source []byte) []byte {
	if !bytes.HasPrefix(bytes.TrimLeft(source, " \t\r\n"), []byte("{")) {
		return source
	}
	var out []byte
	done := 0
	for i := 0; i+1 < len(source); i++ {
		if source[i] != '\\' {
			continue
		}
		if char, ok := surrogatePair(source[i:]); ok {
			out = fmt.Appendf(append(out, source[done:i]...), `\U%08X`, char)
			done = i + len(`\uXXXX\uXXXX`)
			i = done - 1
			continue
		}
		if source[i+1] == '/' {
			out = append(out, source[done:i]...)
			done = i + 1
		}
		i++ // the escaped character
	}
	if out == nil {
		return source
	}
	return append(out, source[done:]...)
}

// surrogatePair reads the two escapes of one character at the start of s.
func surrogatePair(s []byte) (char uint64, ok bool) {
	if len(s) < 12 || s[1] != 'u' || s[6] != '\\' || s[7] != 'u' {
		return 0, false
	}
	high, errHigh := strconv.ParseUint(string(s[2:6]), 16, 16)
	low, errLow := strconv.ParseUint(string(s[8:12]), 16, 16)
	if errHigh != nil || errLow != nil || high>>10 != 0xd800>>10 || low>>10 != 0xdc00>>10 {
		return 0, false
	}
	return 0x10000 + (high-0xd800)<<10 + (low - 0xdc00), true
}

// indentedJSON writes a value as JSON with sorted keys, two spaces of
// indentation and a newline at the end.
func indentedJSON(v *value) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v.plain()); err != nil {
		return nil, fmt.Errorf("encode template: %w", err)
	}
	return out.Bytes(), nil
}

// compactJSON writes a value as JSON with sorted keys and no white space.
func compactJSON(v *value) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v.plain()); err != nil {
		return nil, fmt.Errorf("encode template value: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
