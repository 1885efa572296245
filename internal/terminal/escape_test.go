package terminal

import (
	"bytes"
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
