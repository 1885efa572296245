package lambda

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// inlineNode is a Node.js function whose code is in the test.
func inlineNode(name, source string) Function {
	return Function{Name: name, Runtime: "nodejs20.x", Handler: "index.handler", InlineCode: source, Timeout: deadline}
}

// TestNodeAnswers runs the forms in which a handler may answer.
func TestNodeAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, source, want string }{
		{"async", `exports.handler = async (event) => ({ got: event.a })`, `{"got":1}`},
		{"promise", `exports.handler = (event) => Promise.resolve(event.a + 1)`, `2`},
		{"async without a value", `exports.handler = async () => {}`, `null`},
		{"callback", `exports.handler = (event, context, callback) => callback(null, event.a)`, `1`},
		{"callback later", `exports.handler = (event, context, callback) => { setTimeout(() => callback(null, "later"), 10) }`, `"later"`},
		{"callback waits for the event loop", `
			exports.handler = (event, context, callback) => {
				const order = []; setTimeout(() => order.push("timer"), 50); callback(null, order) }`, `["timer"]`},
		{"callback does not wait when told so", `
			exports.handler = (event, context, callback) => {
				const order = []; context.callbackWaitsForEmptyEventLoop = false;
				setTimeout(() => order.push("timer"), 50); callback(null, order) }`, `[]`},
		{"nobody answers", `exports.handler = () => {}`, `null`},
		{"promise that never settles", `exports.handler = () => new Promise(() => {})`, `null`},
		{"value without async, as in AWS", `exports.handler = () => 5`, `null`},
		{"context.done", `exports.handler = (event, context) => context.done(null, "done")`, `"done"`},
		{"context.succeed", `exports.handler = (event, context) => context.succeed("ok")`, `"ok"`},
		{"ES module syntax in index.js", `import os from "node:os"; export const handler = async () => typeof os.EOL`, `"string"`},
		{"unicode", `exports.handler = async () => "é\u2028😀"`, "\"é\u2028😀\""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newTestHost(t, nil, inlineNode("f", test.source))
			for range 2 { // the second call finds the process warm
				got := h.call("f", `{"a":1}`)
				if string(got.Payload) != test.want || got.FunctionError != "" {
					t.Errorf("got %s %q, want %s", got.Payload, got.FunctionError, test.want)
				}
			}
		})
	}
}

// errorObject is what Invoke returns for a function that failed.
type errorObject struct {
	ErrorType    string   `json:"errorType"`
	ErrorMessage string   `json:"errorMessage"`
	Trace        []string `json:"trace"`
	StackTrace   []any    `json:"stackTrace"`
	RequestID    string   `json:"requestId"`
}

func decodeError(t *testing.T, r Result) errorObject {
	t.Helper()
	if r.FunctionError != "Unhandled" {
		t.Errorf("FunctionError %q, want Unhandled; payload %s", r.FunctionError, r.Payload)
	}
	var object errorObject
	if err := json.Unmarshal(r.Payload, &object); err != nil {
		t.Fatalf("error object %q: %v", r.Payload, err)
	}
	return object
}

func TestNodeErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, source       string
		kind, message, log string
	}{
		{"thrown", `exports.handler = async () => { throw new TypeError("boom") }`, "TypeError", "boom", "TypeError: boom"},
		{"thrown outside of a promise", `exports.handler = () => { throw new RangeError("sync") }`, "RangeError", "sync", "RangeError: sync"},
		{"own class", `class Teapot extends Error { constructor() { super("short"); this.name = "Teapot" } }
			exports.handler = async () => { throw new Teapot() }`, "Teapot", "short", "Teapot"},
		{"a string", `exports.handler = async () => { throw "plain" }`, "string", "plain", "plain"},
		{"callback", `exports.handler = (e, c, callback) => callback(new Error("called back"))`, "Error", "called back", "called back"},
		{"context.fail", `exports.handler = (e, c) => c.fail(new Error("failed"))`, "Error", "failed", "failed"},
		{"uncaught", `exports.handler = () => new Promise(() => setTimeout(() => { throw new Error("from a timer") }))`,
			"Error", "from a timer", "from a timer"},
		{"unhandled rejection", `exports.handler = () => new Promise(() => { Promise.reject(new Error("nobody")); setTimeout(() => {}, 1e6) })`,
			"Runtime.UnhandledPromiseRejection", "Error: nobody", "nobody"},
		{"cyclic answer", `exports.handler = async () => { const a = {}; a.a = a; return a }`,
			"Runtime.MarshalError", "Unable to stringify response body", "circular"},
		{"load", `throw new Error("at load")`, "Error", "at load", "at load"},
		{"missing module", `require("./nowhere")`, "Runtime.ImportModuleError", "Error: Cannot find module './nowhere'", "nowhere"},
		{"syntax", `exports.handler = async () => {`, "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected end of input", "index.js:1"},
		{"no export", `exports.other = 1`, "Runtime.HandlerNotFound", "index.handler is undefined or not exported", "index.handler"},
		{"not a function", `exports.handler = 1`, "Runtime.HandlerNotFound", "index.handler is not a function", "index.handler"},
		{"streaming", `exports.handler = awslambda.streamifyResponse(async () => {})`,
			"Runtime.StreamingNotSupported", "index.handler is wrapped in awslambda.streamifyResponse", "streamifyResponse"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newTestHost(t, nil, inlineNode("f", test.source))
			for range 2 {
				got := decodeError(t, h.call("f", `{}`))
				if got.ErrorType != test.kind || !strings.HasPrefix(got.ErrorMessage, test.message) {
					t.Errorf("got %s: %s, want %s: %s", got.ErrorType, got.ErrorMessage, test.kind, test.message)
				}
				if got.Trace == nil || len(got.Trace) == 0 && test.kind != "string" {
					t.Errorf("no trace: %+v", got)
				}
			}
			eventually(t, "the error in the log", func() bool { return strings.Contains(h.text(), test.log) })
		})
	}
}

func TestNodeHandlerNames(t *testing.T) {
	t.Parallel()
	dir := testdata(t, "node", "layout")
	var functions []Function
	tests := []struct{ handler, want string }{
		{"nested/deep/app.api.v1.onConnect", `"nested"`},
		{"module.handler", `"from a module"`},
		{"common.handler", `"from common.cjs"`},
		{"esm/index.handler", `"index.js"`},
		{"pkg.handler", `"index of a folder"`},
		{"typescript/app.handler", "is TypeScript"},
		{"missing.handler", "Runtime.ImportModuleError"},
		{"nodot", "Runtime.MalformedHandlerName"},
		{"../outside.handler", "Runtime.MalformedHandlerName"},
	}
	for _, test := range tests {
		functions = append(functions, Function{
			Name: test.handler, Runtime: "nodejs20.x", Handler: test.handler, CodeDir: dir, Timeout: deadline,
		})
	}
	h := newTestHost(t, nil, functions...)
	for _, test := range tests {
		if got := h.call(test.handler, `{}`); !strings.Contains(string(got.Payload), test.want) {
			t.Errorf("%s: got %s, want %s", test.handler, got.Payload, test.want)
		}
	}
}

func TestNodeContextAndEnvironment(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOWN")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("DEVELOPERS_OWN", "not for functions")
	f := inlineNode("talk", `exports.handler = async (event, context) => {
		const remaining = context.getRemainingTimeInMillis();
		const env = Object.fromEntries(["_HANDLER", "_X_AMZN_TRACE_ID", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
			"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
			"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_ACCESS_KEY_ID", "TZ", "TABLE", "ENDPOINT", "DEVELOPERS_OWN"].map((n) => [n, process.env[n]]));
		return { env, context, timely: remaining > 0 && remaining <= 30000, root: process.cwd() === process.env.LAMBDA_TASK_ROOT };
	}`)
	f.Timeout, f.MemoryMB = 30*time.Second, 256
	f.Environment = map[string]string{"TABLE": "connections", "ENDPOINT": "function's", "AWS_REGION": "refused"}
	h := newTestHost(t, func(o *Options) {
		o.Region = "eu-west-1"
		o.Environment = map[string]string{"ENDPOINT": "host's"}
	}, f)
	trace := "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"
	result, err := h.Invoke(t.Context(), Invocation{
		FunctionARN: "arn:aws:lambda:eu-west-1:123456789012:function:talk:live", Payload: []byte(`{}`), TraceID: trace,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Env          map[string]string
		Context      map[string]any
		Timely, Root bool
	}
	if err := json.Unmarshal(result.Payload, &got); err != nil {
		t.Fatalf("%s: %v", result.Payload, err)
	}
	if !got.Timely || !got.Root {
		t.Errorf("remaining time or working directory is wrong: %s", result.Payload)
	}
	wantEnv := map[string]string{
		"_HANDLER": "index.handler", "_X_AMZN_TRACE_ID": trace, "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
		"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x", "AWS_LAMBDA_FUNCTION_NAME": "talk", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_ACCESS_KEY_ID": "AKIAOWN",
		"TZ": ":UTC", "TABLE": "connections", "ENDPOINT": "function's",
	}
	if diff := cmp.Diff(wantEnv, got.Env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if stream, _ := got.Context["logStreamName"].(string); !strings.Contains(stream, "/[$LATEST]") {
		t.Errorf("logStreamName %q", stream)
	}
	delete(got.Context, "logStreamName")
	wantContext := map[string]any{
		"callbackWaitsForEmptyEventLoop": true, "functionVersion": "$LATEST", "functionName": "talk", "memoryLimitInMB": "256",
		"logGroupName": "/aws/lambda/talk", "awsRequestId": result.RequestID,
		"invokedFunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:talk:live",
	}
	if diff := cmp.Diff(wantContext, got.Context); diff != "" {
		t.Errorf("context (-want +got):\n%s", diff)
	}
}

func TestNodeCallbackHandlersAreRefusedFromVersion24(t *testing.T) {
	t.Parallel()
	callback := inlineNode("callback", `exports.handler = (event, context, callback) => callback(null, 1)`)
	value := inlineNode("value", `exports.handler = () => 5`)
	callback.Runtime, value.Runtime = "nodejs24.x", "nodejs24.x"
	h := newTestHost(t, nil, callback, value)
	if got := decodeError(t, h.call("callback", `{}`)); got.ErrorType != "Runtime.CallbackHandlerDeprecated" {
		t.Errorf("got %+v", got)
	}
	if got := h.call("value", `{}`); string(got.Payload) != "5" {
		t.Errorf("got %s", got.Payload)
	}
}

func TestNodeMissing(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, inlineNode("f", ""))
	h.lookPath = func(name string) (string, error) { return "", exec.ErrNotFound }
	got := decodeError(t, h.call("f", `{}`))
	if got.ErrorType != "Runtime.NotInstalled" || !strings.Contains(got.ErrorMessage, "install Node.js") {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(h.text(), "install Node.js") {
		t.Errorf("not in the log:\n%s", h.text())
	}
}
