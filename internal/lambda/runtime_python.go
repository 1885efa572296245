package lambda

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// python is a Python interpreter, as it describes itself.
type python struct {
	Executable string `json:"executable"`
	Version    string `json:"version"` // "3.12"
	Boto3      bool   `json:"boto3"`   // it can import boto3 by itself
}

const describePython = `import importlib.util, json, sys
assert sys.version_info >= (3, 8)
print(json.dumps({"executable": sys.executable, "version": "%d.%d" % sys.version_info[:2],
    "boto3": importlib.util.find_spec("boto3") is not None}))`

// preparePython gets a Python function ready.
func (h *Host) preparePython(ctx context.Context, f Function, dir string) (*program, error) {
	needsSDK := importsBoto3(f, dir)
	interpreter, err := h.findPython(ctx, f.Runtime, needsSDK)
	if err != nil {
		return nil, err
	}
	if wanted := strings.TrimPrefix(f.Runtime, "python"); wanted != interpreter.Version {
		h.noticeOnce("", "runtime "+f.Runtime+" runs on the Python "+interpreter.Version+" that is installed here ("+interpreter.Executable+")")
	}
	runtimeDir, err := h.runtimeDir("python")
	if err != nil {
		return nil, err
	}
	env := h.baseEnvironment(f, dir, runtimeDir)
	env["PYTHONPATH"] = pythonPath(f, interpreter, runtimeDir, env["PYTHONPATH"])
	if needsSDK && !interpreter.Boto3 {
		if bundled := h.pythonSDK(ctx, f, interpreter); bundled != "" {
			env.append("PYTHONPATH", bundled)
		}
	}
	env["PYTHONUNBUFFERED"] = "1"
	h.hookRedirect(env)
	if bundle := h.options.Redirect.CABundleFile; bundle != "" && env["REQUESTS_CA_BUNDLE"] == "" {
		env["REQUESTS_CA_BUNDLE"] = bundle
	}
	return &program{
		path: interpreter.Executable,
		args: []string{filepath.Join(runtimeDir, "bootstrap.py"), h.channelArgument()},
		ours: true,
		dir:  dir,
		env:  env.list(),
	}, nil
}

// pythonPath returns the PYTHONPATH of a function: where modules are found that
// are not in its folder. Our sitecustomize must come first, because only the
// first one is imported.
func pythonPath(f Function, interpreter *python, runtimeDir, own string) string {
	folders := []string{filepath.Join(runtimeDir, "site")}
	if own != "" {
		folders = append(folders, own)
	}
	for i := len(f.Layers) - 1; i >= 0; i-- {
		folders = append(folders,
			filepath.Join(f.Layers[i], "python"),
			filepath.Join(f.Layers[i], "python", "lib", "python"+interpreter.Version, "site-packages"))
	}
	return strings.Join(folders, string(os.PathListSeparator))
}

// findPython chooses an interpreter: the version that the runtime names, if
// there is one. For a function that needs boto3, an interpreter that has it
// goes before that.
func (h *Host) findPython(ctx context.Context, runtime string, needsSDK bool) (*python, error) {
	wanted := strings.TrimPrefix(runtime, "python")
	var best *python
	for _, name := range []string{"python" + wanted, "python3", "python", "/usr/bin/python3"} {
		path, err := h.lookPath(name)
		if err != nil {
			continue
		}
		// A command that fails is too old, or a version manager's placeholder
		// for a version that is not installed.
		said, err := h.probe(ctx, path, "-c", describePython)
		if err != nil {
			continue
		}
		found := new(python)
		if json.Unmarshal([]byte(strings.TrimSpace(said)), found) != nil || found.Executable == "" {
			continue
		}
		if found.Boto3 || !needsSDK {
			return found, nil
		}
		if best == nil {
			best = found
		}
	}
	if best == nil {
		return nil, failuref("Runtime.NotInstalled",
			"there is no Python 3.8 or newer on PATH: install python%s or any python3 (https://www.python.org, or apt-get install python3)", wanted)
	}
	return best, nil
}
