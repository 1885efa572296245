package terminal

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// IsControl reports whether a terminal acts upon a character instead of showing
// it: a control character, or one that changes the direction of the text around
// it. In a text from elsewhere these could overwrite lines above, or make a line
// look like another.
func IsControl(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// EscapeControls returns a writer for whole lines of a log, which writes the
// characters of IsControl to out as JSON escapes. It is needed behind encoders:
// encoding/json leaves those above U+001F as they are, log/slog's text handler
// U+007F.
func EscapeControls(out io.Writer) io.Writer { return escapingWriter{out} }

type escapingWriter struct{ out io.Writer }

// Write implements io.Writer.
func (h escapingWriter) Write(p []byte) (int, error) {
	escapes := func(r rune) bool { return r >= ' ' && IsControl(r) } // encoders escape those below, except for line ends
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
