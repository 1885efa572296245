package websocket

import "unicode/utf8"

// utf8Checker validates text that arrives in pieces cut anywhere. It refuses
// at the first byte that no valid continuation could repair. The zero value is
// the start of a text.
type utf8Checker struct {
	need     uint8 // continuation bytes still due
	low, top uint8 // bounds of the next continuation byte
}

// write checks the next piece and reports whether the text can still be valid.
func (u *utf8Checker) write(p []byte) bool {
	for u.need > 0 && len(p) > 0 {
		if !u.step(p[0]) {
			return false
		}
		p = p[1:]
	}
	whole := len(p) - cutTail(p)
	if !utf8.Valid(p[:whole]) {
		return false
	}
	for _, b := range p[whole:] {
		if !u.step(b) {
			return false
		}
	}
	return true
}

// complete reports whether the text may end here.
func (u *utf8Checker) complete() bool { return u.need == 0 }

// cutTail is the number of bytes at the end of p that begin a character which
// p does not finish, judged by the lead byte alone: 0 to 3.
func cutTail(p []byte) int {
	for n := 1; n <= 3 && n <= len(p); n++ {
		switch b := p[len(p)-n]; {
		case b < 0x80:
			return 0
		case b >= 0xC0:
			if length(b) > n {
				return n
			}
			return 0
		}
	}
	return 0
}

// length is the number of bytes of a character with that lead byte.
func length(lead byte) int {
	switch {
	case lead >= 0xF0:
		return 4
	case lead >= 0xE0:
		return 3
	}
	return 2
}

// step takes one byte (RFC 3629, section 4: the table of well-formed sequences).
func (u *utf8Checker) step(b byte) bool {
	if u.need > 0 {
		if b < u.low || b > u.top {
			return false
		}
		u.need--
		u.low, u.top = 0x80, 0xBF
		return true
	}
	if b < 0x80 {
		return true
	}
	if b < 0xC2 || b > 0xF4 {
		return false
	}
	u.need = uint8(length(b) - 1)
	u.low, u.top = 0x80, 0xBF
	switch b {
	case 0xE0: // shorter forms exist
		u.low = 0xA0
	case 0xED: // surrogates
		u.top = 0x9F
	case 0xF0: // shorter forms exist
		u.low = 0x90
	case 0xF4: // beyond U+10FFFF
		u.top = 0x8F
	}
	return true
}
