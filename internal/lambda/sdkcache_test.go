package lambda

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImportedPackages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{
		"index.mjs": `import { A } from "@aws-sdk/client-apigatewaymanagementapi"; import '@smithy/types';
			const x = await import("@aws-sdk/lib-dynamodb");`,
		"lib/db.js": `const { B } = require('@aws-sdk/client-dynamodb/dist/x');
			require ( "@aws-sdk/own" ); require("@aws-sdk/layered"); const note = "@aws-sdk/not-imported"; require("aws-sdk")`,
		"node_modules/other/index.js":                             `require("@aws-sdk/of-a-dependency")`,
		"node_modules/@aws-sdk/own/package.json":                  `{}`,
		"layer/nodejs/node_modules/@aws-sdk/layered/package.json": `{}`,
	}
	for name, content := range files {
		if err := writeFile(filepath.Join(dir, name), []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"@aws-sdk/client-apigatewaymanagementapi", "@aws-sdk/client-dynamodb", "@aws-sdk/lib-dynamodb", "@smithy/types"}
	got := missingPackages(Function{Layers: []string{filepath.Join(dir, "layer")}}, dir)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImportsBoto3(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"import boto3\n": true, "import json, boto3": true, "from botocore.config import Config": true, "    import boto3": true,
		"import boto3_helper": false, "# import boto3": false, "x = 'boto3'": false,
	}
	for source, want := range tests {
		dir := t.TempDir()
		if err := writeFile(filepath.Join(dir, "lib", "a.py"), []byte(source)); err != nil {
			t.Fatal(err)
		}
		if got := importsBoto3(Function{}, dir); got != want {
			t.Errorf("%q: %v, want %v", source, got, want)
		}
		if err := writeFile(filepath.Join(dir, "boto3", "__init__.py"), nil); err != nil {
			t.Fatal(err)
		}
		if importsBoto3(Function{}, dir) {
			t.Errorf("%q: the function brings boto3", source)
		}
	}
}

// Whoever asks at the same time, in whichever gateway, the cache is filled
// once; a failure leaves nothing behind.
func TestFillOnce(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	folder := filepath.Join(cache, "node", "set")
	boom := errors.New("boom")
	first := newTestHost(t, func(o *Options) { o.CacheDir = cache })
	err := first.fill(t.Context(), folder, func(_ context.Context, dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "half"), nil, 0o644); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) || isDir(folder) {
		t.Fatalf("after a failure: %v, folder there: %v", err, isDir(folder))
	}
	if err := first.fill(t.Context(), folder, nil); !errors.Is(err, boom) {
		t.Errorf("at once after a failure: %v, want the same", err)
	}
	var fills atomic.Int32
	var callers sync.WaitGroup
	for range 8 {
		h := newTestHost(t, func(o *Options) { o.CacheDir = cache })
		callers.Go(func() {
			if err := h.fill(t.Context(), folder, func(_ context.Context, dir string) error {
				fills.Add(1)
				return os.WriteFile(filepath.Join(dir, "whole"), nil, 0o644)
			}); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(folder, "whole")); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if fills.Load() != 1 {
		t.Errorf("filled %d times", fills.Load())
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "node", ".new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A folder that is still being filled will be moved, or go again: it is none
// of the cache, whatever it holds already.
func TestCachedPackages(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	h := newTestHost(t, func(o *Options) { o.CacheDir = cache })
	for folder, found := range map[string]bool{unfinished + "1": false, "set": true} {
		modules := filepath.Join(cache, "node", folder, "node_modules")
		if err := os.MkdirAll(filepath.Join(modules, "@aws-sdk", folder), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := h.cachedPackages([]string{"@aws-sdk/" + folder}); (got == modules) != found {
			t.Errorf("%s: %q", folder, got)
		}
	}
}

// The functions of an AWS application that import AWS's SDK find it, in both
// module systems, and their calls come to the local endpoint.
func TestNodeSDK(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("there is no npm to fill the cache with")
	}
	const handler = `handler = async () => {
		const client = new ApiGatewayManagementApiClient({ endpoint: "https://abc123.execute-api.us-east-1.amazonaws.com/prod" });
		const answer = await client.send(new PostToConnectionCommand({ ConnectionId: "id=", Data: "hello" })).catch((e) => e);
		return answer.$metadata.httpStatusCode;
	}`
	const names = "{ ApiGatewayManagementApiClient, PostToConnectionCommand }"
	const name = "@aws-sdk/client-apigatewaymanagementapi"
	dir := t.TempDir()
	for file, source := range map[string]string{
		"module.mjs": "import " + names + " from '" + name + "';\nexport const " + handler,
		"common.js":  "const " + names + " = require('" + name + "');\nexports." + handler,
	} {
		if err := writeFile(filepath.Join(dir, file), []byte(source)); err != nil {
			t.Fatal(err)
		}
	}
	module := Function{Name: "module", Runtime: "nodejs22.x", Handler: "module.handler", CodeDir: dir, Timeout: deadline}
	common := Function{Name: "common", Runtime: "nodejs22.x", Handler: "common.handler", CodeDir: dir, Timeout: deadline}
	redirect := endpoint(t)
	h := newTestHost(t, func(o *Options) { o.Redirect, o.CacheDir = redirect, t.TempDir() }, module, common)
	h.Prepare()
	for _, name := range []string{"module", "common"} {
		got := h.call(name, `{}`)
		if strings.Contains(h.text(), "could not be installed") {
			t.Skipf("npm can't install the SDK here: %s", h.text())
		}
		if string(got.Payload) != "200" {
			t.Errorf("%s: got %s", name, got.Payload)
		}
	}
	if n := strings.Count(h.text(), "installing "); n != 1 {
		t.Errorf("installed %d times:\n%s", n, h.text())
	}
}

func TestNodeSDKUnavailable(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, func(o *Options) { o.CacheDir = t.TempDir() },
		inlineNode("a", `require("@aws-sdk/client-dynamodb")`),
		inlineNode("b", `exports.handler = async () => { try { require("@aws-sdk/client-dynamodb") } catch { return "without" } }`))
	h.lookPath = func(name string) (string, error) {
		if name == "npm" {
			return "", exec.ErrNotFound
		}
		return exec.LookPath(name)
	}
	if got := decodeError(t, h.call("a", `{}`)); got.ErrorType != "Runtime.ImportModuleError" {
		t.Errorf("got %+v", got)
	}
	if got := h.call("b", `{}`); string(got.Payload) != `"without"` {
		t.Errorf("got %s", got.Payload)
	}
	if n := strings.Count(h.text(), "there is no npm command on PATH"); n != 1 {
		t.Errorf("told %d times:\n%s", n, h.text())
	}
}

func TestPythonSDK(t *testing.T) {
	t.Parallel()
	f := inlinePython("f", `import boto3
def handler(event, context):
    client = boto3.client('apigatewaymanagementapi', endpoint_url='https://abc123.execute-api.us-east-1.amazonaws.com/prod')
    return client.post_to_connection(ConnectionId='id=', Data=b'hello')['ResponseMetadata']['HTTPStatusCode']
`)
	redirect := endpoint(t)
	h := newTestHost(t, func(o *Options) { o.Redirect = redirect }, f)
	found, err := h.findPython(t.Context(), f.Runtime, true)
	if err != nil || !found.Boto3 {
		t.Skipf("no Python here has boto3 (apt-get install python3-boto3): %+v %v", found, err)
	}
	if got := h.call("f", `{}`); string(got.Payload) != "200" {
		t.Errorf("got %s", got.Payload)
	}
}

func TestPythonSDKUnavailable(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, func(o *Options) { o.CacheDir = t.TempDir() },
		inlinePython("f", "def handler(event, context):\n    import boto3\n"))
	h.lookPath = func(name string) (string, error) {
		if name == "python3" {
			return testdata(t, "python", "bare", "python3"), nil
		}
		return "", exec.ErrNotFound
	}
	got := decodeError(t, h.call("f", `{}`))
	if got.ErrorType != "ModuleNotFoundError" {
		t.Errorf("got %+v", got)
	}
	for range 2 {
		if n := strings.Count(h.text(), "boto3, which AWS's Python brings, could not be installed"); n != 1 {
			t.Errorf("told %d times:\n%s", n, h.text())
		}
		h.call("f", `{}`)
	}
}
