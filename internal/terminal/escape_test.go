package terminal

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestEscapeControls(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain \t text\n":               "plain \t text\n",
		"grüße 接続 👋\n":                  "grüße 接続 👋\n",
		"{\"a\":\"\u009b2J\u007f\"}\n":  `{"a":"\u009b2J\u007f"}` + "\n",
		"{\"a\":\"\u202egnp\u2066\"}\n": `{"a":"\u202egnp\u2066"}` + "\n",
		"a byte \x9b that is no rune\n": "a byte \x9b that is no rune\n", // a terminal of UTF-8 shows it as one
	} {
		var out bytes.Buffer
		if n, err := EscapeControls(&out).Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%q: %d, %v", text, n, err)
		}
		if out.String() != want {
			t.Errorf("%q: %q, want %q", text, &out, want)
		}
	}
}

// Whatever stands around them, exactly the characters that a terminal acts upon
// are escaped.
func TestEscapeControlsEverywhere(t *testing.T) {
	t.Parallel()
	characters := []rune("aZ0~ \"{}é接👋\n\t\u007e\u007f\u0080\u0085\u009f\u00a0\u061b\u061c\u200d\u200e\u200f\u202a\u202e\u202f\u2066\u2069\u206a\ufffd")
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var text, want strings.Builder
		for range random.IntN(40) {
			r := 'x'
			if random.IntN(4) == 0 {
				r = characters[random.IntN(len(characters))]
			}
			text.WriteRune(r)
			if r >= ' ' && IsControl(r) {
				fmt.Fprintf(&want, `\u%04x`, r)
			} else {
				want.WriteRune(r)
			}
		}
		var out bytes.Buffer
		if n, err := io.WriteString(EscapeControls(&out), text.String()); n != text.Len() || err != nil {
			t.Fatalf("%q: %d, %v", text.String(), n, err)
		}
		if out.String() != want.String() {
			t.Fatalf("%q: %q, want %q", text.String(), out.String(), want.String())
		}
	}
}

// line is one of the log, as there are for each message.
const line = `{"event":"message","time":"2026-11-29T09:19:55.123456789Z","apiId":"a1b2c3d4e5","stage":"prod","connectionId":"gbikqi-vWQAYKEiHxA==",` +
	`"requestId":"EP5tdH0zIAMEr8w=","routeKey":"$default","status":200,"bytes":128,"durationMs":0.213}` + "\n"

func BenchmarkEscapeControls(b *testing.B) {
	for name, text := range map[string]string{"plain": line, "umlauts": strings.ReplaceAll(line, "$default", "grüße")} {
		b.Run(name, func(b *testing.B) {
			out := EscapeControls(io.Discard)
			data := []byte(text)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = out.Write(data)
			}
		})
	}
}
