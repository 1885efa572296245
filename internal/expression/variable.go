package expression

import "strings"

// cutWrapped cuts what follows ${ at its }. Braces within the brackets of a
// path belong to the path.
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

// cutUnwrapped cuts what follows a $ where the variable ends: in front of the
// first character that cannot belong to its name or path. Dashes belong to the
// names of headers only.
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

// pathLength is how far a path reaches: names and brackets, each behind dots or
// not, and functions without arguments.
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

// dotLength is the length of one or two dots with the wildcard, the name or
// the function behind them, or with nothing when a bracket follows; 0 when no
// path goes on like this.
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

// bracketLength is the length of the bracket that s begins with, to the ] that
// closes it; 0 when there is none. What stands in quotes closes nothing.
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
