//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// initialised runs "stagedoor init" on a folder that is not there yet.
func initialised(t *testing.T, args ...string) (folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "app")
	got := execute(t.Context(), strings.NewReader(""), append([]string{"init", folder}, args...)...)
	if got.code != exitOK || got.stderr != "" || !strings.Contains(got.stdout, "stagedoor dev\n") {
		t.Fatalf("%+v", got)
	}
	return folder
}

// Without words it is a short file, which runs in front of its backend.
func TestInit(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	folder := initialised(t)
	file := filepath.Join(folder, "stagedoor.yaml")
	if got := execute(t.Context(), strings.NewReader(""), "check", folder); got.code != exitOK || !strings.Contains(got.stdout, "1 WebSocket API, 3 routes") {
		t.Errorf("%+v", got)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.ReplaceAll(string(text), "http://localhost:8000", b.URL)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, open(t, folder).dial("/dev"), "hello"); got != "echo hello" {
		t.Errorf("answered %q", got)
	}
	got := execute(t.Context(), strings.NewReader(""), "init", folder)
	if got.code != exitFailure || got.stdout != "" || !strings.Contains(got.stderr, file+" is there already; nothing was written") {
		t.Errorf("over a file: %+v", got)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != changed {
		t.Errorf("%v, the file is now %s", err, after)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if comment, found := strings.CutPrefix(line, "      #"); found && strings.Contains(line, "{") { // examples
			changed += "      " + comment + "\n"
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "price"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := execute(t.Context(), strings.NewReader(""), "check", folder); got.code != exitOK || !strings.Contains(got.stdout, "1 WebSocket API, 5 routes, 1 function") {
		t.Errorf("with the examples: %+v", got)
	}
}

// A language that is none, and a folder with a file of the application in it.
func TestInitRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if got := execute(t.Context(), strings.NewReader(""), "init", folder, "--sam", "rust"); got.code != exitUsage || !strings.Contains(got.stderr, `--sam takes one of go, typescript, python, not "rust"`) {
		t.Errorf("%+v", got)
	}
	if err := os.WriteFile(filepath.Join(folder, "template.yaml"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := execute(t.Context(), strings.NewReader(""), "init", folder, "--sam", "go"); got.code != exitFailure || !strings.Contains(got.stderr, "template.yaml is there already; nothing was written") {
		t.Errorf("%+v", got)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("%v: left %v", err, left)
	}
	got := execute(t.Context(), strings.NewReader(""), "init", folder)
	if got.code != exitOK || !strings.Contains(got.stdout, "&& stagedoor dev stagedoor.yaml\n") {
		t.Errorf("beside a template: %+v", got)
	}
}

// A SAM application answers and pushes as it was written.
func TestInitSAM(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"go", "python", "typescript"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			folder := initialised(t, "--sam", language)
			switch language {
			case "go": // the first build takes longer than a client waits
				build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(t.TempDir(), "bootstrap"), ".")
				build.Dir = filepath.Join(folder, "function")
				if said, err := build.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, said)
				}
			case "typescript":
				npm(t, folder, "install", "--no-audit", "--no-fund")
				npm(t, folder, "run", "build")
			}
			d := open(t, folder)
			c := d.dial("/dev")
			if got := ask(t, c, "hello"); got != "you said hello" {
				t.Fatalf("answered %q; %s", got, d.out)
			}
			if got := ask(t, c, `{"action":"push"}`); !strings.HasPrefix(got, "pushed to ") {
				t.Errorf("pushed %q; %s", got, d.out)
			}
		})
	}
}

// npm runs npm in a folder, with the registry that it is configured for.
func npm(t *testing.T, folder string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm, which compiles TypeScript, is not installed")
	}
	command := exec.CommandContext(t.Context(), path, args...)
	command.Dir = folder
	said, err := command.CombinedOutput()
	switch {
	case err != nil && (strings.Contains(string(said), "ENOTFOUND") || strings.Contains(string(said), "EAI_AGAIN") || strings.Contains(string(said), "ECONNREFUSED")):
		t.Skipf("npm reaches no registry for the TypeScript compiler: %s", said)
	case err != nil:
		t.Fatalf("npm %v: %v\n%s", args, err, said)
	}
}
