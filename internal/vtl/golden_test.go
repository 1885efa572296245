package vtl_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

var update = flag.Bool("update", false, "write what is printed to the golden files")

// goldenCase is a case of a golden file:
//
//	=== what it shows
//	the template
//	--- with
//	the variables, as a JSON object; may be missing
//	--- prints
//	the output, or "error: " and a part of the message
//	--- differs from Velocity: why
//	what Apache Velocity 1.7 prints, or "error"; missing when it is the same
type goldenCase struct {
	name, template, with string
	prints               string
	reason, velocity     string
	differs              bool
}

type goldenFile struct {
	path  string
	cases []*goldenCase
}

func goldenFiles(t testing.TB) []goldenFile {
	t.Helper()
	paths, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no golden files", err)
	}
	var files []goldenFile
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := parseGolden(string(content))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		files = append(files, goldenFile{path: path, cases: cases})
	}
	return files
}

func parseGolden(content string) ([]*goldenCase, error) {
	var cases []*goldenCase
	var c *goldenCase
	section := new(string)
	for line := range strings.Lines(content) {
		header := strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(header, "=== "); ok {
			// The empty line between cases belongs to neither.
			*section = strings.TrimSuffix(*section, "\n")
			c = &goldenCase{name: name}
			cases = append(cases, c)
			section = &c.template
			continue
		}
		if c == nil {
			return nil, fmt.Errorf("%q stands before the first case", line)
		}
		reason, differs := strings.CutPrefix(header, "--- differs from Velocity:")
		switch {
		case header == "--- with":
			section = &c.with
		case header == "--- prints":
			section = &c.prints
		case differs:
			c.reason, c.differs = strings.TrimSpace(reason), true
			section = &c.velocity
		case strings.HasPrefix(line, "--- "):
			return nil, fmt.Errorf("%q is no section", line)
		default:
			*section += line
		}
	}
	for _, c := range cases {
		for _, section := range []*string{&c.template, &c.with, &c.prints, &c.velocity} {
			*section = strings.TrimSuffix(*section, "\n")
		}
	}
	return cases, nil
}

func (c *goldenCase) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "=== %s\n%s\n", c.name, c.template)
	if c.with != "" {
		fmt.Fprintf(&b, "--- with\n%s\n", c.with)
	}
	fmt.Fprintf(&b, "--- prints\n%s\n", c.prints)
	if c.differs {
		fmt.Fprintf(&b, "--- differs from Velocity: %s\n%s\n", c.reason, c.velocity)
	}
	return b.String()
}

func (f goldenFile) save(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for i, c := range f.cases {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(c.String())
	}
	if err := os.WriteFile(f.path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// variables is a scope of JSON values.
type variables struct{ object *jsonvalue.Object }

func (v variables) Variable(name string) (any, bool) { return v.object.Get(name) }

func (c *goldenCase) variables(t *testing.T) variables {
	t.Helper()
	if c.with == "" {
		return variables{new(jsonvalue.Object)}
	}
	parsed, err := jsonvalue.Parse([]byte(c.with))
	if err != nil {
		t.Fatal(err)
	}
	object, ok := parsed.(*jsonvalue.Object)
	if !ok {
		t.Fatalf("the variables are no object: %s", c.with)
	}
	return variables{object}
}

func (c *goldenCase) run(t *testing.T) string {
	t.Helper()
	template, err := vtl.Compile(c.template)
	if err != nil {
		return "error: " + err.Error()
	}
	// A machine that is busy may take its time.
	out, err := template.Execute(t.Context(), nil, c.variables(t), vtl.Limits{RegexpTime: time.Hour})
	if err != nil {
		return "error: " + err.Error()
	}
	return string(out)
}

// TestGolden is E.2, E.3 and E.4 of the specification, and the language of Velocity.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, file := range goldenFiles(t) {
		changed := false
		var names []string
		for _, c := range file.cases {
			if slices.Contains(names, c.name) {
				t.Errorf("%s has two cases called %q", file.path, c.name)
			}
			names = append(names, c.name)
			got := c.run(t)
			wantError, isError := strings.CutPrefix(c.prints, "error: ")
			if isError && strings.HasPrefix(got, "error: ") && strings.Contains(got, wantError) || got == c.prints {
				continue
			}
			if *update {
				c.prints, changed = got, true
				continue
			}
			t.Errorf("%s: %s\n%s\n%s", file.path, c.name, c.template, cmp.Diff(c.prints, got))
		}
		if changed {
			file.save(t)
		}
	}
}

// The place of a mistake is given, also after space that is dropped.
func TestPlaceOfErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		template     string
		line, column int
	}{
		{"#if(true) a", 1, 1},
		{"\n\n  $a #if(true) a", 3, 6},
		{"a\nb #set($x 1)", 2, 11},
		{"#set($x = [])\n  $x.get(3)", 2, 3},
		{"#set($x = \"\n#end\")", 1, 11},
		{"\r\n${a", 2, 4},
	}
	for _, test := range tests {
		template, err := vtl.Compile(test.template)
		if err == nil {
			_, err = template.Execute(t.Context(), nil, variables{new(jsonvalue.Object)}, vtl.Limits{})
		}
		var e *vtl.Error
		if !errors.As(err, &e) || e.Line != test.line || e.Column != test.column {
			t.Errorf("%q: %v, want line %d, column %d", test.template, err, test.line, test.column)
		}
	}
}
