package gatewaytest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stagedoor/stagedoor/internal/lambda"
)

// Function is a Lambda function in Go: it returns the result's JSON. An error
// stands for an exception that the function throws.
type Function func(ctx context.Context, event Event) (string, error)

// Functions are the Lambda functions of a test, by name. It is a lambda.Invoker
// that keeps the events. Asynchronous calls are kept, but the function is not
// run for them.
type Functions struct {
	mu        sync.Mutex
	functions map[string]Function // guarded by mu
	events    []Event             // guarded by mu
}

// NewFunctions makes an empty set.
func NewFunctions() *Functions { return &Functions{functions: map[string]Function{}} }

// Event is what a function received.
type Event struct {
	Function          string
	Raw               string            // all of it, as it was sent
	Call              lambda.Invocation // the call that it came with
	Headers           map[string]string
	MultiValueHeaders map[string][]string
	Body              string
	StageVariables    map[string]string
	RequestContext    struct {
		RouteKey, EventType, ConnectionID, RequestID, MessageID, Stage, APIID, DomainName string
		DisconnectStatusCode                                                              int
		DisconnectReason                                                                  string
	}
}

// Set defines a function.
func (f *Functions) Set(name string, function Function) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.functions[name] = function
}

// requestID is the request id of all calls.
const requestID = "0a1b2c3d-0000-4000-8000-000000000000"

// Invoke implements lambda.Invoker.
func (f *Functions) Invoke(ctx context.Context, call lambda.Invocation) (lambda.Result, error) {
	name := call.FunctionARN[strings.LastIndexByte(call.FunctionARN, ':')+1:]
	event := Event{}
	if err := json.Unmarshal(call.Payload, &event); err != nil && !json.Valid(call.Payload) {
		return lambda.Result{}, fmt.Errorf("the event is not JSON: %w", err)
	}
	event.Function, event.Raw, event.Call = name, string(call.Payload), call
	f.mu.Lock()
	function := f.functions[name]
	f.events = append(f.events, event)
	f.mu.Unlock()
	if function == nil {
		return lambda.Result{}, lambda.ErrNotFound
	}
	if call.Event {
		return lambda.Result{RequestID: requestID}, nil
	}
	result, err := function(ctx, event)
	if ctx.Err() != nil {
		return lambda.Result{}, ctx.Err()
	}
	if err != nil {
		payload, _ := json.Marshal(map[string]string{"errorType": "Error", "errorMessage": err.Error()})
		return lambda.Result{Payload: payload, FunctionError: "Unhandled", RequestID: requestID}, nil
	}
	return lambda.Result{Payload: []byte(result), RequestID: requestID}, nil
}

// Events are the events that a function has received so far.
func (f *Functions) Events(name string) []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	var events []Event
	for _, e := range f.events {
		if e.Function == name {
			events = append(events, e)
		}
	}
	return events
}

// Wait waits until a function has received n events, and returns them.
func (f *Functions) Wait(t testing.TB, name string, n int) []Event {
	t.Helper()
	var events []Event
	Eventually(t, func() error {
		if events = f.Events(name); len(events) < n {
			return fmt.Errorf("function %s received %d events, want %d: %+v", name, len(events), n, events)
		}
		return nil
	})
	return events
}

// Returns returns a function that always has the same result.
func Returns(result string) Function {
	return func(context.Context, Event) (string, error) { return result, nil }
}

// Echo is a function that answers a message with the message.
func Echo(_ context.Context, e Event) (string, error) {
	body, err := json.Marshal(e.Body)
	return fmt.Sprintf(`{"statusCode":200,"body":%s}`, body), err
}
