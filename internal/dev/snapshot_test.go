package dev

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// link makes a symbolic link, or takes the place of one in a step, as tools for
// releases do.
func link(t *testing.T, target, path string) {
	t.Helper()
	next := path + ".next"
	if err := os.Symlink(target, next); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

// serves waits until the API has a stage of this name.
func (a *app) serves(t *testing.T, stage string) {
	t.Helper()
	a.eventually(t, "the stage "+stage, func() bool {
		last := len(a.reloaded) - 1
		return last >= 0 && len(a.reloaded[last].APIs) == 1 && a.reloaded[last].APIs[0].Stages[0] == stage
	})
}

func stageNamed(name string) string {
	return strings.ReplaceAll(mocks("hello=Mock"), "StageName: dev", "StageName: "+name)
}

// A template behind symbolic links is followed: what a link leads to is edited,
// a link is swapped, and a folder takes the place of another.
func TestDevFollowsLinks(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(base, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("releases/1/template.yaml", stageNamed("one"))
	write("releases/2/template.yaml", stageNamed("two"))
	write("releases/3/other.yaml", stageNamed("three"))
	link(t, "releases/1", filepath.Join(base, "current"))
	if err := os.Mkdir(filepath.Join(base, "app"), 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, "../current/template.yaml", filepath.Join(base, "app", "template.yaml"))
	a := start(t, stageNamed("unused"), func(c *Config) { c.Template = filepath.Join(base, "app") })
	if got := a.APIs[0].Stages[0]; got != "one" {
		t.Fatalf("it starts with the stage %s", got)
	}
	write("releases/1/template.yaml", stageNamed("edited"))
	a.serves(t, "edited")
	link(t, "releases/2", filepath.Join(base, "current"))
	a.serves(t, "two")
	write("releases/2/template.yaml", stageNamed("after"))
	a.serves(t, "after")
	link(t, "../releases/3/other.yaml", filepath.Join(base, "app", "template.yaml"))
	a.serves(t, "three")
	write("app.new/template.yaml", stageNamed("folder"))
	if err := os.Rename(filepath.Join(base, "app"), filepath.Join(base, "app.old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(base, "app.new"), filepath.Join(base, "app")); err != nil {
		t.Fatal(err)
	}
	a.serves(t, "folder")
	write("app/template.yaml", stageNamed("last"))
	a.serves(t, "last")
}

// Code behind a link that is swapped is new code.
func TestDevFollowsCode(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no node to run the functions with")
	}
	base := t.TempDir()
	for _, version := range []string{"one", "two"} {
		if err := os.Mkdir(filepath.Join(base, version), 0o755); err != nil {
			t.Fatal(err)
		}
		code := "exports.handler = async () => ({ statusCode: 200, body: '" + version + "' })"
		if err := os.WriteFile(filepath.Join(base, version, "bad.js"), []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link(t, "one", filepath.Join(base, "code"))
	a := start(t, strings.ReplaceAll(functionsTemplate, "CodeUri: code/", "CodeUri: "+filepath.Join(base, "code")))
	c := a.dial(t, "/dev")
	bad := `{"action":"bad"}`
	if got := gatewaytest.Ask(t, c, bad); got != "one" {
		t.Errorf("before: %s", got)
	}
	link(t, "two", filepath.Join(base, "code"))
	a.eventually(t, "the reload", func() bool { return len(a.reloaded) > 0 })
	if got := gatewaytest.Ask(t, c, bad); got != "two" {
		t.Errorf("after: %s", got)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"a/b", "c"} {
		if err := os.MkdirAll(filepath.Join(base, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link(t, "../c", filepath.Join(base, "a", "relative"))
	link(t, filepath.Join(base, "a", "b"), filepath.Join(base, "c", "absolute"))
	link(t, "loop", filepath.Join(base, "loop"))
	for path, want := range map[string]struct {
		target  string
		folders []string
	}{
		"a/b/x":                 {"a/b/x", nil},
		"a/relative/absolute/x": {"a/b/x", []string{"a", "c"}},
		"a/relative/gone/x":     {"c/gone/x", []string{"a"}},
		"loop/x":                {"loop/x", []string{"."}},
	} {
		folders := map[string]bool{}
		wanted := map[string]bool{}
		for _, folder := range want.folders {
			wanted[filepath.Join(base, folder)] = true
		}
		if got := resolve(filepath.Join(base, path), folders); got != filepath.Join(base, want.target) || !cmp.Equal(folders, wanted) {
			t.Errorf("%s: %s %v, want %s %v", path, got, folders, want.target, wanted)
		}
	}
}
