package architecture

import (
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The pages about behaviour: the first one has their contents.
const (
	behaviourIndex = "docs/behaviour.md"
	behaviourPages = "docs/behaviour/*.md"
)

// promisesNothing are the sections that no test has to name, and why.
var promisesNothing = map[string]string{
	"C.6": "points to D.3, D.4 and D.5",
	"N":   "names sources",
}

// section is a section of those pages, or a chapter, whose name is a letter.
type section struct {
	name, title string
	page        string // relative to root
	anchor      string
}

var (
	// sectionHeading is a heading with its anchor.
	sectionHeading = regexp.MustCompile(`(?m)^(?:<a id="(.*)"></a>\n)?##+ ([A-N](?:\.\d+)?)\.? (.+)$`)
	// sectionName is how comments name a section: "B.7", "section J", "spec F".
	sectionName = regexp.MustCompile(`\b(?:(?:[Ss]ections? |[Ss]pec )?([A-N]\.\d{1,2})|(?:[Ss]ections?|[Ss]pec) ([A-N]))\b`)
	// sectionLink is a link to a section, by its page and its anchor.
	sectionLink = regexp.MustCompile(`\]\(([^()#]*)#([a-n](?:-\d+)?)\)`)
)

// TestSectionsExist: a section that the code names can be read.
func TestSectionsExist(t *testing.T) {
	t.Parallel()
	exists := make(map[string]bool)
	for _, s := range sections(t) {
		if exists[s.name] {
			t.Errorf("section %s is there twice", s.name)
		}
		exists[s.name] = true
	}
	for name, file := range sectionsNamed(t, false) {
		if !exists[name] {
			t.Errorf("%s names section %s, which %s does not have", file, name, behaviourIndex)
		}
	}
}

// TestSectionsAreTested: what a section promises is shown by a test, which
// names the section.
func TestSectionsAreTested(t *testing.T) {
	t.Parallel()
	all, tested := sections(t), sectionsNamed(t, true)
	chapters := make(map[string]bool) // those that have sections
	for _, s := range all {
		if chapter, _, inside := strings.Cut(s.name, "."); inside {
			chapters[chapter] = true
		}
	}
	for _, s := range all {
		file, reason := tested[s.name], promisesNothing[s.name]
		switch {
		case file == "" && reason == "" && !chapters[s.name]:
			t.Errorf("no test names section %s, %s", s.name, s.title)
		case file != "" && reason != "":
			t.Errorf("%s names section %s, of which is said here that it %s", file, s.name, reason)
		}
	}
}

// TestSectionsAreLinked: the contents have every section, and every link to a
// section leads to it.
func TestSectionsAreLinked(t *testing.T) {
	t.Parallel()
	anchors := make(map[string]bool) // "docs/behaviour/handshake.md#a-1"
	index := readPage(t, behaviourIndex)
	for _, s := range sections(t) {
		if want := strings.ToLower(strings.ReplaceAll(s.name, ".", "-")); s.anchor != want {
			t.Errorf("section %s has the anchor %q above it, want %q", s.name, s.anchor, want)
		}
		anchors[s.page+"#"+s.anchor] = true
		target := strings.TrimPrefix(strings.TrimPrefix(s.page, behaviourIndex), "docs/") + "#" + s.anchor
		entry := "[" + s.name + " " + s.title + "](" + target + ")"
		if len(s.name) == 1 {
			entry = "[**" + s.name + ". " + s.title + "**](" + target + ")"
		}
		if !strings.Contains(index, entry) {
			t.Errorf("the contents of %s lack %s", behaviourIndex, entry)
		}
	}
	for _, page := range append(pagesLike(t, "docs/*.md", behaviourPages), "README.md") {
		for _, link := range sectionLink.FindAllStringSubmatch(readPage(t, page), -1) {
			target := page
			if link[1] != "" {
				target = path.Join(path.Dir(page), link[1])
			}
			if !anchors[target+"#"+link[2]] {
				t.Errorf("%s links to %s#%s, which is no section", page, target, link[2])
			}
		}
	}
}

// sections returns all sections in their order.
func sections(t *testing.T) []section {
	t.Helper()
	var all []section
	for _, page := range pagesLike(t, behaviourPages, behaviourIndex) {
		for _, match := range sectionHeading.FindAllStringSubmatch(readPage(t, page), -1) {
			all = append(all, section{name: match[2], title: match[3], page: page, anchor: match[1]})
		}
	}
	return all
}

// sectionsNamed returns the sections that comments and tests name, each with a
// file that does; those that tests name, if tests is true.
func sectionsNamed(t *testing.T, tests bool) map[string]string {
	t.Helper()
	named := make(map[string]string)
	add := func(file, text string) {
		for _, match := range sectionName.FindAllStringSubmatch(text, -1) {
			named[match[1]+match[2]] = file
		}
	}
	for _, file := range allSources(t) {
		if file.dir() != "internal/architecture" && (file.test || !tests) {
			for _, text := range comments(file) {
				add(file.path, text)
			}
		}
	}
	for _, file := range pagesLike(t, "internal/*/testdata/golden/*.txt") {
		for line := range strings.Lines(readPage(t, file)) {
			if title, ok := strings.CutPrefix(line, "=== "); ok {
				add(file, title)
			}
		}
	}
	return named
}

// comments returns the comments of a file, and of a test also its texts, among
// which are the names of its cases.
func comments(file *sourceFile) []string {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile(file.path, -1, len(file.text)), file.text, nil, scanner.ScanComments)
	var texts []string
	for {
		_, kind, text := s.Scan()
		switch {
		case kind == token.EOF:
			return texts
		case kind == token.COMMENT, kind == token.STRING && file.test:
			texts = append(texts, text)
		}
	}
}

// pagesLike returns the files that match patterns, relative to root.
func pagesLike(t *testing.T, patterns ...string) []string {
	t.Helper()
	var pages []string
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err == nil && len(names) == 0 {
			err = fmt.Errorf("no file is like %s", pattern)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			pages = append(pages, strings.TrimPrefix(filepath.ToSlash(name), "../../"))
		}
	}
	return pages
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
