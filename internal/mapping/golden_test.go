package mapping_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

var update = flag.Bool("update", false, "write what is printed to the golden files")

// goldenCase is a case of a golden file:
//
//	=== the section of the specification: what it shows
//	the template
//	--- on
//	the event, as JSON; may be missing
//	--- prints
//	the output, or "error: " and a part of the message
type goldenCase struct{ name, template, event, prints string }

func goldenCases(t testing.TB, path string) []*goldenCase {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []*goldenCase
	for _, text := range strings.Split("\n"+string(content), "\n=== ")[1:] {
		c := new(goldenCase)
		var rest, input string
		c.name, rest, _ = strings.Cut(strings.TrimRight(text, "\n"), "\n")
		input, c.prints, _ = strings.Cut(rest, "\n--- prints")
		c.prints = strings.TrimPrefix(c.prints, "\n")
		c.template, c.event, _ = strings.Cut(input, "\n--- on\n")
		cases = append(cases, c)
	}
	return cases
}

func (c *goldenCase) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "=== %s\n%s\n", c.name, c.template)
	if c.event != "" {
		fmt.Fprintf(&b, "--- on\n%s\n", c.event)
	}
	fmt.Fprintf(&b, "--- prints\n%s\n", c.prints)
	return b.String()
}

// render runs a template as that of a request.
func (c *goldenCase) render(t testing.TB) string {
	t.Helper()
	requests, err := mapping.CompileRequest(&apigw.Integration{RequestTemplates: map[string]string{"$default": c.template}})
	if err != nil {
		return "error: " + err.Error()
	}
	request, failed := requests.Map(t.Context(), mapping.NewExchange(readEvent(t, c.event)))
	if failed != nil {
		return "error: " + failed.Reason
	}
	return string(request.Body)
}

// TestTemplates is E.1 and E.2 of the specification.
func TestTemplates(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, path := range paths {
		changed := false
		var text strings.Builder
		for i, c := range goldenCases(t, path) {
			got := c.render(t)
			wantError, isError := strings.CutPrefix(c.prints, "error: ")
			fits := got == c.prints || isError && strings.HasPrefix(got, "error: ") && strings.Contains(got, wantError)
			switch {
			case !fits && *update:
				c.prints, changed = got, true
			case !fits:
				t.Errorf("%s: %s\n%s\n%s", path, c.name, c.template, cmp.Diff(c.prints, got))
			}
			if i > 0 {
				text.WriteString("\n")
			}
			text.WriteString(c.String())
		}
		if !changed {
			continue
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
