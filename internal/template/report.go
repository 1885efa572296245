package template

import (
	"fmt"
	"slices"

	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/spelling"
)

// maxProblems is the largest number of problems that are listed for a template.
const maxProblems = 200

// report collects the problems and notices of one template.
type report struct {
	file     string
	problems mistake.List
	notices  []Notice
	warnings []Notice
	seen     map[mistake.Mistake]bool
	full     bool
	// place returns a resource's line and name in the file that the template
	// was made from; nil where the template is itself a file.
	place func(logicalID string) (line int, name string)
}

func newReport(file string) *report {
	return &report{file: file, seen: map[mistake.Mistake]bool{}}
}

// problem records a mistake; the same one on the same line is recorded once.
func (r *report) problem(line int, logicalID, format string, args ...any) {
	if r.full {
		return
	}
	if r.place != nil {
		line, logicalID = r.place(logicalID)
	}
	p := mistake.Mistake{File: r.file, Line: line, Where: logicalID, Message: fmt.Sprintf(format, args...)}
	if r.seen[p] {
		return
	}
	r.seen[p] = true
	r.problems = append(r.problems, p)
	r.full = len(r.problems) >= maxProblems
}

// notice records a part of the template that is ignored.
func (r *report) notice(n Notice) { r.notices = append(r.notices, r.placed(n)) }

// warn records a part of the template that is accepted, but probably not meant.
func (r *report) warn(n Notice) { r.warnings = append(r.warnings, r.placed(n)) }

// placed adds to a notice its file, and its line and name there.
func (r *report) placed(n Notice) Notice {
	n.File = r.file
	if r.place != nil {
		n.Line, n.LogicalID = r.place(n.LogicalID)
	}
	return n
}

// err returns the problems in the order of the file, or nil.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b mistake.Mistake) int { return a.Line - b.Line })
	problems := r.problems
	if r.full {
		problems = append(slices.Clip(problems), mistake.Mistake{
			File:    r.file,
			Message: fmt.Sprintf("more than %d problems; the rest is not listed", maxProblems-1),
		})
	}
	return problems
}

// inOrder puts notices in the order of the file.
func inOrder(notices []Notice) []Notice {
	slices.SortStableFunc(notices, func(a, b Notice) int { return a.Line - b.Line })
	return notices
}

// didYouMean is spelling.Hint, or "" once there are too many problems to be
// listed.
func (r *report) didYouMean(name string, candidates []string) string {
	if r.full {
		return ""
	}
	return spelling.Hint(name, candidates)
}
