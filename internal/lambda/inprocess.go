package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"
)

// maxInProcess is how many calls of one function in Go run at once; further
// callers wait, as for processes.
const maxInProcess = 1000

// InProcess is a function that is Go code of this process. It is given the
// event and returns the answer, both JSON; an error is what the function
// throws. ctx ends at the function's timeout, and when the host closes. It is
// called concurrently and must not change the event.
type InProcess func(ctx context.Context, event []byte) ([]byte, error)

// call runs the task in this process. When ctx ends, or the function's time,
// call stops waiting; the function goes on until it returns.
func (p *pool) call(ctx context.Context, t *task) (Result, error) {
	select {
	case p.calls <- struct{}{}:
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	if !p.begin() {
		<-p.calls
		return Result{}, errRetired
	}
	limited, cancel := context.WithTimeout(p.host.ctx, p.function.Timeout)
	returned := make(chan struct{})
	go func() {
		defer func() {
			<-p.calls
			cancel()
			close(returned)
		}()
		p.run(limited, t)
	}()
	go func() {
		defer p.host.background.Done()
		p.watchCall(limited, returned, t.requestID)
	}()
	select {
	case o := <-t.outcome:
		return o.result, nil
	case <-limited.Done():
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	select {
	case o := <-t.outcome: // both at once
		return o.result, nil
	default:
		return p.cutOff(t), nil
	}
}

// cutOff is the result of a call that had not returned in its time.
func (p *pool) cutOff(t *task) Result {
	if p.host.ctx.Err() != nil {
		return forRequest(t.requestID, "Runtime.ExitError", "the gateway stopped").result(t.requestID)
	}
	return timedOut(t.requestID, p.function.Timeout).result(t.requestID)
}

// begin counts a call, for Close to wait for, unless the pool is retired.
func (p *pool) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired {
		return false
	}
	p.host.background.Add(1) // before retire, so before Close waits
	return true
}

// watchCall waits for the end of a call. It says so when the function goes on
// after its time, and gives a host that closes no more than it gives processes.
func (p *pool) watchCall(limited context.Context, returned <-chan struct{}, requestID string) {
	select {
	case <-returned:
		return
	case <-limited.Done():
	}
	grace := time.NewTimer(terminateGrace)
	defer grace.Stop()
	select {
	case <-returned:
		return
	case <-grace.C:
	}
	p.host.notice(p.function.Name, requestID, "the function goes on after its time; it should return when its context ends")
	select {
	case <-returned:
	case <-p.host.ctx.Done():
	}
}

// run calls the function and gives the task its answer, whatever the function
// does.
func (p *pool) run(ctx context.Context, t *task) {
	failed := failuref("Runtime.ExitError", "the function ended its goroutine")
	defer func() {
		if thrown := recover(); thrown != nil {
			failed = failuref(typeName(thrown), "%v", thrown)
		}
		if failed != nil {
			p.host.notice(p.function.Name, t.requestID, failed.Message+"\n"+string(debug.Stack()))
			t.finish(failed.result(t.requestID))
		}
	}()
	payload, err := p.function.InProcess(ctx, t.Payload)
	failed = nil
	if ctx.Err() != nil {
		t.finish(p.cutOff(t))
		return
	}
	t.finish(answerOf(payload, err, t.requestID))
}

// answerOf words what a function returned, or threw, as Lambda does.
func answerOf(payload []byte, err error, requestID string) Result {
	switch {
	case err != nil:
		return failuref(typeName(err), "%s", err).result(requestID)
	case len(payload) == 0:
		payload = []byte("null")
	case len(payload) > maxResponseBytes:
		return failuref("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponseBytes).result(requestID)
	case !json.Valid(payload):
		return failuref("Runtime.MarshalError", "the function returned what is no JSON: %.100q", payload).result(requestID)
	}
	return Result{Payload: payload, RequestID: requestID}
}

// typeName is the type of what a function throws, as Lambda's runtime for Go
// names it: without its package.
func typeName(thrown any) string {
	t := reflect.TypeOf(thrown)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return fmt.Sprint(t)
	}
	return t.Name()
}
