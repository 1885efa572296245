package lambda

import (
	"testing"

	"github.com/stagedoor/stagedoor/internal/allocations"
)

// A call costs the task and the channel that its answer comes by, the request's
// id, the trace header (three), the head and the body of the answer.
func TestInvokeAllocations(t *testing.T) {
	h := newTestHost(t, nil, inlinePython("f", "def handler(event, context):\n    return event\n"))
	call := Invocation{FunctionARN: "arn:aws:lambda:us-east-1:123456789012:function:f", Payload: []byte(`{"a":1}`)}
	allocations.AtMost(t, 9, func() {
		if result, err := h.Invoke(t.Context(), call); err != nil || result.FunctionError != "" {
			t.Fatalf("%s, %v", result.Payload, err)
		}
	})
}
