package mapping

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// utility is $util.
type utility struct{ x *Exchange }

func (u *utility) Property(string) (any, bool) { return nil, false }

// Call calls a function. What cannot be decoded or parsed gives null, and so
// does null but for escapeJavaScript, which makes the text null of it.
func (u *utility) Call(method string, args []any) (any, error) {
	if len(args) != 1 {
		return nil, nil
	}
	if args[0] == nil {
		if method == "escapeJavaScript" {
			return "null", nil
		}
		return nil, nil
	}
	text, err := textOf(args[0])
	if err != nil {
		return nil, err
	}
	if method == "parseJson" {
		return u.parseJSON(text)
	}
	function, ok := functions[method]
	if !ok {
		return nil, nil
	}
	result, ok := function(text)
	switch {
	case !ok:
		return nil, nil
	case result == args[0]: // nothing was to be done: no need for another value
		return args[0], u.x.budget.charge(len(result))
	}
	return u.x.budget.made(result)
}

// functions turn a text into another, or tell that they cannot.
var functions = map[string]func(string) (string, bool){
	"escapeJavaScript": func(s string) (string, bool) { return escapeJavaScript(s), true },
	"urlEncode":        func(s string) (string, bool) { return urlEncode.Replace(url.QueryEscape(s)), true },
	"urlDecode":        urlDecode,
	"base64Encode":     func(s string) (string, bool) { return base64.StdEncoding.EncodeToString([]byte(s)), true },
	"base64Decode":     base64Decode,
}

func (u *utility) parseJSON(text string) (any, error) {
	if err := u.x.budget.charge(len(text)); err != nil {
		return nil, err
	}
	value, err := jsonvalue.Parse([]byte(text))
	if err != nil {
		return nil, nil
	}
	return value, nil
}

// urlEncode is where Java's URLEncoder differs from Go's.
var urlEncode = strings.NewReplacer("~", "%7E", "%2A", "*")

func urlDecode(s string) (string, bool) {
	decoded, err := url.QueryUnescape(s)
	return strings.ToValidUTF8(decoded, "\uFFFD"), err == nil
}

func base64Decode(s string) (string, bool) {
	decoded, err := decodeBase64([]byte(s))
	return strings.ToValidUTF8(string(decoded), "\uFFFD"), err == nil
}

// escapeJavaScript escapes what ends or breaks a JavaScript string. A slash
// stays, and so do letters of any script.
func escapeJavaScript(s string) string {
	const hex = "0123456789ABCDEF"
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\'' || r == '"' || r == '\\' }) {
		return s
	}
	escaped := make([]byte, 0, len(s)+16)
	for _, c := range []byte(s) {
		switch short := strings.IndexByte("\b\f\n\r\t", c); {
		case c == '\'' || c == '"' || c == '\\':
			escaped = append(escaped, '\\', c)
		case short >= 0:
			escaped = append(escaped, '\\', "bfnrt"[short])
		case c < ' ':
			escaped = append(escaped, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			escaped = append(escaped, c)
		}
	}
	return string(escaped)
}
