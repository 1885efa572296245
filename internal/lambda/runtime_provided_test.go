package lambda

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func provided(name, dir string, layers ...string) Function {
	return Function{Name: name, Runtime: "provided.al2023", Handler: "anything", CodeDir: dir, Layers: layers, Timeout: deadline}
}

func TestProvidedBootstrap(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil)
	built, err := h.buildGo(t.Context(), testdata(t, "go", "hostile"))
	if err != nil {
		t.Fatal(err)
	}
	folder := func(name, content string, mode os.FileMode) string {
		dir := filepath.Join(t.TempDir(), name)
		save(t, filepath.Join(dir, "bootstrap"), content)
		if err := os.Chmod(filepath.Join(dir, "bootstrap"), mode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	executable := t.TempDir()
	if err := os.Symlink(built, filepath.Join(executable, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	legacy := provided("go1.x", executable)
	legacy.Runtime = "go1.x"
	tests := []struct {
		Function
		want string
	}{
		{provided("executable", executable), `{"Do":"echo","URL":""}`},
		{provided("in a layer", empty, executable), `{"Do":"echo","URL":""}`},
		{legacy, `{"Do":"echo","URL":""}`},
		{provided("none", empty), "Couldn't find valid bootstrap(s): [" + filepath.Join(empty, "bootstrap")},
		{provided("not executable", folder("a", "x", 0o644)), "is not executable: chmod +x it"},
		{provided("of another system", folder("b", "\x7fELF\x00 of another system", 0o755)), "built for another system or processor"},
		{provided("gone", filepath.Join(empty, "nowhere")), "is not there"},
		{provided("no interpreter", folder("c", "#!/nowhere/interpreter\n", 0o755)), "Runtime.InvalidEntrypoint"},
	}
	var functions []Function
	for _, test := range tests {
		functions = append(functions, test.Function)
	}
	h.Update(functions)
	for _, test := range tests {
		if got := h.call(test.Name, `{"Do":"echo"}`); !strings.Contains(string(got.Payload), test.want) {
			t.Errorf("%s: got %s, want %s", test.Name, got.Payload, test.want)
		}
	}
}

func TestGoMissing(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, hostile(t, "f", deadline))
	h.lookPath = func(string) (string, error) { return "", exec.ErrNotFound }
	for range 2 {
		if got := decodeError(t, h.call("f", `{}`)); got.ErrorType != "Runtime.NotInstalled" || !strings.Contains(got.ErrorMessage, "https://go.dev/dl/") {
			t.Errorf("got %+v", got)
		}
	}
	if n := strings.Count(h.text(), "install Go from"); n != 1 {
		t.Errorf("told %d times:\n%s", n, h.text())
	}
}

// Prepare tells what is wrong before anybody calls.
func TestPrepareTellsProblems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save(t, filepath.Join(dir, "go.mod"), "module example.com/broken\n\ngo 1.24\n")
	save(t, filepath.Join(dir, "main.go"), "package main\n\nfunc main() { missing() }\n")
	h := newTestHost(t, nil, provided("broken", dir), Function{Name: "java", Runtime: "java21", CodeDir: dir})
	h.Prepare()
	eventually(t, "the compiler's message", func() bool { return strings.Contains(h.text(), "main.go:3:15: undefined: missing") })
	eventually(t, "the word on Java", func() bool { return strings.Contains(h.text(), `runtime "java21" is not run here`) })
}

// AWS's library for Go runs on this Runtime API.
func TestGoLibraryOfAWS(t *testing.T) {
	t.Parallel()
	dir := testdata(t, "go-sdk")
	download := exec.Command("go", "mod", "download")
	download.Dir = dir
	if said, err := download.CombinedOutput(); err != nil {
		t.Skipf("its modules can't be had here: %v %s", err, said)
	}
	h := newTestHost(t, nil, provided("f", dir))
	result := h.call("f", `{}`)
	var got map[string]any
	if err := json.Unmarshal(result.Payload, &got); err != nil {
		t.Fatalf("%s: %v", result.Payload, err)
	}
	want := map[string]any{
		"RequestID": result.RequestID, "ARN": "arn:aws:lambda:us-east-1:123456789012:function:f",
		"Function": "f", "Version": "$LATEST", "MemoryMB": 128.0, "InTime": true,
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
	if got := decodeError(t, h.call("f", `{"Fail":"error"}`)); got.ErrorType != "errorString" || got.ErrorMessage != "as ordered" {
		t.Errorf("an error: %+v", got)
	}
	if got := decodeError(t, h.call("f", `{"Fail":"panic"}`)); got.ErrorType != "string" || got.ErrorMessage != "as ordered" {
		t.Errorf("a panic: %+v", got)
	}
	if got := h.call("f", `{}`); got.FunctionError != "" {
		t.Errorf("after the panic: %s", got.Payload)
	}

	// A process that is ended takes nothing for an invocation, to complain of it.
	said := h.text()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Error(err)
	}
	if more := strings.TrimPrefix(h.text(), said); more != "" {
		t.Errorf("at its end it said: %s", more)
	}
}
