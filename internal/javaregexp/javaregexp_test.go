package javaregexp

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets the clock of the engine for look-around run on: it ends a
// while after its last search.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2.runClock"))
}

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, flags, text string
		want                 bool
	}{
		{`2\d\d`, "", "200", true},
		{`2\d\d`, "", "2000", false}, // the whole text
		{`2\d\d`, "", "x200", false},
		{`4\d\d|5\d\d`, "", "503", true},
		{`a|ab`, "", "ab", true},
		{`foo.*?`, "", "FOObar", false},
		{`foo.*?`, "i", "FOObar", true},
		{`a.b`, "", "a\nb", false},
		{`a.b`, "", "a\rb", false},
		{`a.b`, "", "a\u2028b", false},
		{`a.b`, "", "aéb", true},
		{`a.b`, "s", "a\nb", true},
		{`(?s).*x.*`, "", "1\nx\n2", true},
		{`(\n|.)+`, "", "1\n2", true},
		{`^a$`, "", "a", true},
		{`^a$`, "", "a\n", false},
		{`^a$\n^b$`, "m", "a\nb", true},
		{`\p{Lu}\Q.*\E`, "", "É.*", true},
		{`(?!Success).*`, "", "Failure", true}, // look-around
		{`(?!Success).*`, "", "Success!", false},
		{`(?!Success).*`, "i", "success!", false},
		{`(a|b)\1`, "", "aa", true}, // back reference
		{`(a|b)\1`, "", "ab", false},
		{``, "", "", true},
	}
	for _, test := range tests {
		r, err := Compile(test.pattern, test.flags)
		if err != nil {
			t.Error(err)
			continue
		}
		if got, err := r.Match(test.text); err != nil || got != test.want {
			t.Errorf("/%s/%s on %q: %v, %v, want %v", test.pattern, test.flags, test.text, got, err, test.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ pattern, flags, want string }{
		{`(`, "", "regular expression /(/"},
		{`a`, "q", "unknown flag q"},
		{`[a-z&&[^b]]`, "", "intersections"},
	} {
		if _, err := Compile(test.pattern, test.flags); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("/%s/%s: %v, want %q", test.pattern, test.flags, err, test.want)
		}
	}
}

func TestBacktrackingEnds(t *testing.T) {
	t.Parallel()
	r, err := Compile(`(?=a)(a+)+b`, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Match(strings.Repeat("a", 100)); !errors.Is(err, ErrTimeout) {
		t.Errorf("%v, want ErrTimeout", err)
	}
}
