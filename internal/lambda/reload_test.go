package lambda

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

// notices are the lines that tell of a change.
func (th *testHost) notices() (list []string) {
	for line := range strings.Lines(th.text()) {
		if strings.Contains(line, " changed: ") || strings.Contains(line, "changes all the time") {
			list = append(list, strings.TrimSuffix(line, "\n"))
		}
	}
	return list
}

// What .gitignore names is no code, logs and what tools write are none, and what
// holds the handler is code although .gitignore names it.
func TestReloadMindsGitignore(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir := filepath.Join(top, "app")
	source := `exports.handler = async () => "first"`
	for name, content := range map[string]string{
		".git/HEAD": "ref", ".gitignore": "# comment\n*.out\n/app/dist/\n", "app/.gitignore": "data/\n!kept.out\n",
		"app/index.js": source, "app/dist/main.js": source, "app/deep/index.js": source,
	} {
		save(t, filepath.Join(top, filepath.FromSlash(name)), content)
	}
	h := newTestHost(t, nil,
		Function{Name: "whole", Runtime: "nodejs20.x", Handler: "index.handler", CodeDir: dir, Timeout: deadline},
		Function{Name: "built", Runtime: "nodejs20.x", Handler: "main.handler", CodeDir: filepath.Join(dir, "dist"), Timeout: deadline},
		Function{Name: "within", Runtime: "nodejs20.x", Handler: "dist/main.handler", CodeDir: dir, Timeout: deadline},
		Function{Name: "notcode", Runtime: "nodejs20.x", Handler: "index.handler", CodeDir: filepath.Join(top, "other"), Timeout: deadline})
	h.becomes("whole", "first")
	for _, name := range []string{"dev.log", "a.out", "deep/b.out", "data/c.js", "cdk.out/d.js", ".aws-sam/e.js", "node_modules/f.js", ".gitignore"} {
		save(t, filepath.Join(dir, filepath.FromSlash(name)), "data/\n!kept.out\n")
	}
	save(t, filepath.Join(dir, "index.js"), `exports.handler = async () => "second"`)
	h.becomes("whole", "second")
	for _, notice := range h.notices() {
		if !strings.HasPrefix(notice, "index.js changed: ") {
			t.Errorf("told: %s", notice)
		}
	}
	save(t, filepath.Join(dir, "kept.out"), "x")
	eventually(t, "a notice of kept.out", func() bool { return strings.Contains(h.text(), "kept.out changed: ") })
	save(t, filepath.Join(dir, "dist", "main.js"), `exports.handler = async () => "compiled"`)
	h.becomes("built", "compiled")
	h.becomes("within", "compiled")
	save(t, filepath.Join(dir, ".gitignore"), "") // read again
	save(t, filepath.Join(dir, "data", "c.js"), "x")
	eventually(t, "a notice of c.js", func() bool { return strings.Contains(h.text(), "c.js changed: ") })
}

// One save is one notice, of however many functions the file is the code. Files
// that are told to be no code are none.
func TestOneNoticeForOneSave(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	template := filepath.Join(dir, "template.yaml")
	save(t, filepath.Join(dir, "index.js"), `exports.handler = async () => "first"`)
	var functions []Function
	for _, name := range []string{"a", "b", "c"} {
		functions = append(functions, Function{Name: name, Runtime: "nodejs20.x", Handler: "index.handler", CodeDir: dir, Timeout: deadline})
	}
	h := newTestHost(t, func(o *Options) { o.NotCode = func(path string) bool { return path == template } }, functions...)
	h.becomes("a", "first")
	save(t, template, "Resources: {}")
	save(t, filepath.Join(dir, "index.js"), `exports.handler = async () => "second"`)
	h.becomes("a", "second")
	h.becomes("c", "second")
	if got, want := strings.Join(h.notices(), "\n"), "index.js changed: the next invocations of 3 functions run the new code"; got != want {
		t.Errorf("told:\n%s\nwant:\n%s", got, want)
	}
}

// A file that something writes to all the time, such as our own output, is muted
// with one notice, and other files are followed as before.
func TestBusyFilesAreMuted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save(t, filepath.Join(dir, "index.js"), `exports.handler = async () => "first"`)
	output, err := os.Create(filepath.Join(dir, "dev.txt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = output.Close() })
	h := newTestHost(t, func(o *Options) {
		record := o.Log
		o.Log = func(line LogLine) {
			record(line)
			_, _ = output.WriteString(line.Text + "\n") // stagedoor dev | tee dev.txt
		}
	}, Function{Name: "f", Runtime: "nodejs20.x", Handler: "index.handler", CodeDir: dir, Timeout: deadline})
	const muted = "dev.txt changes all the time: it is not taken for code any more"
	eventually(t, "dev.txt to be muted", func() bool {
		_, _ = output.WriteString("a line\n")
		return strings.Contains(h.text(), muted)
	})
	save(t, filepath.Join(dir, "index.js"), `exports.handler = async () => "second"`)
	h.becomes("f", "second")
	before := len(h.notices())
	for range 100 {
		_, _ = output.WriteString("a line\n")
	}
	save(t, filepath.Join(dir, "index.js"), `exports.handler = async () => "third"`)
	h.becomes("f", "third")
	notices := h.notices()
	if got := strings.Count(strings.Join(notices, "\n"), muted); got != 1 {
		t.Errorf("%d notices that dev.txt is muted: %q", got, notices)
	}
	for _, notice := range notices[before:] {
		if strings.HasPrefix(notice, "dev.txt") {
			t.Errorf("told of a muted file: %s", notice)
		}
	}
}

func TestMutes(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	for name, test := range map[string]struct {
		changes int
		every   time.Duration
		want    bool
	}{
		"ten in a moment each":      {10, 100 * time.Millisecond, false},
		"eleven in a second":        {11, 100 * time.Millisecond, true},
		"a file written in pieces":  {10000, 40 * time.Microsecond, false},
		"for a long time, slowly":   {100, 600 * time.Millisecond, false},
		"for a long time, steadily": {100, 400 * time.Millisecond, true},
	} {
		var m mutes
		told := 0
		muted := false
		for i := range test.changes {
			var first bool
			if muted, first = m.changed("f", now.Add(time.Duration(i)*test.every)); first {
				told++
			}
		}
		if muted != test.want || (told == 1) != test.want {
			t.Errorf("%s: muted %v, told %d times", name, muted, told)
		}
	}
	var m mutes
	for i := range 3 * maxCounted {
		m.changed(fmt.Sprint(i), now)
	}
	if len(m.files) > maxCounted {
		t.Errorf("%d files are counted", len(m.files))
	}
}
