package accesslog

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// plainSet are the ASCII characters that stand for themselves.
type plainSet [utf8.RuneSelf]bool

// allBut returns the printable characters but some.
func allBut(some string) *plainSet {
	var set plainSet
	for c := ' '; c < '\x7f'; c++ {
		set[c] = !strings.ContainsRune(some, c)
	}
	return &set
}

var (
	plainJSON      = allBut(`"\`)
	plainXML       = allBut(`<>&"'`)
	plainCDATA     = allBut(`>`)
	plainHidden    = allBut(`-?>`)
	plainCSVQuoted = allBut(`"`)
	plainCSVPart   = allBut(`",`)
)

// surrounding returns the characters that stand for themselves where no quotes are: all
// but white space, quotes, and those that stand beside a variable somewhere.
func surrounding(list []piece) *plainSet {
	set := allBut(" \"'\\")
	exclude := func(c byte) {
		if c < utf8.RuneSelf && strings.IndexByte("-._/:@", c) < 0 && step(string(rune(c))) == 0 {
			set[c] = false
			if i := strings.IndexByte("()[]{}<>", c); i >= 0 {
				set["()[]{}<>"[i^1]] = false
			}
		}
	}
	for i, p := range list {
		if n := len(p.text); n > 0 && p.name != "" {
			exclude(p.text[n-1])
		}
		if i > 0 && p.text != "" {
			exclude(p.text[0])
		}
	}
	return set
}

// appendEscaped appends a text as it may stand in a place. own are the characters that
// stand for themselves there. Every line break and control character is escaped, so
// that neither lines nor terminals are broken; bytes that are no UTF-8 become U+FFFD.
func appendEscaped(dst []byte, text string, p place, own *plainSet) []byte {
	begin := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if !own[c] {
				dst = append(dst, text[begin:i]...)
				dst = appendCharacter(dst, rune(c), p)
				begin = i + 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 || isBreak(r) || r == '\ufffe' || r == '\uffff' {
			dst = append(dst, text[begin:i]...)
			dst = appendCharacter(dst, r, p)
			begin = i + size
		}
		i += size
	}
	return append(dst, text[begin:]...)
}

// isBreak reports whether a character beyond ASCII ends lines or controls terminals.
func isBreak(r rune) bool { return r <= 0x9f || r == '\u2028' || r == '\u2029' }

// appendCharacter appends a character that must not stand for itself.
func appendCharacter(dst []byte, r rune, p place) []byte {
	if r == utf8.RuneError || r == '\ufffe' || r == '\uffff' {
		return utf8.AppendRune(dst, utf8.RuneError)
	}
	switch p {
	case xmlText:
		return appendXML(dst, r)
	case xmlCDATA:
		if r == '>' { // it might end the section
			return append(dst, "]]><![CDATA[>"...)
		}
		return append(dst, ' ')
	case xmlHidden:
		return append(dst, ' ')
	case csvQuoted, csvField:
		if r == '"' {
			return append(dst, `""`...)
		}
	}
	switch r {
	case '"', '\\':
		if p != csvPart {
			return append(dst, '\\', byte(r))
		}
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

func appendXML(dst []byte, r rune) []byte {
	switch r {
	case '<':
		return append(dst, "&lt;"...)
	case '>':
		return append(dst, "&gt;"...)
	case '&':
		return append(dst, "&amp;"...)
	case '"':
		return append(dst, "&quot;"...)
	case '\'':
		return append(dst, "&#39;"...)
	case '\t', '\n', '\r':
	default:
		if r < ' ' { // XML has no way to say it
			return utf8.AppendRune(dst, utf8.RuneError)
		}
	}
	return append(strconv.AppendInt(append(dst, "&#"...), int64(r), 10), ';')
}

// appendField appends a text as a whole field of CSV: in quotes where it needs them.
func appendField(dst []byte, text string) []byte {
	if !strings.ContainsAny(text, `",`) && strings.TrimSpace(text) == text {
		return appendEscaped(dst, text, csvQuoted, plainCSVQuoted)
	}
	return append(appendEscaped(append(dst, '"'), text, csvQuoted, plainCSVQuoted), '"')
}

// isScalar reports whether a text is a number, true, false or null as JSON writes them.
// Numbers that programs read differently, such as very long ones, are none.
func isScalar(text string) bool {
	switch text {
	case "true", "false", "null":
		return true
	}
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	return isDigits(whole) && (whole[0] != '0' || len(whole) == 1) && (!point || isDigits(fraction))
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != "" && len(text) <= 15
}
