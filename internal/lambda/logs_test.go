package lambda

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestCopyLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxLineBytes)
	tests := []struct {
		name, input string
		want        []string
	}{
		{"nothing", "", nil},
		{"lines", "a\nb\n", []string{"a", "b"}},
		{"no end", "a\nb", []string{"a", "b"}},
		{"empty lines", "\n\na\n", []string{"", "", "a"}},
		{"carriage return", "a\r\nb\rc\n", []string{"a", "b\rc"}},
		{"garbage", "\xff\xfe\n\x00\n", []string{"\uFFFD", "\x00"}},
		{"longer than the buffer", strings.Repeat("y", 5000) + "\nz\n", []string{strings.Repeat("y", 5000), "z"}},
		{"too long", long + long + "tail\nnext\n", []string{long, long, "tail", "next"}},
	}
	readers := map[string]func(io.Reader) io.Reader{
		"whole":            func(r io.Reader) io.Reader { return r },
		"halves":           iotest.HalfReader,
		"data and the end": iotest.DataErrReader,
		"a broken pipe":    func(r io.Reader) io.Reader { return io.MultiReader(r, iotest.ErrReader(errors.New("broken"))) },
	}
	for _, test := range tests {
		for kind, reader := range readers {
			var got []string
			copyLines(reader(strings.NewReader(test.input)), func(line string) { got = append(got, line) })
			if !slices.Equal(got, test.want) {
				t.Errorf("%s, %s: got %.80q, want %.80q", test.name, kind, got, test.want)
			}
		}
	}
	var got []string
	copyLines(iotest.OneByteReader(strings.NewReader("é\nb\n")), func(line string) { got = append(got, line) })
	if !slices.Equal(got, []string{"é", "b"}) {
		t.Errorf("byte by byte: %q", got)
	}
}

// Each line carries the id of the invocation that printed it, however fast the
// next one follows.
func TestLinesCarryTheirRequestID(t *testing.T) {
	t.Parallel()
	f := hostile(t, "f", deadline)
	h := newTestHost(t, func(o *Options) { o.MaxProcesses = 1 }, f)
	for range 100 {
		result := h.call("f", `{"Do":"print id"}`)
		want := LogLine{Function: "f", RequestID: result.RequestID, Text: result.RequestID}
		eventually(t, "the line of an invocation", func() bool { return h.logged(want) })
	}
}
