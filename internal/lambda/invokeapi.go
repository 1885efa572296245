package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// ServeHTTP answers the Invoke operation of the AWS Lambda API,
//
//	POST /2015-03-31/functions/{FunctionName}/invocations
//
// so that the AWS CLI and the SDKs can call local functions. Invocation types
// are RequestResponse, Event and DryRun; signatures are not checked.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, found := apigw.FunctionOfPath(r.URL.Path)
	if !found || r.Method != http.MethodPost {
		(&apigw.Error{Status: http.StatusNotFound, Type: "UnknownOperationException", Message: "Only the Invoke operation of AWS Lambda is available here."}).WriteTo(w)
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	switch {
	case err != nil:
		(&apigw.Error{Status: http.StatusRequestEntityTooLarge, Type: "RequestTooLargeException", Message: ErrPayloadTooLarge.Error()}).WriteTo(w)
		return
	case len(payload) == 0:
		payload = []byte("{}")
	case !json.Valid(payload):
		(&apigw.Error{Status: http.StatusBadRequest, Type: "InvalidRequestContentException", Message: "Could not parse request body into json."}).WriteTo(w)
		return
	}
	if _, _, err := h.newest(apigw.FunctionName(name)); err != nil {
		(&apigw.Error{Status: http.StatusNotFound, Type: "ResourceNotFoundException", Message: "Function not found: " + name}).WriteTo(w)
		return
	}
	clientContext, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Amz-Client-Context"))
	if err != nil || len(clientContext) > 0 && !isJSONObject(clientContext) {
		(&apigw.Error{Status: http.StatusBadRequest, Type: "InvalidRequestContentException", Message: "Client context must be a valid Base64-encoded JSON object."}).WriteTo(w)
		return
	}
	call := Invocation{FunctionARN: name, Payload: payload, TraceID: r.Header.Get("X-Amzn-Trace-Id"), ClientContext: string(clientContext)}
	switch r.Header.Get("X-Amz-Invocation-Type") {
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	case "Event":
		call.Event = true
		h.answerInvoke(w, r, call)
	default:
		h.answerInvoke(w, r, call)
	}
}

func isJSONObject(text []byte) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal(text, &object) == nil && object != nil
}

func (h *Host) answerInvoke(w http.ResponseWriter, r *http.Request, call Invocation) {
	result, err := h.Invoke(r.Context(), call)
	if errors.Is(err, ErrTooManyEvents) {
		(&apigw.Error{Status: http.StatusTooManyRequests, Type: "TooManyRequestsException", Message: "Rate Exceeded."}).WriteTo(w)
		return
	}
	if err != nil {
		if !errors.Is(err, r.Context().Err()) {
			(&apigw.Error{Status: http.StatusInternalServerError, Type: "ServiceException", Message: err.Error()}).WriteTo(w)
		}
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("x-amzn-RequestId", result.RequestID)
	if call.Event {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	header.Set("X-Amz-Executed-Version", "$LATEST")
	if result.FunctionError != "" {
		header.Set("X-Amz-Function-Error", result.FunctionError)
	}
	_, _ = w.Write(result.Payload)
}
