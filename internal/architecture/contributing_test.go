package architecture

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// namedPlace is a file or a folder of the repository, and what it has in it:
// `internal/plan/tags.go` (`tagSettings`).
var namedPlace = regexp.MustCompile("`([a-z]+(?:/[a-z0-9_.]+)+)`(?: \\(`([A-Za-z0-9]+)`\\))?")

// TestHowToAddNamesFiles: what CONTRIBUTING.md has one change exists, and has in it
// what is to be changed.
func TestHowToAddNamesFiles(t *testing.T) {
	t.Parallel()
	_, section, found := strings.Cut(readPage(t, "CONTRIBUTING.md"), "\n## How to add\n")
	section, _, ended := strings.Cut(section, "\n## ")
	if !found || !ended {
		t.Fatal("CONTRIBUTING.md has no section How to add")
	}
	places := namedPlace.FindAllStringSubmatch(section, -1)
	if len(places) < 30 {
		t.Errorf("the section names %d places: too few to be read right", len(places))
	}
	for _, place := range places {
		name, identifier := place[1], place[2]
		info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Errorf("CONTRIBUTING.md names %s: %v", name, err)
			continue
		}
		if identifier == "" {
			continue
		}
		if info.IsDir() || path.Ext(name) != ".go" {
			t.Errorf("CONTRIBUTING.md names %s in %s, which is no Go file", identifier, name)
		} else if !regexp.MustCompile(`\b` + identifier + `\b`).MatchString(readPage(t, name)) {
			t.Errorf("CONTRIBUTING.md names %s in %s, which has no such thing", identifier, name)
		}
	}
}
