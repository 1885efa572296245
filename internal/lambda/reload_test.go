package lambda

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// save writes a file as an editor does that writes in place.
func save(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// becomes waits until the function answers so.
func (th *testHost) becomes(name, want string) {
	th.t.Helper()
	last := ""
	defer func() {
		if th.t.Failed() {
			th.t.Logf("last answer of %s: %s", name, last)
		}
	}()
	eventually(th.t, name+" to answer "+want, func() bool {
		last = string(th.call(name, `{}`).Payload)
		return strings.Contains(last, want)
	})
}

func TestReload(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "code")
	index := filepath.Join(dir, "index.js")
	const source = `const { text } = require("./lib/text"); exports.handler = async () => text;`
	save(t, index, source)
	save(t, filepath.Join(dir, "lib", "text.js"), `exports.text = "one"`)
	f := Function{Name: "f", Runtime: "nodejs20.x", Handler: "index.handler", CodeDir: dir, Timeout: deadline}
	other := inlineNode("other", `exports.handler = async () => process.pid`)
	h := newTestHost(t, nil, f, other)
	pid := string(h.call("other", `{}`).Payload)
	h.becomes("f", `"one"`)

	save(t, filepath.Join(dir, "lib", "text.js"), `exports.text = "two"`)
	h.becomes("f", `"two"`)

	// Vim and others write a new file and rename it over the old one.
	save(t, filepath.Join(dir, "lib", ".text.js.new"), `exports.text = "three"`)
	if err := os.Rename(filepath.Join(dir, "lib", ".text.js.new"), filepath.Join(dir, "lib", "text.js")); err != nil {
		t.Fatal(err)
	}
	h.becomes("f", `"three"`)
	if strings.Contains(h.text(), ".new changed") {
		t.Errorf("told of an editor's temporary file: %s", h.text())
	}

	// A new folder is watched as well.
	save(t, filepath.Join(dir, "new", "deep", "text.js"), `exports.text = "four"`)
	save(t, index, strings.Replace(source, "./lib/text", "./new/deep/text", 1))
	h.becomes("f", `"four"`)
	save(t, filepath.Join(dir, "new", "deep", "text.js"), `exports.text = "five"`)
	h.becomes("f", `"five"`)

	// A mistake is the answer until it is mended.
	save(t, index, `exports.handler = `)
	h.becomes("f", "Runtime.UserCodeSyntaxError")
	save(t, index, source)
	h.becomes("f", `"three"`)

	// The folder goes, as when a build makes it anew, and comes back.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	h.becomes("f", "is not there")
	save(t, index, `exports.handler = async () => "back"`)
	h.becomes("f", `"back"`)
	save(t, index, `exports.handler = async () => "and watched"`)
	h.becomes("f", `"and watched"`)

	if got := string(h.call("other", `{}`).Payload); got != pid {
		t.Errorf("the other function has a new process: %s, want %s", got, pid)
	}
}

func TestReloadIgnoresWhatIsNotCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save(t, filepath.Join(dir, "index.js"), `exports.handler = async () => process.pid`)
	f := Function{Name: "f", Runtime: "nodejs20.x", Handler: "index.handler", CodeDir: dir, Timeout: deadline}
	h := newTestHost(t, func(o *Options) { o.CacheDir = filepath.Join(dir, "cache") }, f)
	h.call("f", `{}`)
	for _, name := range []string{"cache/a.js", ".nyc/a.js", "node_modules/a/index.js", ".git/index", "__pycache__/a.pyc", "index.js~", ".index.js.swp", "4913"} {
		save(t, filepath.Join(dir, filepath.FromSlash(name)), "x")
	}
	// Events come in order: when this one has been seen, so have the others.
	save(t, filepath.Join(dir, "index.js"), `exports.handler = async () => "seen"`)
	h.becomes("f", `"seen"`)
	for line := range strings.Lines(h.text()) {
		if strings.Contains(line, " changed: ") && !strings.HasPrefix(line, "index.js ") {
			t.Errorf("reloaded for a file that is no code: %s", line)
		}
	}
}

func TestReloadOfGo(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	loop, err := os.ReadFile(testdata(t, "go", "runtimeapi", "loop.go"))
	if err != nil {
		t.Fatal(err)
	}
	save(t, filepath.Join(module, "go.mod"), "module example.com/app\n\ngo 1.24\n")
	save(t, filepath.Join(module, "runtimeapi", "loop.go"), string(loop))
	save(t, filepath.Join(module, "text", "text.go"), "package text\n\nconst Text = `\"one\"`\n")
	main := filepath.Join(module, "functions", "f", "main.go")
	const source = `package main

import (
	"example.com/app/runtimeapi"
	"example.com/app/text"
)

func main() { runtimeapi.Run(func([]byte) string { return text.Text }) }
`
	save(t, main, source)
	h := newTestHost(t, func(o *Options) { o.CacheDir = t.TempDir() },
		Function{Name: "f", Runtime: "provided.al2023", Handler: "bootstrap", CodeDir: filepath.Dir(main), Timeout: deadline})
	h.Prepare()
	h.becomes("f", `"one"`)
	save(t, filepath.Join(module, "text", "text.go"), "package text\n\nconst Text = `\"two\"`\n") // outside of the function's folder
	h.becomes("f", `"two"`)
	save(t, main, strings.Replace(source, "text.Text", "text.Missing", 1))
	h.becomes("f", "Runtime.BuildFailed")
	if !strings.Contains(h.text(), "main.go:8:64: undefined: text.Missing") {
		t.Errorf("the compiler's message is not in the log:\n%s", h.text())
	}
	save(t, main, source)
	h.becomes("f", `"two"`)
}
