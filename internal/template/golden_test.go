package template

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/mistake"
)

var update = flag.Bool("update", false, "write what the golden cases give as what they expect")

// divider separates the input of a golden case from what is expected of it.
const divider = "----------\n"

// golden runs every case of a folder. A line "# parameter: Name=Value" of the
// input is a parameter, "# import: Name=Value" an export of another stack.
func golden(t *testing.T, folder string, run func(t *testing.T, source string, o Options) string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s (%v)", folder, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(content), divider)
			o := Options{StackName: "stack", Parameters: map[string]string{}, Imports: map[string]string{}}
			for line := range strings.Lines(input) {
				if given, ok := strings.CutPrefix(line, "# parameter: "); ok {
					name, value, _ := strings.Cut(strings.TrimSuffix(given, "\n"), "=")
					o.Parameters[name] = value
				}
				if given, ok := strings.CutPrefix(line, "# import: "); ok {
					name, value, _ := strings.Cut(strings.TrimSuffix(given, "\n"), "=")
					o.Imports[name] = value
				}
			}
			got := strings.TrimRight(run(t, input, o), "\n") + "\n"
			if *update {
				if err := os.WriteFile(file, []byte(input+divider+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// loadSource loads a template as if it lay in testdata, beside the folders
// that its functions name.
func loadSource(source string, o Options) (*Application, error) {
	const file = "testdata/template.yaml"
	return load([]byte(source), o, newReport(file))
}

// lines shows problems one a line, without the file.
func lines(t *testing.T, err error) string {
	t.Helper()
	var problems mistake.List
	if !errors.As(err, &problems) {
		t.Fatalf("got %v, want problems", err)
	}
	var out strings.Builder
	for _, p := range problems {
		out.WriteString(strings.TrimPrefix(p.Error(), "testdata/template.yaml:") + "\n")
	}
	return out.String()
}

// TestGoldenIntrinsics shows what functions resolve to: the variables of the
// template's one function.
func TestGoldenIntrinsics(t *testing.T) {
	t.Parallel()
	golden(t, "intrinsics", func(t *testing.T, source string, o Options) string {
		app, err := loadSource(source, o)
		if err != nil {
			return lines(t, err)
		}
		var out strings.Builder
		for _, f := range app.Functions {
			for _, name := range sortedKeys(f.Environment) {
				fmt.Fprintf(&out, "%s=%s\n", name, f.Environment[name])
			}
		}
		return out.String()
	})
}

// TestGoldenProblems shows the exact message of every mistake: section L.2.
func TestGoldenProblems(t *testing.T) {
	t.Parallel()
	golden(t, "problems", func(t *testing.T, source string, o Options) string {
		_, err := loadSource(source, o)
		return lines(t, err)
	})
}

// TestGoldenApplications shows what whole templates describe.
func TestGoldenApplications(t *testing.T) {
	t.Parallel()
	folder, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "applications", func(t *testing.T, source string, o Options) string {
		app, err := loadSource(source, o)
		if err != nil {
			return lines(t, err)
		}
		var ignored strings.Builder
		for _, n := range app.Warnings {
			ignored.WriteString("\nwarning: " + strings.TrimPrefix(n.String(), "testdata/template.yaml:"))
		}
		for _, n := range app.Ignored {
			ignored.WriteString("\n" + strings.TrimPrefix(n.String(), "testdata/template.yaml:"))
		}
		app.Ignored = nil
		encoded, err := json.MarshalIndent(app, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		quoted, err := json.Marshal(folder)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(encoded), strings.Trim(string(quoted), `"`), "{folder}") + ignored.String()
	})
}

// TestGoldenExpansions shows what SAM's resources are expanded to: section L.2.
func TestGoldenExpansions(t *testing.T) {
	t.Parallel()
	golden(t, "expansions", func(t *testing.T, source string, o Options) string {
		encoded, err := expand([]byte(source), o, newReport("testdata/template.yaml"))
		if err != nil {
			return lines(t, err)
		}
		return string(encoded)
	})
}
