package template

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/mistake"
)

// FuzzLoad checks that no source crashes or hangs Load, and that what it
// refuses it refuses with problems in the order of the file.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		input, _, _ := strings.Cut(string(content), divider)
		f.Add([]byte(input))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		app, err := loadSource(string(source), Options{StackName: "stack"})
		if err == nil {
			if app == nil {
				t.Fatal("neither an application nor an error")
			}
			return
		}
		var problems mistake.List
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("got %v, want problems", err)
		}
		for i := 1; i < len(problems)-1; i++ {
			if problems[i].Line < problems[i-1].Line {
				t.Fatalf("problems out of order: %v", problems)
			}
		}
	})
}
