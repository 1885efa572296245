package lambda

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// failure is why an invocation has no answer from the function, with the type
// and message of the error object that Lambda returns for it.
type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (f *failure) Error() string { return f.Message }

func failuref(kind, format string, args ...any) *failure {
	return &failure{Type: kind, Message: fmt.Sprintf(format, args...)}
}

func (f *failure) result(requestID string) Result {
	return Result{Payload: encodeJSON(f), FunctionError: "Unhandled", RequestID: requestID}
}

// forRequest puts the request id before the message as Lambda does for
// failures that the sandbox, not the function, reports.
func forRequest(requestID, kind, message string) *failure {
	return &failure{Type: kind, Message: "RequestId: " + requestID + " Error: " + message}
}

func timedOut(requestID string, after time.Duration) *failure {
	return forRequest(requestID, "Sandbox.Timedout",
		fmt.Sprintf("Task timed out after %.2f seconds", after.Seconds()))
}

// exited returns the failure for a process that ended during an invocation. err
// is the error of waiting for the process; nil stands for exit status 0.
func exited(requestID string, err error) *failure {
	message := "Runtime exited without providing a reason"
	if err != nil {
		message = "Runtime exited with error: " + err.Error()
	}
	return forRequest(requestID, "Runtime.ExitError", message)
}

func encodeJSON(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // the values are our own structs of strings
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
