package logsink

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// AWS calls operations of AWS services that take JSON.
type AWS interface {
	// Call calls an operation of a service, "logs" or "firehose", in a region, and returns
	// what it answered. The error is for a call without an answer.
	Call(ctx context.Context, region, service, operation string, body []byte) (status int, answer []byte, err error)
}

// callTimeout is how long one call may take.
const callTimeout = 10 * time.Second

// awsError is an AWS service's answer that is an error.
type awsError struct {
	operation string
	status    int
	code      string // such as ThrottlingException
	message   string
}

func (e *awsError) Error() string {
	if e.code == "" {
		return fmt.Sprintf("%s was answered with %d", e.operation, e.status)
	}
	return fmt.Sprintf("%s was answered with %d %s: %s", e.operation, e.status, e.code, e.message)
}

// hopeless are the errors that the same request gets again, however often it is sent.
// Others may end: throttling, failures of the service, credentials that are put right.
var hopeless = []string{"InvalidParameterException", "InvalidArgumentException", "SerializationException", "ValidationException"}

// isHopeless reports whether the same request need not be sent again.
func (e *awsError) isHopeless() bool {
	return e.status == http.StatusRequestEntityTooLarge || slices.Contains(hopeless, e.code)
}

// call calls an operation, and reads its answer into answer, which may be nil. The error is
// an *awsError where the service has answered with one.
func call(ctx context.Context, aws AWS, region, service, operation string, input, answer any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	status, text, err := aws.Call(ctx, region, service, operation, body)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if status != http.StatusOK {
		return readError(operation, status, text)
	}
	if answer == nil || len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("the answer to %s: %w", operation, err)
	}
	return nil
}

// readError reads an error of AWS's JSON protocols.
func readError(operation string, status int, text []byte) *awsError {
	var body struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // or Message: names are read whatever their case
	}
	_ = json.Unmarshal(text, &body) // a proxy's page has no type
	_, code, found := strings.Cut(body.Type, "#")
	if !found {
		code = body.Type
	}
	return &awsError{operation, status, code, body.Message}
}
