package lambda

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/webguard"
)

// Limits of the Runtime API and of Invoke, in bytes.
const (
	maxRequestBytes  = 6 << 20
	maxResponseBytes = 6<<20 + 100
)

// newRuntimeAPI is the Lambda Runtime API, version 2018-06-01, of one process.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func newRuntimeAPI(p *process) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", p.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", p.serveResponse)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", p.serveError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", p.serveInitError)
	return &http.Server{
		Handler:           webguard.Guard{}.Handler(mux, webguard.PlainText),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // errors in HTTP are the function's own, and harm no other
	}
}

// serveNext blocks until there is work. The first call means that the
// function's initialization is done.
func (p *process) serveNext(w http.ResponseWriter, r *http.Request) {
	if !p.beginWait(w) {
		return
	}
	select {
	case t := <-p.work:
		p.deliver(w, t)
	case <-r.Context().Done():
		p.mu.Lock()
		p.waiting = false
		p.mu.Unlock()
	case <-p.ending:
		// The process is ended by a signal. It would take any answer for an
		// invocation.
		<-r.Context().Done()
	}
}

// beginWait notes that the process waits for work, and makes it available to
// the pool unless it is already. It reports whether the process may wait.
func (p *process) beginWait(w http.ResponseWriter) bool {
	p.mu.Lock()
	if p.waiting || p.state == stateRunning || p.state == stateFailed {
		from := p.state
		p.mu.Unlock()
		refuseTransition(w, from, stateReady)
		return false
	}
	first, known := p.state == stateStarting, p.state == stateReady
	if p.state == stateAnswered {
		close(p.current.returned)
	}
	p.state, p.waiting = stateReady, true
	p.mu.Unlock()
	if first {
		close(p.ready)
	} else if !known {
		p.available(p)
	}
	return true
}

func (p *process) deliver(w http.ResponseWriter, t *task) {
	p.mu.Lock()
	p.state, p.waiting, p.current = stateRunning, false, t
	t.deadline = time.Now().Add(p.function.Timeout)
	p.mu.Unlock()
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(t.Payload)))
	header.Set("Lambda-Runtime-Aws-Request-Id", t.requestID)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(t.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", t.FunctionARN)
	header.Set("Lambda-Runtime-Trace-Id", t.TraceID)
	w.Write(t.Payload)
}

func (p *process) serveResponse(w http.ResponseWriter, r *http.Request) {
	t, ok := p.answerable(w, r)
	if !ok {
		return
	}
	body, err := readBody(r)
	switch {
	case strings.EqualFold(r.Header.Get("Lambda-Runtime-Function-Response-Mode"), "streaming"):
		f := failuref("Runtime.StreamingNotSupported",
			"The function answered with a response stream. A WebSocket API takes buffered responses only: return the response instead of streaming it.")
		if p.answer(w, t, f.result(t.requestID)) {
			refuse(w, http.StatusBadRequest, f)
		}
	case errors.Is(err, errTooLarge):
		limit := fmt.Sprintf("xceeded maximum allowed payload size (%d bytes).", maxResponseBytes)
		f := failuref("Function.ResponseSizeTooLarge", "Response payload size e%s", limit)
		if p.answer(w, t, f.result(t.requestID)) {
			refuse(w, http.StatusRequestEntityTooLarge, failuref("RequestEntityTooLarge", "E%s", limit))
		}
	case err != nil:
		refuse(w, http.StatusBadRequest, failuref("BadRequest", "read the response: %v", err))
	default:
		if p.answer(w, t, Result{Payload: body, RequestID: t.requestID}) {
			accept(w)
		}
	}
}

func (p *process) serveError(w http.ResponseWriter, r *http.Request) {
	t, ok := p.answerable(w, r)
	if !ok {
		return
	}
	if p.answer(w, t, errorReport(r, t.requestID)) {
		accept(w)
	}
}

func (p *process) serveInitError(w http.ResponseWriter, r *http.Request) {
	report := errorReport(r, "")
	p.mu.Lock()
	from := p.state
	if from == stateStarting {
		p.state, p.initError = stateFailed, &report
	}
	p.mu.Unlock()
	if from != stateStarting {
		refuseTransition(w, from, stateFailed)
		return
	}
	accept(w)
	// The runtime should exit by itself now; one that doesn't is ended.
	time.AfterFunc(terminateGrace, p.stop)
}

// answerable returns the invocation that a call is about. It refuses the call,
// and returns false, if the process does not work on that invocation.
func (p *process) answerable(w http.ResponseWriter, r *http.Request) (*task, bool) {
	p.mu.Lock()
	t, from := p.current, p.state
	p.mu.Unlock()
	if t == nil || t.requestID != r.PathValue("id") {
		refuse(w, http.StatusBadRequest, failuref("InvalidRequestID", "Invalid request ID"))
		return nil, false
	}
	if from != stateRunning {
		refuseTransition(w, from, stateAnswered)
		return nil, false
	}
	return t, true
}

// answer passes the result to the caller that waits for the task. It returns
// false if the process has answered already.
func (p *process) answer(w http.ResponseWriter, t *task, result Result) bool {
	p.mu.Lock()
	from := p.state
	won := from == stateRunning && p.current == t
	if won {
		p.state = stateAnswered
	}
	p.mu.Unlock()
	if !won {
		refuseTransition(w, from, stateAnswered)
		return false
	}
	p.output.catchUp()
	t.answer <- result
	return true
}

// errorReport returns the failed result that a call of an error path has in it.
func errorReport(r *http.Request, requestID string) Result {
	body, err := readBody(r)
	if err != nil || len(body) == 0 {
		kind := r.Header.Get("Lambda-Runtime-Function-Error-Type")
		if kind == "" {
			kind = "Runtime.Unknown"
		}
		return failuref(kind, "the runtime reported an error without a description").result(requestID)
	}
	return Result{Payload: body, FunctionError: "Unhandled", RequestID: requestID}
}

var errTooLarge = errors.New("too large")

// readBody reads a body of at most maxResponseBytes. The rest of a larger one
// is read and dropped, so that the client can read the refusal.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponseBytes+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxResponseBytes {
		_, _ = io.Copy(io.Discard, r.Body)
		return nil, errTooLarge
	}
	return body, nil
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`+"\n")
}

func refuse(w http.ResponseWriter, status int, f *failure) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(encodeJSON(f))
}

func refuseTransition(w http.ResponseWriter, from, to state) {
	refuse(w, http.StatusForbidden, failuref("InvalidStateTransition",
		"State transition from %s to %s failed for runtime. Error: State transition is not allowed", from, to))
}
