package report

import (
	"fmt"
	"os"
	"strings"
)

// Update replaces the measurements in a document: what stands between the
// comments "NAME: begin" and "NAME: end".
func Update(path, name, measurements string) error {
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->\n"
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
