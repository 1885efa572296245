package terminal

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// Drives tells the characters that a terminal acts upon instead of showing
// them: controls, and those that turn the direction of the text around them. In
// a text from somewhere else they could rewrite what stands above, or make a
// line look like another.
func Drives(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// Harmless is a writer for lines of a log, whole ones, in which the characters
// that Drives tells are written as JSON escapes. Encoders leave some of them as
// they are: encoding/json all above U+001F, log/slog's text U+007F.
func Harmless(out io.Writer) io.Writer { return harmless{out} }

type harmless struct{ out io.Writer }

// Write implements io.Writer.
func (h harmless) Write(p []byte) (int, error) {
	escapes := func(r rune) bool { return r >= ' ' && Drives(r) } // below stand line ends, and what encoders escape
	if bytes.IndexFunc(p, escapes) < 0 {
		return h.out.Write(p)
	}
	safe := make([]byte, 0, len(p)+16)
	for rest := p; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if escapes(r) {
			safe = fmt.Appendf(safe, `\u%04x`, r)
		} else {
			safe = append(safe, rest[:size]...)
		}
		rest = rest[size:]
	}
	if _, err := h.out.Write(safe); err != nil {
		return 0, err
	}
	return len(p), nil
}
