package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/source"
	"github.com/stagedoor/stagedoor/internal/template"
)

const (
	aTemplate = "Resources: {Api: {Type: 'AWS::ApiGatewayV2::Api', Properties: {Name: written, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}}}\n"
	shortForm = "apis: {short: {routes: {$default: http://app}}}\n"
)

// write writes files into a folder of its own.
func write(t *testing.T, files map[string]string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// A file is what its text says that it is, and a folder has its template, or else
// its short file.
func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, files string // names of files; those that begin with stagedoor or mine are short
		what        string
		taken, note string
		api         string
	}{
		{"a template", "template.yaml", "", "template.yaml", "", "written"},
		{"a short file", "stagedoor.yaml", "", "stagedoor.yaml", "", "short"},
		{"its other name", "stagedoor.yml", "", "stagedoor.yml", "", "short"},
		{"both", "template.json stagedoor.yaml", "", "template.json", "the folder has stagedoor.yaml as well; template.json is taken", "written"},
		{"the short one of both", "template.yaml stagedoor.yaml", "stagedoor.yaml", "stagedoor.yaml", "", "short"},
		{"a name of one's own", "mine.yaml", "mine.yaml", "mine.yaml", "", "short"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{}
			for _, name := range strings.Fields(tt.files) {
				files[name] = aTemplate
				if !strings.HasPrefix(name, "template") {
					files[name] = shortForm
				}
			}
			folder := write(t, files)
			found, err := source.Find(filepath.Join(folder, tt.what))
			if err != nil {
				t.Fatal(err)
			}
			if found.File != filepath.Join(folder, tt.taken) || found.Note != tt.note || found.IsShort() != (tt.api == "short") {
				t.Errorf("%+v", found)
			}
			app, err := found.Load(template.Options{})
			if err != nil || len(app.APIs) != 1 || app.APIs[0].API.Name != tt.api {
				t.Errorf("%v, %+v", err, app)
			}
		})
	}
}

// What is no source says what would be one.
func TestFindRefuses(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]string{
		"":               `"stagedoor init" writes one`,
		"absent.yaml":    "no such file",
		"localhost:8000": "an HTTP backend is written with its scheme: http://localhost:8000",
		"http://":        "is not an http or https URL",
		"http://app/#x":  "the URL has a # in it",
	} {
		if !source.IsURL(what) {
			what = filepath.Join(t.TempDir(), what)
		}
		if found, err := source.Find(what); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", what, found, err)
		}
	}
}

// Mistakes of a short file have its lines, those of its template too.
func TestLoadMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"listen: :80\n": "has no apis",
		"apis:\n  a:\n    routes:\n      $default: app\nx: 1\n":                                                   "stagedoor.yaml:4: apis.a.routes.$default: ",
		"apis:\n  a:\n    routes:\n      f: {function: ./f, runtime: nodejs20.x}\n":                               "stagedoor.yaml:4: apis.a.routes.f: the code folder ./f does not exist",
		"apis:\n  a: {tags: {'stagedoor:no': x}, routes: {$default: http://" + strings.Repeat("a", 2050) + "}}\n": "stagedoor.yaml:2: apis.a.routes.$default: IntegrationUri",
	} {
		folder := write(t, map[string]string{"stagedoor.yaml": text})
		found, err := source.Find(folder)
		if err != nil {
			t.Fatal(err)
		}
		_, err = found.Load(template.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", text, err)
		}
		var problems mistake.List
		if strings.Contains(want, "stagedoor.yaml:") != errors.As(err, &problems) {
			t.Errorf("%.40q: the error is a %T", text, err)
		}
	}
}

// So do warnings.
func TestLoadWarnings(t *testing.T) {
	t.Parallel()
	folder := write(t, map[string]string{"stagedoor.yaml": "apis:\n  a:\n    select: $request.body.a-b\n    routes: {$default: http://app}\n"})
	found, err := source.Find(folder)
	if err != nil {
		t.Fatal(err)
	}
	app, err := found.Load(template.Options{})
	if err != nil || len(app.Warnings) != 1 {
		t.Fatalf("%v, %+v", err, app)
	}
	if w := app.Warnings[0]; w.Line != 2 || w.LogicalID != "apis.a" || w.File != found.File {
		t.Errorf("%+v", w)
	}
}
