package dynamodb

import "strings"

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenName             // an attribute name, a function or a keyword
	tokenAlias            // #name, of ExpressionAttributeNames
	tokenValue            // :name, of ExpressionAttributeValues
	tokenNumber           // of a list index
	tokenSymbol
)

type token struct {
	kind tokenKind
	text string
}

// is reports whether the token is a symbol or, in any case, a keyword.
func (t token) is(text string) bool {
	return t.kind == tokenSymbol && t.text == text || t.kind == tokenName && strings.EqualFold(t.text, text)
}

func (t token) String() string {
	if t.kind == tokenEnd {
		return "<EOF>"
	}
	return t.text
}

// maxExpression is the length of an expression in bytes that DynamoDB takes.
const maxExpression = 4096

// lex splits an expression into tokens, the last being the end.
func lex(expression string) ([]token, error) {
	if len(expression) > maxExpression {
		return nil, validation("Expression size has exceeded the maximum allowed size; expression size: %d", len(expression))
	}
	var tokens []token
	for rest := expression; ; {
		rest = strings.TrimLeft(rest, " \t\r\n")
		if rest == "" {
			return append(tokens, token{}), nil
		}
		next := lexOne(rest)
		if next.text == "" {
			return nil, validation("Syntax error; token: %q, near: %q", rest[:1], clip(rest))
		}
		tokens = append(tokens, next)
		rest = rest[len(next.text):]
	}
}

// lexOne returns the token that text begins with, an empty one where there is
// none.
func lexOne(text string) token {
	for _, symbol := range []string{"<>", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ",", ".", "+", "-"} {
		if strings.HasPrefix(text, symbol) {
			return token{tokenSymbol, symbol}
		}
	}
	switch first := text[0]; {
	case first == '#' || first == ':':
		n := 1 + wordLength(text[1:])
		if n == 1 {
			return token{}
		}
		if first == '#' {
			return token{tokenAlias, text[:n]}
		}
		return token{tokenValue, text[:n]}
	case first >= '0' && first <= '9':
		n := len(text) - len(strings.TrimLeft(text, "0123456789"))
		return token{tokenNumber, text[:n]}
	}
	return token{tokenName, text[:wordLength(text)]}
}

func wordLength(text string) int {
	for i, c := range []byte(text) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_') {
			return i
		}
	}
	return len(text)
}
