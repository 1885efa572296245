// Package lambda runs Lambda functions as local processes: it builds and
// starts them, speaks the Lambda Runtime API to them, pools them, stops them
// at their timeout and replaces them when their code changes.
package lambda

import (
	"context"
	"errors"
	"time"
)

// Function is one function as a template describes it, with every reference
// resolved.
type Function struct {
	Name        string // AWS_LAMBDA_FUNCTION_NAME; the last part of the ARN
	ARN         string // arn:aws:lambda:{region}:{account}:function:{name}
	Runtime     string // "nodejs22.x", "python3.13", "provided.al2023", …
	Handler     string
	CodeDir     string        // absolute path of the folder that holds the code
	InlineCode  string        // source text; set instead of CodeDir
	MemoryMB    int           // 0 stands for 128
	Timeout     time.Duration // 0 stands for 3 s, as in AWS
	Environment map[string]string
	Layers      []string // absolute paths of unpacked layers
	// Unavailable says why the code cannot run here; every invocation fails
	// with it. Empty when it can.
	Unavailable string
}

// Invocation is one call of a function.
type Invocation struct {
	FunctionARN string // may carry a qualifier; a bare function name is accepted as well
	Payload     []byte // JSON
	TraceID     string // X-Amzn-Trace-Id; may be empty

	// Event asks for an asynchronous call: the function runs later, and the
	// Result has no more than a RequestID.
	Event bool
	// Patient calls wait for their turn however many others wait for theirs:
	// there is nobody to be told of a refusal.
	Patient bool

	Caller Caller
}

// Caller is on whose behalf a function is called. It matters where AWS's
// permissions do; its members may be empty.
type Caller struct {
	APIID     string
	RequestID string // of the event that leads to the call
	SourceARN string // arn:aws:execute-api:{region}:{account}:{apiId}/{stage}/{routeKey}
	Role      string // ARN of the role to call in, the integration's CredentialsArn
}

// Result is what a function answered.
type Result struct {
	Payload []byte // JSON: the answer, or the error object when FunctionError is set
	// FunctionError is "" for success, "Unhandled" when the function failed,
	// timed out, crashed or could not be started. Payload then holds
	// {"errorType":…,"errorMessage":…}.
	FunctionError string
	RequestID     string // UUID of the invocation
}

// ErrNotFound is returned by Invoke for a function that does not exist.
var ErrNotFound = errors.New("function not found")

// Invoker calls functions. An error means that no call took place (ErrNotFound,
// or the context ended); a failing function is a Result with FunctionError.
type Invoker interface {
	Invoke(context.Context, Invocation) (Result, error)
}
