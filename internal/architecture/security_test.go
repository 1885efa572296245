package architecture

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named finds packages and tests that docs/security.md names: tests belong to
// the package before them in the same row, or to the one that "in" names after
// them.
var (
	named  = regexp.MustCompile("`((?:internal|cmd|conformance|bench)[a-z0-9/]*|(?:Test|Fuzz|Benchmark)\\w+)`(?: in `([a-z0-9/.]+)`)?")
	tested = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
)

// TestSecurityPageNamesTests: a promise whose test is gone is no promise.
func TestSecurityPageNamesTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for row := range strings.Lines(string(page)) {
		if !strings.HasPrefix(row, "|") {
			continue
		}
		dir := ""
		for _, name := range named.FindAllStringSubmatch(row, -1) {
			if strings.Contains(name[1], "/") || name[1] == "conformance" {
				dir = name[1]
				continue
			}
			in := dir
			if name[2] != "" {
				in = name[2]
			}
			count++
			if !hasTest(t, in, name[1]) {
				t.Errorf("docs/security.md names %s in %q, which has no such test", name[1], in)
			}
		}
	}
	if count == 0 {
		t.Error("docs/security.md names no tests")
	}
}

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range tested.FindAllStringSubmatch(string(text), -1) {
			if match[1] == name {
				return true
			}
		}
	}
	return false
}
