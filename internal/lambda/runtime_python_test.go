package lambda

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// inlinePython is a Python function whose code is in the test.
func inlinePython(name, source string) Function {
	return Function{Name: name, Runtime: "python3.13", Handler: "index.handler", InlineCode: source, Timeout: deadline}
}

func TestPythonAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, source, want string }{
		{"dict", "def handler(event, context):\n    return {'got': event['a']}\n", `{"got": 1}`},
		{"none", "def handler(event, context):\n    pass\n", `null`},
		{"decimal", "import decimal\ndef handler(event, context):\n    return decimal.Decimal('1.5')\n", `1.5`},
		{"unicode", "def handler(event, context):\n    return 'é😀'\n", `"é😀"`},
		{"class", "class H:\n    def __call__(self, event, context):\n        return 'called'\nhandler = H()\n", `"called"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newTestHost(t, nil, inlinePython("f", test.source))
			for range 2 {
				if got := h.call("f", `{"a":1}`); string(got.Payload) != test.want || got.FunctionError != "" {
					t.Errorf("got %s %q, want %s", got.Payload, got.FunctionError, test.want)
				}
			}
		})
	}
}

func TestPythonErrors(t *testing.T) {
	t.Parallel()
	const def = "def handler(event, context):\n    "
	tests := []struct{ name, source, kind, message string }{
		{"raised", def + "raise ValueError('boom')\n", "ValueError", "boom"},
		{"own class", "class Teapot(Exception):\n    pass\n" + def + "raise Teapot('short')\n", "Teapot", "short"},
		{"not JSON", def + "return object()\n", "Runtime.MarshalError", "Unable to marshal response: Object of type object is not JSON serializable"},
		{"load", "raise RuntimeError('at load')\n", "RuntimeError", "at load"},
		{"missing module", "import nowhere\n", "Runtime.ImportModuleError", "Unable to import module 'index': No module named 'nowhere'"},
		{"syntax", "def handler(:\n", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index': "},
		{"no handler", "other = 1\n", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'"},
		{"exit", def + "import sys; sys.exit(3)\n", "Runtime.ExitError", "RequestId: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newTestHost(t, nil, inlinePython("f", test.source))
			for range 2 {
				result := h.call("f", `{}`)
				got := decodeError(t, result)
				if got.ErrorType != test.kind || !strings.HasPrefix(got.ErrorMessage, test.message) {
					t.Errorf("got %s: %s, want %s: %s", got.ErrorType, got.ErrorMessage, test.kind, test.message)
				}
				if test.name == "raised" && (len(got.StackTrace) != 1 || !strings.Contains(fmt.Sprint(got.StackTrace), "index.py") || got.RequestID != result.RequestID) {
					t.Errorf("stack or request id: %+v", got)
				}
			}
		})
	}
}

func TestPythonHandlerNamesAndLog(t *testing.T) {
	t.Parallel()
	dir := testdata(t, "python", "layout")
	functions := []Function{
		{Name: "package", Runtime: "python3.12", Handler: "chat/rooms.enter", CodeDir: dir, Timeout: deadline},
		{Name: "dotted", Runtime: "python3.12", Handler: "chat.rooms.enter", CodeDir: dir, Timeout: deadline},
		{Name: "nodot", Runtime: "python3.12", Handler: "nodot", CodeDir: dir, Timeout: deadline},
	}
	h := newTestHost(t, nil, functions...)
	for _, name := range []string{"package", "dotted"} {
		result := h.call(name, `"lobby"`)
		if string(result.Payload) != `"welcome to lobby"` {
			t.Errorf("%s: got %s %q", name, result.Payload, result.FunctionError)
		}
		for _, text := range []string{"printed lobby", "[INFO]\tlogged lobby"} {
			eventually(t, text, func() bool {
				return h.logged(LogLine{Function: name, RequestID: result.RequestID, Text: text})
			})
		}
	}
	if got := decodeError(t, h.call("nodot", `{}`)); got.ErrorType != "Runtime.MalformedHandlerName" {
		t.Errorf("got %+v", got)
	}
}

func TestPythonContext(t *testing.T) {
	t.Parallel()
	f := inlinePython("f", `import os
def handler(event, context):
    return {
        'remaining': 0 < context.get_remaining_time_in_millis() <= 60000,
        'id': context.aws_request_id, 'arn': context.invoked_function_arn, 'name': context.function_name,
        'version': context.function_version, 'memory': context.memory_limit_in_mb, 'group': context.log_group_name,
        'stream': '[$LATEST]' in context.log_stream_name, 'client': context.client_context,
        'identity': context.identity.cognito_identity_id, 'trace': bool(os.environ['_X_AMZN_TRACE_ID']),
    }
`)
	h := newTestHost(t, nil, f)
	result := h.call("f", `{}`)
	var got map[string]any
	if err := json.Unmarshal(result.Payload, &got); err != nil {
		t.Fatalf("%s: %v", result.Payload, err)
	}
	want := map[string]any{
		"remaining": true, "id": result.RequestID, "arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "name": "f",
		"version": "$LATEST", "memory": "128", "group": "/aws/lambda/f", "stream": true, "client": nil, "identity": nil, "trace": true,
	}
	if diff := diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A sitecustomize of the developer's own still runs.
func TestPythonKeepsOtherSiteHook(t *testing.T) {
	t.Parallel()
	f := inlinePython("f", "import os\ndef handler(event, context):\n    return os.environ.get('FROM_SITE')\n")
	f.Environment = map[string]string{"PYTHONPATH": testdata(t, "python", "site")}
	h := newTestHost(t, nil, f)
	if got := h.call("f", `{}`); string(got.Payload) != `"it ran"` {
		t.Errorf("got %s", got.Payload)
	}
}

func TestPythonMissing(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, inlinePython("f", ""))
	h.lookPath = func(string) (string, error) { return "", exec.ErrNotFound }
	if got := decodeError(t, h.call("f", `{}`)); got.ErrorType != "Runtime.NotInstalled" || !strings.Contains(got.ErrorMessage, "python3.13") {
		t.Errorf("got %+v", got)
	}
}

func TestRuntimesThatAreNotRun(t *testing.T) {
	t.Parallel()
	for _, runtime := range []string{"java21", "dotnet8", "ruby3.3", ""} {
		h := newTestHost(t, nil, Function{Name: "f", Runtime: runtime, CodeDir: t.TempDir(), Timeout: time.Second})
		got := decodeError(t, h.call("f", `{}`))
		if got.ErrorType != "Runtime.NotSupported" || !strings.Contains(got.ErrorMessage, "nodejs*, python*, provided*") {
			t.Errorf("%s: got %+v", runtime, got)
		}
	}
}
