package template

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const smallTemplate = `Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src, Handler: index.handler, Runtime: nodejs22.x, Layers: [!Ref Layer]}
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layer}
`

// writeApplication makes a folder with a template of the given name, and the
// folders it speaks of.
func writeApplication(t *testing.T, name, source string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "my_app 1")
	for _, sub := range []string{"src", "layer"} {
		if err := os.MkdirAll(filepath.Join(folder, sub), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, name), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestLoadFolder(t *testing.T) {
	t.Parallel()
	for _, name := range fileNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := writeApplication(t, name, smallTemplate)
			app, err := Load(folder, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if app.StackName != "my-app-1" || app.File != filepath.Join(folder, name) {
				t.Errorf("got stack %q of file %q", app.StackName, app.File)
			}
			want := []string{filepath.Join(folder, "src"), filepath.Join(folder, "layer")}
			got := append([]string{app.Functions[0].CodeDir}, app.Functions[0].Layers...)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("folders of code (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want a missing file", err)
	}
	folder := t.TempDir()
	want := "find template: folder " + folder + " has none of template.yaml, template.yml, template.json"
	if _, err := Expand(folder, Options{}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestProblemsText(t *testing.T) {
	t.Parallel()
	folder := writeApplication(t, "template.yml", "Resources:\n  A: {Type: \"AWS::SQS::Queue\", DependsOn: B}\n  C: {}\n")
	file := filepath.Join(folder, "template.yml")
	_, err := Load(folder, Options{Parameters: map[string]string{"P": "x"}})
	want := file + ": the template has no parameter P\n" +
		file + ":2: A: DependsOn names B, which is not a resource\n" +
		file + ":3: C: the resource has no Type"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestIDs checks the forms of ids (section B.1) and that they are the same at
// every start, and different in another stack.
func TestIDs(t *testing.T) {
	t.Parallel()
	a, b := newStack("t", Options{StackName: "a"}), newStack("t", Options{StackName: "b"})
	for _, n := range []int{6, 7, 10} {
		id := a.id("Api", n)
		if len(id) != n || !regexp.MustCompile(`^[a-z0-9]+$`).MatchString(id) {
			t.Errorf("id of %d characters is %q", n, id)
		}
		if id != a.id("Api", n) || id == b.id("Api", n) || id == a.id("Other", n) {
			t.Errorf("id %q is not one resource's own", id)
		}
	}
	long := newStack("t", Options{StackName: "a-stack-of-a-rather-long-name-that-goes-on-and-on-and-on-and-on"})
	name := long.physicalName("AnotherRatherLongLogicalIdOfAFunctionThatGoesOn", 64)
	if len(name) != 64 || !regexp.MustCompile(`^a-stack-[a-z-]+-[A-Za-z]+-[A-Z2-7]{12}$`).MatchString(name) {
		t.Errorf("physical name is %q (%d characters)", name, len(name))
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"eu-central-1":  "arn:aws:lambda:eu-central-1:1:f",
		"cn-north-1":    "arn:aws-cn:lambda:cn-north-1:1:f",
		"us-gov-west-1": "arn:aws-us-gov:lambda:us-gov-west-1:1:f",
	} {
		if got := newStack("t", Options{Region: region, AccountID: "1"}).arn("lambda", "f"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
