package iampolicy

import (
	"strings"
	"unicode/utf8"
)

// In a pattern's text, wildcards are bytes that do not occur in UTF-8, so
// literal asterisks and question marks need no escapes.
const (
	anyRun  = 0xFF // any characters, or none
	anyChar = 0xFE // one character
)

// match is the result of comparing a subject with a pattern.
type match int

const (
	different match = iota
	matched
	noValue  // the pattern has a variable without a value
	unusable // the subject is not of the operator's type
)

// pattern is a text with wildcards and policy variables.
type pattern struct {
	// parts are the text, split at its variables. A pattern without variables
	// has one part.
	parts []part
}

// part is literal text with wildcards, and the variable after it.
type part struct {
	text     string
	variable string // its key in lower case; "" at the end
	standard string // the variable's default
	defaults bool   // it has one
}

// matches compares a subject with the pattern.
func (p *pattern) matches(e *evaluation, subject string) match {
	text, ok := p.expand(e)
	switch {
	case !ok:
		return noValue
	case glob(text, subject):
		return matched
	}
	return different
}

// expand replaces variables by their values, in which * and ? are literal
// characters. It returns false if a variable has no value or several.
func (p *pattern) expand(e *evaluation) (string, bool) {
	if len(p.parts) == 1 && p.parts[0].variable == "" {
		return p.parts[0].text, true
	}
	var b strings.Builder
	for _, part := range p.parts {
		b.WriteString(part.text)
		if part.variable == "" {
			continue
		}
		values := e.values(part.variable)
		switch {
		case len(values) == 1:
			if !utf8.ValidString(values[0]) || b.Len()+len(values[0]) > MaxSubject {
				return "", false // its bytes could be taken for wildcards
			}
			b.WriteString(values[0])
		case len(values) == 0 && part.defaults:
			b.WriteString(part.standard)
		default:
			return "", false
		}
	}
	return b.String(), true
}

// glob reports whether the subject matches a text with wildcards. It takes
// time in proportion to the product of their lengths at most.
func glob(text, subject string) bool {
	t, s := 0, 0
	// Where the last run of any characters began, to try a longer one.
	retryText, retrySubject := -1, 0
	for s < len(subject) {
		switch {
		case t < len(text) && text[t] == anyRun:
			t++
			retryText, retrySubject = t, s
		case t < len(text) && text[t] == anyChar:
			_, size := utf8.DecodeRuneInString(subject[s:])
			t, s = t+1, s+size
		case t < len(text) && text[t] == subject[s]:
			t, s = t+1, s+1
		case retryText >= 0:
			retrySubject++
			t, s = retryText, retrySubject
		default:
			return false
		}
	}
	for t < len(text) && text[t] == anyRun {
		t++
	}
	return t == len(text)
}

// syntax is which characters are special in a pattern of a document.
type syntax struct {
	wildcards bool // * and ?
	variables bool // ${key}, and ${*}, ${?}, ${$}
	lower     bool // the subject is in lower case
}

// compile reads a pattern. The text is valid UTF-8.
func (x syntax) compile(text string) (pattern, error) {
	if x.lower {
		text = strings.ToLower(text)
	}
	var p pattern
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		char := text[i]
		switch {
		case x.wildcards && char == '*':
			if b.Len() == 0 || b.String()[b.Len()-1] != anyRun { // one run is as good as two
				b.WriteByte(anyRun)
			}
		case x.wildcards && char == '?':
			b.WriteByte(anyChar)
		case x.variables && strings.HasPrefix(text[i:], "${"):
			length := strings.IndexByte(text[i:], '}')
			if length < 0 {
				return pattern{}, mistake("the policy variable in %s has no closing brace", quote(text))
			}
			inside := text[i+2 : i+length]
			i += length
			if inside == "*" || inside == "?" || inside == "$" {
				b.WriteString(inside)
				continue
			}
			variable, err := parseVariable(inside)
			if err != nil {
				return pattern{}, err
			}
			variable.text = b.String()
			b.Reset()
			p.parts = append(p.parts, variable)
		default:
			b.WriteByte(char)
		}
	}
	p.parts = append(p.parts, part{text: b.String()})
	return p, nil
}

// parseVariable reads the text between the braces: a key, and possibly a
// default in single quotes.
func parseVariable(inside string) (part, error) {
	key, standard, defaults := strings.Cut(inside, ",")
	key = strings.TrimSpace(key)
	if !validKey(key) {
		return part{}, mistake("%s is not a policy variable", quote("${"+inside+"}"))
	}
	p := part{variable: strings.ToLower(key), defaults: defaults}
	if defaults {
		standard = strings.TrimSpace(standard)
		if len(standard) < 2 || standard[0] != '\'' || standard[len(standard)-1] != '\'' {
			return part{}, mistake("the default of %s must be in single quotes", quote("${"+inside+"}"))
		}
		p.standard = standard[1 : len(standard)-1]
	}
	return p, nil
}

// validKey reports whether a text is the name of a condition key: a service's
// prefix, a colon, a name.
func validKey(key string) bool {
	prefix, name, found := strings.Cut(key, ":")
	return found && prefix != "" && name != "" && key == strings.TrimSpace(key) && !strings.ContainsAny(key, "\t\r\n'\"{}$*?")
}
