// Package lambda runs Lambda functions as local processes: it builds and
// starts them, speaks the Lambda Runtime API to them, pools them, stops them
// at their timeout and replaces them when their code changes. Functions that
// are Go code of this process it calls.
package lambda

import (
	"context"
	"errors"
	"time"
)

// Function is a function as a template describes it, with all references
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
	// Unavailable is why the code cannot run here; every invocation fails with
	// this text. It is empty for code that can run.
	Unavailable string
	// InProcess is the function itself, where it is Go code of this process.
	// Nothing of its code, its runtime and its environment matters then.
	InProcess InProcess
}

// Invocation is one call of a function.
type Invocation struct {
	FunctionARN string // may have a qualifier; a function's name alone is accepted as well
	Payload     []byte // JSON
	TraceID     string // X-Amzn-Trace-Id; may be empty
	// ClientContext is what the caller tells of itself, JSON; may be empty.
	ClientContext string

	// Event makes the call asynchronous: the function runs later, and the
	// Result has only a RequestID.
	Event bool
	// Patient is set for a call that waits for its turn however many calls are
	// waiting. Others are refused where too many wait; this one has no client
	// that could be told so.
	Patient bool

	Caller Caller
}

// Caller is what a function is called for. It is needed where AWS checks
// permissions; its members may be empty.
type Caller struct {
	APIID     string
	RequestID string // of the event that leads to the call
	SourceARN string // arn:aws:execute-api:{region}:{account}:{apiId}/{stage}/{routeKey}
	Role      string // ARN of the role to call in, the integration's CredentialsArn
}

// Result is a function's answer.
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
