//go:build linux

package command

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
)

// A result goes into its section of the document, unless there was an error.
func TestRun(t *testing.T) {
	t.Parallel()
	document := filepath.Join(t.TempDir(), "document.md")
	if err := os.WriteFile(document, []byte("<!-- section: begin -->\nold\n<!-- section: end -->\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := func() string {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	o := &Options{Gateway: "/a/program", Update: document}
	broken := errors.New("broken")
	if err := o.Run("section", func(*lab.Lab) (string, error) { return "half", broken }); !errors.Is(err, broken) || !strings.Contains(text(), "old") {
		t.Errorf("%v\n%s", err, text())
	}
	var used *lab.Lab
	err := o.Run("section", func(l *lab.Lab) (string, error) {
		used = l
		if got, err := l.Gateway(t.Context()); got != o.Gateway || err != nil {
			t.Errorf("the gateway is %q, %v", got, err)
		}
		return "new", nil
	})
	if err != nil || strings.Contains(text(), "old") || !strings.Contains(text(), ".\n\nnew\n") {
		t.Errorf("%v\n%s", err, text())
	}
	if _, err := os.Stat(used.Folder); !os.IsNotExist(err) {
		t.Errorf("the lab is still open: %v", err)
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, err string
		want      Counts
	}{
		{"", "", Counts{1, 16}},
		{"3", "", Counts{3}},
		{"3,40", "", Counts{3, 40}},
		{"3,", `"" is not a number`, nil},
		{"3,x", `"x" is not a number`, nil},
		{"0", "the least is 1", nil},
	} {
		counts := Counts{1, 16}
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		flags.Var(&counts, "connections", "how many")
		var arguments []string
		if test.text != "" {
			arguments = []string{"-connections", test.text}
		}
		err := flags.Parse(arguments)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: %v", test.text, err)
			}
			continue
		}
		if err != nil || !slices.Equal(counts, test.want) {
			t.Errorf("%q: %v, %v", test.text, counts, err)
		}
	}
}
