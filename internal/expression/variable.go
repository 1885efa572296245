package expression

import "strings"

// cutWrapped splits the text behind ${ at the closing brace. Braces within the
// brackets of a path belong to the path.
func cutWrapped(s string) (name, rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '}':
			return s[:i], s[i+1:], true
		case '[':
			n := bracketLength(s[i:])
			if n == 0 {
				return "", "", false
			}
			i += n - 1
		}
	}
	return "", "", false
}

// cutUnwrapped splits the text behind a $ where the variable ends: before the
// first character that cannot belong to its name or path. A dash can belong
// only to the name of a header.
func cutUnwrapped(s string) (name, rest string) {
	for _, f := range forms {
		if header, ok := strings.CutPrefix(s, f.prefix); ok && strings.HasSuffix(f.prefix, "header.") {
			n := len(f.prefix) + nameLength(header)
			return s[:n], s[n:]
		}
	}
	n := pathLength(s)
	return s[:n], s[n:]
}

// pathLength returns the length of the path that s begins with: names and
// brackets, with or without dots before them, and functions without arguments.
func pathLength(s string) int {
	n := pathNameLength(s)
	for n < len(s) {
		more := 0
		switch s[n] {
		case '.':
			more = dotLength(s[n:])
		case '[':
			more = bracketLength(s[n:])
		}
		if more == 0 {
			return n
		}
		n += more
	}
	return n
}

func pathNameLength(s string) int {
	n := 0
	for n < len(s) && isNameByte(s[n]) {
		n++
	}
	return n
}

// dotLength returns the length of one or two dots with the wildcard, name or
// function behind them, or of the dots alone if a bracket follows; 0 if a path
// cannot go on in this way.
func dotLength(s string) int {
	n := 1
	if strings.HasPrefix(s, "..") {
		n = 2
	}
	name := pathNameLength(s[n:])
	switch {
	case strings.HasPrefix(s[n:], "*"):
		return n + 1
	case name > 0 && strings.HasPrefix(s[n+name:], "()"):
		return n + name + len("()")
	case name > 0, bracketLength(s[n:]) > 0:
		return n + name
	}
	return 0
}

// bracketLength returns the length of the bracket that s begins with, up to its
// closing ]; 0 when there is none. A ] in quotes does not count.
func bracketLength(s string) int {
	depth := 0
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '[':
			depth++
		case c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
