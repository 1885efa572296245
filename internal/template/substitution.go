package template

import "strings"

// fragment is a piece of the string of Fn::Sub: literal text, or the name of a
// variable.
type fragment struct {
	text     string
	variable bool
}

// substitution is Fn::Sub in either form.
type substitution struct {
	fragments []fragment
	variables *value // an object with variables; may be empty
	line      int
}

// asSubstitution reads the argument of Fn::Sub.
func (c call) asSubstitution() (substitution, bool) {
	template, variables := c.argument, newObject(c.line)
	if c.argument.kind == list {
		if len(c.argument.items) != 2 || c.argument.items[1].kind != object {
			return substitution{}, false
		}
		template, variables = c.argument.items[0], c.argument.items[1]
	}
	if !template.isScalar() {
		return substitution{}, false
	}
	return substitution{fragments: splitVariables(template.text), variables: variables, line: template.line}, true
}

// splitVariables cuts a string at its ${…}. "${!name}" stands for the literal
// "${name}", and a brace that is never closed is literal.
func splitVariables(s string) []fragment {
	var fragments []fragment
	literal := func(text string) {
		if text != "" {
			fragments = append(fragments, fragment{text: text})
		}
	}
	for {
		start := strings.Index(s, "${")
		if start < 0 {
			break
		}
		length := strings.IndexByte(s[start:], '}')
		if length < 0 {
			break
		}
		literal(s[:start])
		name := s[start+2 : start+length]
		if strings.HasPrefix(name, "!") {
			literal("${" + name[1:] + "}")
		} else {
			fragments = append(fragments, fragment{text: strings.TrimSpace(name), variable: true})
		}
		s = s[start+length+1:]
	}
	literal(s)
	return fragments
}
