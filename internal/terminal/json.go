package terminal

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// Colours, as terminals know them.
const (
	reset   = "\x1b[0m"
	dim     = "\x1b[2m"
	red     = "\x1b[31m"
	green   = "\x1b[32m"
	yellow  = "\x1b[33m"
	magenta = "\x1b[35m"
	cyan    = "\x1b[36m"
)

func (p *Printer) paint(color, text string) string {
	if !p.Color {
		return text
	}
	return color + text + reset
}

// indentJSON indents a JSON object or array. The order of members and the
// spelling of numbers do not change. It returns any other text unchanged.
func indentJSON(data []byte) string {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || (trimmed[0] != '{' && trimmed[0] != '[') {
		return string(data)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, trimmed, "", "  "); err != nil {
		return string(data)
	}
	return b.String()
}

// jsonToken matches a member name with its colon, a string, a number or a
// literal.
var jsonToken = lazyregexp.New(`"(?:[^"\\]|\\.)*"\s*:|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|\b(?:true|false|null)\b`)

// colorJSON colours the tokens of valid JSON and leaves other text alone.
func colorJSON(text string) string {
	if !json.Valid([]byte(text)) {
		return text
	}
	return jsonToken.Compiled().ReplaceAllStringFunc(text, func(token string) string {
		switch {
		case strings.HasSuffix(token, ":"):
			return cyan + strings.TrimSuffix(token, ":") + reset + ":"
		case token[0] == '"':
			return green + token + reset
		case token == "true", token == "false", token == "null":
			return magenta + token + reset
		}
		return yellow + token + reset
	})
}
