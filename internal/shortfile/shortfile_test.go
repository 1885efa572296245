package shortfile_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/shortfile"
)

var update = flag.Bool("update", false, "write what is found now into testdata")

const divider = "----------\n"

// parse reads the whole of a text as the value of apis.
func parse(t testing.TB, text string) (*shortfile.File, mistake.List) {
	t.Helper()
	var document struct {
		APIs yaml.Node `yaml:"apis"`
	}
	if err := yaml.Unmarshal(shortfile.QuoteSubjects([]byte(text)), &document); err != nil {
		t.Fatal(err)
	}
	return shortfile.Parse("stagedoor.yaml", &document.APIs)
}

// A file gives its template, or all its mistakes.
func TestGolden(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range cases {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			golden, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(golden), divider)
			file, problems := parse(t, input)
			got := ""
			for _, p := range problems {
				got += fmt.Sprintf("%d: %s: %s\n", p.Line, p.Where, p.Message)
			}
			if len(problems) == 0 {
				got = string(file.Template())
			}
			if *update {
				if err := os.WriteFile(name, []byte(input+divider+got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// The URL alone stands for one API whose every event goes there.
func TestForURL(t *testing.T) {
	t.Parallel()
	file, err := shortfile.ForURL("http://localhost:8000")
	if err != nil {
		t.Fatal(err)
	}
	text := string(file.Template())
	if strings.Count(text, "IntegrationUri: http://localhost:8000\n") != 3 || strings.Count(text, "::RouteResponse\n") != 1 || !strings.Contains(text, "StageName: dev\n") {
		t.Error(text)
	}
	for _, wrong := range []string{"", "localhost:8000", "ftp://localhost", "http://", "http://u:p@localhost", "http://localhost/#x", "http://localhost/{id}", "http://local host", "http://localhost/a b", "http://localhost:99999", "http://localhost:0"} {
		if _, err := shortfile.ForURL(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

// Routes share a function where all that is said of it is the same.
func TestFunctions(t *testing.T) {
	t.Parallel()
	for environments, want := range map[[2]string]int{
		{"{AA: b, CC: d}", "{CC: d, AA: b}"}: 1,
		{"{AA: b, CC: d}", "{AA: 'b CC:d'}"}: 2,
	} {
		text := "apis:\n  chat:\n    routes:\n"
		for i, environment := range environments {
			text += fmt.Sprintf("      r%d: {function: ./f, runtime: nodejs20.x, environment: %s}\n", i, environment)
		}
		file, problems := parse(t, text)
		if problems != nil {
			t.Fatal(problems)
		}
		if got := strings.Count(string(file.Template()), "Type: AWS::Serverless::Function\n"); got != want {
			t.Errorf("%s: %d functions, want %d", environments, got, want)
		}
	}
}

// Every resource of a template has a place in the file.
func TestPlaces(t *testing.T) {
	t.Parallel()
	file, problems := parse(t, "apis:\n  chat:\n    routes:\n      $default: http://app\n      price: {function: ./price, runtime: nodejs20.x}\n")
	if problems != nil {
		t.Fatal(problems)
	}
	var template struct {
		Resources map[string]any `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(file.Template(), &template); err != nil || len(template.Resources) != 10 {
		t.Fatalf("%v, resources %v", err, template.Resources)
	}
	places := file.Places()
	for id := range template.Resources {
		if place, found := places[id]; !found || place.Line < 2 || !strings.HasPrefix(place.Key, "apis.chat") {
			t.Errorf("%s: %v %v", id, place, found)
		}
	}
	if place := places["ChatPriceFunction"]; place != (shortfile.Place{Line: 5, Key: "apis.chat.routes.price"}) {
		t.Error(place)
	}
}

// Whatever is parsed without a mistake is a template without one.
func FuzzParse(f *testing.F) {
	cases, _ := filepath.Glob("testdata/*.txt")
	for _, name := range cases {
		text, _ := os.ReadFile(name)
		input, _, _ := strings.Cut(string(text), divider)
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var node yaml.Node
		if yaml.Unmarshal([]byte(text), &node) != nil || len(node.Content) == 0 {
			t.Skip("no YAML")
		}
		root := node.Content[0]
		for i := 0; i+1 < len(root.Content); i += 2 {
			if root.Content[i].Value != "apis" {
				continue
			}
			file, problems := shortfile.Parse("stagedoor.yaml", root.Content[i+1])
			if len(problems) > 0 {
				continue
			}
			var read map[string]any
			if err := yaml.Unmarshal(file.Template(), &read); err != nil {
				t.Errorf("%v in\n%s", err, file.Template())
			}
		}
	})
}
