package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// maxBodyBytes is the largest size of a request's body.
const maxBodyBytes = 10 << 20

// api is the control plane as an HTTP handler.
type api struct {
	options *Options
	router  *router
}

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-amzn-RequestId", apigw.NewUUID())
	w.Header().Set("x-amz-apigw-id", apigw.NewRequestID())
	status, out, err := a.serve(w, r)
	if err != nil {
		a.answerable(r.Context(), err).WriteTo(w)
		return
	}
	if out == nil {
		w.WriteHeader(status)
		return
	}
	body, err := encode(out)
	if err != nil {
		a.answerable(r.Context(), err).WriteTo(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// serve does what a request asks for, and returns the answer. It checks first
// whether the client may make the request, then whether there is such an
// operation.
func (a *api) serve(w http.ResponseWriter, r *http.Request) (status int, out any, err error) {
	body, err := readBody(w, r)
	if err != nil {
		return 0, nil, err
	}
	if err := a.authorize(r, body); err != nil {
		return 0, nil, err
	}
	operation, parameters, err := a.router.find(r)
	if err != nil {
		return 0, nil, err
	}
	out, err = operation.do(&request{r, parameters, body})
	return operation.Status, out, err
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &apigw.Error{
			Status: http.StatusRequestEntityTooLarge, Type: "RequestEntityTooLargeException",
			Message: "Request body is too large: the limit is 10 MiB.",
		}
	}
	if err != nil {
		return nil, apigw.BadRequest("The request's body could not be read.")
	}
	return body, nil
}

// authorize refuses a request that the client may not make. In IAM's terms a
// request is an HTTP method on the ARN that the path stands for.
func (a *api) authorize(r *http.Request, body []byte) *apigw.Error {
	if a.options.Authorize == nil {
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return a.options.Authorize(r, "apigateway:"+r.Method, a.resource(r.URL.Path))
}

// resource is the ARN that a path stands for. That of a resource's tags has the
// resource's own ARN in it, escaped, as in AWS's policies.
func (a *api) resource(path string) string {
	path = strings.TrimPrefix(path, "/v2")
	if tagged, found := strings.CutPrefix(path, "/tags/"); found {
		path = "/tags/" + url.QueryEscape(tagged)
	}
	return "arn:" + apigw.Partition(a.options.Region) + ":apigateway:" + a.options.Region + "::" + path
}

// answerable returns the error that a client gets for an error, and logs one
// that has no better answer than an internal error.
func (a *api) answerable(ctx context.Context, err error) *apigw.Error {
	var known *apigw.Error
	var unreadable *store.RecordError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, store.ErrConflict):
		return apigw.Conflict("Unable to complete operation due to concurrent modification. Please try again later.")
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &apigw.Error{
			Status: http.StatusServiceUnavailable, Type: "ServiceUnavailableException",
			Message: "The configuration store does not answer. Connections go on; please try again later.",
		}
	case errors.Is(err, store.ErrDamaged) && errors.As(err, &unreadable):
		return &apigw.Error{Status: http.StatusServiceUnavailable, Type: "ServiceUnavailableException", Message: unreadable.Error()}
	case errors.As(err, &unreadable):
		return &apigw.Error{Status: http.StatusInternalServerError, Type: "InternalServerErrorException", Message: unreadable.Error()}
	}
	a.options.Log.ErrorContext(ctx, "control plane", "error", err)
	return &apigw.Error{Status: http.StatusInternalServerError, Type: "InternalServerErrorException", Message: "Internal server error"}
}

// notImplemented is the answer to operations that this gateway does not have.
func notImplemented(what string) error {
	return &apigw.Error{
		Status: http.StatusNotImplemented, Type: "NotImplementedException",
		Message: what + " is not available: this is Stagedoor, a gateway for WebSocket APIs.",
	}
}

// encode returns an answer's body as JSON, without escaping <, > and &.
func encode(out any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(out)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
