package websocket

import (
	"testing"
	"unicode/utf8"
)

// viable says by trial whether some ending makes p valid UTF-8.
func viable(p []byte) bool {
	ends := []byte{0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF}
	if utf8.Valid(p) {
		return true
	}
	for _, a := range ends {
		if utf8.Valid(append(p[:len(p):len(p)], a)) {
			return true
		}
		for _, b := range ends {
			if utf8.Valid(append(p[:len(p):len(p)], a, b)) {
				return true
			}
			for _, c := range ends {
				if utf8.Valid(append(p[:len(p):len(p)], a, b, c)) {
					return true
				}
			}
		}
	}
	return false
}

// checkText compares the checker, fed in two pieces, with the standard library.
func checkText(t *testing.T, p []byte, cut int) {
	t.Helper()
	var u utf8Checker
	alive := u.write(p[:cut])
	if alive != viable(p[:cut]) {
		t.Fatalf("%q: goes on: %v, want %v", p[:cut], alive, !alive)
	}
	if !alive {
		return
	}
	if alive = u.write(p[cut:]); alive != viable(p) {
		t.Fatalf("%q cut at %d: goes on: %v, want %v", p, cut, alive, !alive)
	}
	if good := alive && u.complete(); good != utf8.Valid(p) {
		t.Fatalf("%q cut at %d: valid: %v, want %v", p, cut, good, !good)
	}
}

func TestUTF8EverySequenceAtEverySplit(t *testing.T) {
	t.Parallel()
	// One byte from each class of the table of well-formed sequences.
	edges := []byte{'a', 0x80, 0x90, 0xA0, 0xBF, 0xC1, 0xC2, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5}
	var p [4]byte
	for _, p[0] = range edges {
		for _, p[1] = range edges {
			for _, p[2] = range edges[:6] {
				for _, p[3] = range edges[:4] {
					for cut := range 5 {
						checkText(t, p[:], cut)
					}
				}
			}
		}
	}
}

func FuzzUTF8(f *testing.F) {
	f.Add([]byte("κόσμε"), 3)
	f.Add([]byte("\xF0\x9F\x98\x80 and \xED\xA0\x80"), 2)
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		if cut < 0 || cut > len(p) {
			t.Skip("no such split")
		}
		checkText(t, p, cut)
	})
}
