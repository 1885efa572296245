package terminal

import (
	"encoding/binary"
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
// U+007F. Lines without such characters are written as they come.
func EscapeControls(out io.Writer) io.Writer { return escapingWriter{out} }

type escapingWriter struct{ out io.Writer }

// Write implements io.Writer.
func (h escapingWriter) Write(p []byte) (int, error) {
	at, size := nextEscaped(p)
	if size == 0 {
		return h.out.Write(p)
	}
	safe := make([]byte, 0, len(p)+16)
	rest := p
	for ; size > 0; at, size = nextEscaped(rest) {
		r, _ := utf8.DecodeRune(rest[at:])
		safe = fmt.Appendf(append(safe, rest[:at]...), `\u%04x`, r)
		rest = rest[at+size:]
	}
	if _, err := h.out.Write(append(safe, rest...)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// nextEscaped finds the first character of p that has to be escaped: where it
// begins, and how many bytes it has, 0 where there is none. Encoders escape those
// below U+0020 themselves, except for line ends.
func nextEscaped(p []byte) (at, size int) {
	for at = plain(p); at < len(p); at += plain(p[at:]) {
		r, size := utf8.DecodeRune(p[at:])
		if r >= ' ' && IsControl(r) {
			return at, size
		}
		at += size
	}
	return at, 0
}

// plain returns how many of the first bytes of p are characters below U+007F.
func plain(p []byte) (n int) {
	const ones, highBits = 0x0101010101010101, 0x8080808080808080
	for ; len(p)-n >= 8; n += 8 {
		// A byte has its high bit set, or gets it by one more, if it is 0x7f or above.
		if eight := binary.NativeEndian.Uint64(p[n:]); (eight|(eight+ones))&highBits != 0 {
			break
		}
	}
	for n < len(p) && p[n] < 0x7f {
		n++
	}
	return n
}
