package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/stagedoor/stagedoor/internal/dev"
)

// columns is the width at which `dev` breaks its lines about an application.
const columns = 80

// notices prints the parts of a template that are not acted on and were not
// printed before: a line for each kind of them, or with --verbose a line for
// each.
func (r *textReporter) notices(b *strings.Builder, all []dev.Notice) {
	var kinds []string
	of := map[string][]string{} // by kind
	for _, n := range all {
		kind, subject := n.Message, n.LogicalID
		if n.Property != "" {
			subject += "." + n.Property
		}
		if r.verbose {
			kind = noticeText(n)
		}
		key := kind + " " + subject
		if r.printed[key] && !r.verbose {
			continue
		}
		r.printed[key] = true
		if of[kind] == nil {
			kinds = append(kinds, kind)
		}
		of[kind] = append(of[kind], subject)
	}
	if len(kinds) == 0 {
		return
	}
	head := "Not acted on here (--verbose tells all):"
	if r.verbose {
		head = "Not acted on here:"
	}
	fmt.Fprintf(b, "\n  %s\n", r.paint(dim, head))
	for _, kind := range kinds {
		text := kind
		if !r.verbose {
			text = foldNotices(kind, of[kind])
		}
		for line := range strings.Lines(text + "\n") {
			fmt.Fprintf(b, "    %s\n", r.paint(dim, strings.TrimSuffix(line, "\n")))
		}
	}
}

// foldNotices returns a line for a kind of notice, with as many of its
// resources as fit in, and the number of the others.
func foldNotices(kind string, subjects []string) string {
	const room = columns - 4
	for shown := len(subjects); shown > 0; shown-- {
		text := kind + ": " + strings.Join(subjects[:shown], ", ")
		if left := len(subjects) - shown; left > 0 {
			text += fmt.Sprintf(" and %d more", left)
		}
		if len(text) <= room {
			return text
		}
	}
	if len(subjects) == 1 {
		return fold(kind+": "+subjects[0], 4)
	}
	return fold(kind+": "+count(len(subjects), "resource"), 4)
}

// fold breaks a text into lines at its spaces, so that they fit into the
// columns with an indentation. A longer word is not broken.
func fold(text string, indent int) string { return foldAt(text, columns-indent) }

// foldAt is fold for a number of columns that there are beside the indentation.
func foldAt(text string, room int) string {
	var b strings.Builder
	at := 0
	for i, word := range strings.Split(text, " ") {
		switch {
		case i == 0:
		case at+1+len(word) > room:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}

// noticeText returns a line about a part of a template that is not acted on.
func noticeText(n dev.Notice) string {
	what := n.LogicalID
	if n.Property != "" {
		what += " " + n.Property
	}
	return fmt.Sprintf("line %d  %s (%s): %s", n.Line, what, n.Type, n.Message)
}

// tables lists tables by their logical ids, with further lines indented below
// the first; with --verbose it lists their whole names.
func (r *textReporter) tables(tables []dev.Resource) string {
	const intro, indent = "built in, in memory: ", 12
	var list []string
	for _, t := range tables {
		if r.verbose {
			t.LogicalID += " (" + t.Name + ")"
		}
		list = append(list, t.LogicalID)
	}
	if r.verbose {
		return intro + strings.Join(list, ", ")
	}
	return strings.ReplaceAll(fold(intro+strings.Join(list, ", "), indent), "\n", "\n"+strings.Repeat(" ", indent))
}

// shortID returns the part of a request's id that is enough to tell it from
// others.
func (r *textReporter) shortID(id string) string {
	if r.verbose {
		return id
	}
	first, _, _ := strings.Cut(id, "-")
	return first
}

// shortPath returns a path relative to the working directory, if that is
// shorter.
func shortPath(path string) string {
	here, err := filepath.Abs(".")
	if err != nil {
		return path
	}
	if relative, err := filepath.Rel(here, path); err == nil && len(relative) < len(path) {
		return relative
	}
	return path
}

// relative shortens the paths in a text that are below the working directory.
func relative(text string) string {
	here, err := filepath.Abs(".")
	if err != nil || len(here) < 2 {
		return text
	}
	return strings.ReplaceAll(text, here+string(filepath.Separator), "")
}
