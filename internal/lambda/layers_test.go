package lambda

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A layer is found where AWS would find it in /opt; the later of two wins.
func TestLayers(t *testing.T) {
	t.Parallel()
	below, above := t.TempDir(), t.TempDir()
	files := map[string]string{
		"nodejs/node_modules/shared/index.js":     `module.exports = "LAYER"`,
		"nodejs/node_modules/shared/package.json": `{"name": "shared", "main": "index.js"}`,
		"python/shared.py":                        `text = "LAYER"`,
		"bin/shared":                              "#!/bin/sh\necho LAYER\n",
	}
	for name, content := range files {
		for layer, text := range map[string]string{below: "below", above: "above"} {
			path := filepath.Join(layer, filepath.FromSlash(name))
			save(t, path, strings.ReplaceAll(content, "LAYER", text))
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	save(t, filepath.Join(below, "nodejs", "node_modules", "only-below", "index.js"), `module.exports = "below"`)
	functions := []Function{
		inlineNode("require", `exports.handler = async () => require("shared")`),
		inlineNode("import", `export const handler = async () => (await import("shared")).default`),
		inlineNode("import of another layer's", `import text from "only-below"; export const handler = async () => text`),
		inlineNode("bin", `exports.handler = async () => require("child_process").execFileSync("shared").toString().trim()`),
		inlinePython("python", "import shared\ndef handler(event, context):\n    return shared.text\n"),
	}
	for i := range functions {
		functions[i].Layers = []string{below, above}
	}
	h := newTestHost(t, nil, functions...)
	for _, f := range functions {
		want := `"above"`
		if f.Name == "import of another layer's" {
			want = `"below"`
		}
		if got := h.call(f.Name, `{}`); string(got.Payload) != want {
			t.Errorf("%s: got %s, want %s", f.Name, got.Payload, want)
		}
	}
}
