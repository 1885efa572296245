package architecture

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"testing"
)

// namedPlace is a file or a folder of the repository, and what it has in it:
// `internal/plan/tags.go` (`tagSettings`).
var namedPlace = regexp.MustCompile("`((?:internal|cmd|tools|docs|examples|bench|scripts)(?:/[a-z0-9_.]+)+)`(?: \\(`([A-Za-z0-9]+)`\\))?")

// TestContributorsPagesNameFiles: what these pages send contributors to exists, and
// has in it what is to be changed. CONTRIBUTING.md says where to add what.
func TestContributorsPagesNameFiles(t *testing.T) {
	t.Parallel()
	for page, least := range map[string]int{"CONTRIBUTING.md": 40, "AGENTS.md": 8} {
		places := namedPlace.FindAllStringSubmatch(readPage(t, page), -1)
		if len(places) < least {
			t.Errorf("%s names %d files: too few to be read right", page, len(places))
		}
		for _, place := range places {
			checkPlace(t, page, place[1], place[2])
		}
	}
}

// checkPlace checks a file or folder that a page names, and the identifier that it
// names in a file, if any.
func checkPlace(t *testing.T, page, name, identifier string) {
	t.Helper()
	info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	switch {
	case err != nil:
		t.Errorf("%s names %s: %v", page, name, err)
	case identifier == "":
	case info.IsDir() || path.Ext(name) != ".go":
		t.Errorf("%s names %s in %s, which is no Go file", page, identifier, name)
	case !regexp.MustCompile(`\b` + identifier + `\b`).MatchString(readPage(t, name)):
		t.Errorf("%s names %s in %s, which has no such thing", page, identifier, name)
	}
}
