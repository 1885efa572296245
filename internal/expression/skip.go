package expression

import "github.com/stagedoor/stagedoor/internal/jsonvalue"

// failed is what the functions named skip return when the text is not JSON.
// They read the text from i on, and return the place behind it.
const failed = -1

// skipSpace is small, so that the compiler inlines it: usually there is no
// space.
func skipSpace(s []byte, i int) int {
	if i < len(s) && s[i] > ' ' {
		return i
	}
	return skipSpaces(s, i)
}

//go:noinline
func skipSpaces(s []byte, i int) int {
	for i < len(s) && s[i] <= ' ' {
		if c := s[i]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return i
		}
		i++
	}
	return i
}

// skipValue reads a value. depth is its nesting in the message.
func skipValue(s []byte, i, depth int) int {
	if i >= len(s) {
		return failed
	}
	switch s[i] {
	case '"':
		return skipString(s, i)
	case '{', '[':
		return skipNested(s, i, depth)
	case 't', 'f', 'n':
		return skipWord(s, i)
	}
	return skipNumber(s, i)
}

// nesting has a bit for each open array or object, which is set for objects.
// The innermost is the lowest; above them all is the bit of outermost.
type nesting uint64

// outermost is the nesting when nothing is open.
const outermost nesting = 0b10

// full reports whether there is no bit left.
func (n nesting) full() bool { return n>>63 != 0 }

// in adds the array or object that a bracket opens.
func (n nesting) in(bracket byte) nesting { return n<<1 | nesting(bracket>>5&1) }

func (n nesting) out() nesting { return n >> 1 }

func (n nesting) isObject() bool { return n&1 != 0 }

// closing returns the bracket that closes the innermost.
func (n nesting) closing() byte { return ']' + byte(n&1)<<5 }

// at is the byte at i, and 0, which stands nowhere in JSON, behind the text.
func at(s []byte, i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

// skipNested reads an array or object with everything in it. depth is its
// nesting in the message. Messages with many small members spend their time
// here, so it is one loop, without a call for the common case: short strings,
// and no space.
func skipNested(s []byte, i, depth int) int {
	for open := outermost; ; {
		if open.isObject() {
			end, ok := plainEnd(s, i)
			if ok && s[i] == '"' && s[end] == '"' && s[end+1] == ':' && s[end+2] > ' ' {
				i = end + 2
			} else if i = skipName(s, i); i < 0 {
				return failed
			}
		}
		switch c := at(s, i); c {
		case '"':
			if end, ok := plainEnd(s, i); ok && s[end] == '"' {
				i = end + 1
			} else {
				i = skipString(s, i)
			}
		case '{', '[':
			if open.full() {
				i = skipNested(s, i, depth)
				break
			}
			if depth++; depth > jsonvalue.MaxDepth {
				return failed
			}
			open = open.in(c)
			if i = skipSpace(s, i+1); at(s, i) != open.closing() {
				continue
			}
			open, depth = open.out(), depth-1
			i++
		case 't', 'f', 'n':
			i = skipWord(s, i)
		default:
			i = skipNumber(s, i)
		}
		if i < 0 {
			return failed
		}
		// A value has ended, and perhaps the array or object that it is in.
		for {
			if open == outermost {
				return i
			}
			if i = skipSpace(s, i); i == len(s) {
				return failed
			}
			if s[i] == ',' {
				break
			}
			if s[i] != open.closing() {
				return failed
			}
			open, depth = open.out(), depth-1
			i++
		}
		i = skipSpace(s, i+1)
	}
}

// skipName reads a member's name, the colon, and the space behind it.
func skipName(s []byte, i int) int {
	if i >= len(s) || s[i] != '"' {
		return failed
	}
	if i = skipString(s, i); i < 0 {
		return failed
	}
	if i = skipSpace(s, i); i == len(s) || s[i] != ':' {
		return failed
	}
	return skipSpace(s, i+1)
}

// skipWord reads true, false or null.
func skipWord(s []byte, i int) int {
	end := i + len("true")
	if s[i] == 'f' {
		i, end = i+1, end+1
	}
	if end > len(s) {
		return failed
	}
	switch string(s[i:end]) {
	case "true", "alse", "null":
		return end
	}
	return failed
}

func skipNumber(s []byte, i int) int {
	if at(s, i) == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if i = skipDigits(s, i); i < 0 {
		return failed
	}
	if i == len(s) || s[i] == ',' { // what follows an integer
		return i
	}
	if s[i] == '.' {
		if i = skipDigits(s, i+1); i < 0 {
			return failed
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		return skipDigits(s, i)
	}
	return i
}

// skipDigits reads at least one digit.
func skipDigits(s []byte, i int) int {
	start := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == start {
		return failed
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
