package report

import (
	"fmt"
	"os"
	"strings"
)

// The lines of a document between which measurements stand.
const (
	begin = "<!-- measurements: begin -->\n"
	end   = "<!-- measurements: end -->\n"
)

// Update replaces the measurements in a document.
func Update(path, measurements string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("updating the document: %w", err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("updating the document: %s lacks the lines %q and %q", path, begin, end)
	}
	text = []byte(before + begin + "\n" + strings.TrimSpace(measurements) + "\n\n" + end + after)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("updating the document: %w", err)
	}
	return nil
}
