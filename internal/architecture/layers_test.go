package architecture

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// groups are the headings under which docs/architecture.md has its tables of
// packages, in their order.
var groups = []string{"Programs", "Data plane", "Control", "Access", "Edge", "Local", "Language", "Tests"}

// language is the group that imports nothing of the others.
const language = "Language"

// aboveAll is the layer of what only tests import.
const aboveAll = 99

// layerRow is a row of a table of packages.
var layerRow = regexp.MustCompile("^\\| (\\d+|tests) \\| `([^`]+)` \\|")

// packageRow is what the page says about a package.
type packageRow struct {
	dir   string // "." for the root package
	layer int
	group string
}

// packageRows returns the rows of all tables of packages, in the page's order.
// The group is the heading above the table.
func packageRows(t *testing.T) []packageRow {
	t.Helper()
	_, tables, found := strings.Cut(page(t), "\n## Packages and layers\n")
	tables, _, ended := strings.Cut(tables, "\n## ")
	if !found || !ended {
		t.Fatal("docs/architecture.md has no section Packages and layers")
	}
	var rows []packageRow
	group := ""
	for line := range strings.Lines(tables) {
		if heading, ok := strings.CutPrefix(line, "### "); ok {
			group = strings.TrimSpace(heading)
		}
		row := layerRow.FindStringSubmatch(line)
		if row == nil {
			continue
		}
		layer, err := strconv.Atoi(row[1])
		if err != nil {
			layer = aboveAll
		}
		rows = append(rows, packageRow{dir: row[2], layer: layer, group: group})
	}
	if len(rows) == 0 {
		t.Fatal("docs/architecture.md has no table of packages")
	}
	return rows
}

// layers returns the layer of every package of the page, by its folder.
func layers(t *testing.T) map[string]int {
	t.Helper()
	table := make(map[string]int)
	for _, row := range packageRows(t) {
		table[row.dir] = row.layer
	}
	return table
}

func TestTheTablesAreGrouped(t *testing.T) {
	t.Parallel()
	var headings []string
	group := make(map[string]string) // by folder
	lowest := aboveAll               // of the table so far
	for _, row := range packageRows(t) {
		if len(headings) == 0 || headings[len(headings)-1] != row.group {
			headings, lowest = append(headings, row.group), aboveAll
		}
		if before := group[row.dir]; before != "" {
			t.Errorf("package %s is in the tables twice: %s and %s", row.dir, before, row.group)
		}
		group[row.dir] = row.group
		if row.layer > lowest {
			t.Errorf("%s: package %s (layer %d) stands below one of layer %d", row.group, row.dir, row.layer, lowest)
		}
		lowest = row.layer
	}
	if !slices.Equal(headings, groups) {
		t.Errorf("the tables of packages are headed %q, want %q", headings, groups)
	}
	for _, file := range allSources(t) {
		if file.test || group[file.dir()] != language {
			continue
		}
		for _, imported := range file.imports {
			target, ours := strings.CutPrefix(imported, module+"/")
			if ours && group[target] != language {
				t.Errorf("%s (%s) imports %s (%s)", file.path, language, target, group[target])
			}
		}
	}
}
