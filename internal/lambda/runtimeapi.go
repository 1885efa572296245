package lambda

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// Limits of the Runtime API and of Invoke, in bytes.
const (
	maxRequestBytes  = 6 << 20
	maxResponseBytes = 6<<20 + 100
)

// apiAnswer is what a request of the Runtime API is answered.
type apiAnswer struct {
	status      int
	contentType string
	body        []byte
	later       bool // it waits for an invocation, which is its answer
}

const (
	runtimePath = "/2018-06-01/runtime/"
	jsonType    = "application/json"
)

// respond is the Lambda Runtime API, version 2018-06-01, of one process. A
// request for the next invocation is answered through its connection.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (p *process) respond(c *httpConn, r *request) apiAnswer {
	if refusal, refused := refuseWebPage(r.Request); refused {
		return refusal
	}
	path, found := strings.CutPrefix(r.URL.Path, runtimePath)
	if !found {
		return notFound()
	}
	if path == "invocation/next" {
		if r.Method != http.MethodGet {
			return wrongMethod(http.MethodGet)
		}
		return p.respondNext(c)
	}
	id, action, ofInvocation := strings.Cut(strings.TrimPrefix(path, "invocation/"), "/")
	switch {
	case path == "init/error":
	case !ofInvocation || !strings.HasPrefix(path, "invocation/") || action != "response" && action != "error":
		return notFound()
	}
	switch {
	case r.Method != http.MethodPost:
		return wrongMethod(http.MethodPost)
	case path == "init/error":
		return p.respondInitError(r)
	}
	if state, current := p.worksOn(id); !current {
		return refuse(http.StatusBadRequest, failuref("InvalidRequestID", "Invalid request ID"))
	} else if state != stateRunning {
		return refuseTransition(state, stateAnswered)
	}
	if action == "error" {
		return p.pass(id, r.report(id), accept())
	}
	return p.respondResponse(id, r)
}

// respondNext has the connection wait for an invocation. The first request
// means that the function's initialization is done.
func (p *process) respondNext(c *httpConn) apiAnswer {
	c.owes = true // from now on the invocation may come
	if from, ok := p.ask(c); !ok {
		c.owes = false
		return refuseTransition(from, stateReady)
	}
	return apiAnswer{later: true}
}

// respondResponse takes the answer to an invocation.
func (p *process) respondResponse(id string, r *request) apiAnswer {
	switch {
	case strings.EqualFold(r.Header.Get("Lambda-Runtime-Function-Response-Mode"), "streaming"):
		f := failuref("Runtime.StreamingNotSupported",
			"The function answered with a response stream. A WebSocket API takes buffered responses only: return the response instead of streaming it.")
		return p.pass(id, f.result(id), refuse(http.StatusBadRequest, f))
	case errors.Is(r.failed, errTooLarge):
		return p.pass(id, responseTooLarge().result(id), refuse(http.StatusRequestEntityTooLarge,
			failuref("RequestEntityTooLarge", "Exceeded maximum allowed payload size (%d bytes).", maxResponseBytes)))
	case r.failed != nil:
		return refuse(http.StatusBadRequest, failuref("BadRequest", "read the response: %v", r.failed))
	}
	return p.pass(id, Result{Payload: r.body, RequestID: id}, accept())
}

// pass gives the result to who called the function. It returns the answer for
// the process: then, unless the process has answered already.
func (p *process) pass(id string, result Result, then apiAnswer) apiAnswer {
	if from, ok := p.answer(id, result); !ok {
		return refuseTransition(from, stateAnswered)
	}
	return then
}

func (p *process) respondInitError(r *request) apiAnswer {
	if from, ok := p.failInit(r.report("")); !ok {
		return refuseTransition(from, stateFailed)
	}
	return accept()
}

// report is the failed result that a request to an error path has in it.
func (r *request) report(requestID string) Result {
	body := r.body
	if r.failed != nil {
		body = nil
	}
	return reported(body, r.Header.Get("Lambda-Runtime-Function-Error-Type"), requestID)
}

func accept() apiAnswer {
	return apiAnswer{status: http.StatusAccepted, contentType: jsonType, body: []byte(`{"status":"OK"}` + "\n")}
}

func refuse(status int, f *failure) apiAnswer {
	return apiAnswer{status: status, contentType: jsonType, body: encodeJSON(f)}
}

func refuseTransition(from, to state) apiAnswer {
	return refuse(http.StatusForbidden, failuref("InvalidStateTransition",
		"State transition from %s to %s failed for runtime. Error: State transition is not allowed", from, to))
}

func notFound() apiAnswer {
	return apiAnswer{status: http.StatusNotFound, contentType: "text/plain; charset=utf-8", body: []byte("404 page not found\n")}
}

func wrongMethod(allowed string) apiAnswer {
	return apiAnswer{status: http.StatusMethodNotAllowed, contentType: "text/plain; charset=utf-8",
		body: []byte(fmt.Sprintf("This is asked for by %s.\n", allowed))}
}

// admit notes a connection to the Runtime API, to be closed at the end of the
// process. It returns false when there are too many.
func (p *process) admit(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.conns) >= maxAPIClients {
		return false
	}
	p.conns[conn] = true
	return true
}

// dismiss closes a connection to the Runtime API.
func (p *process) dismiss(conn net.Conn) {
	_ = conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// closeConnections closes all that the process could talk through.
func (p *process) closeConnections() {
	if p.listener != nil {
		_ = p.listener.Close()
	}
	if p.channel != nil {
		_ = p.channel.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
	}
}
