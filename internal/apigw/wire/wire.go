// Package wire is the control plane's requests and responses as they travel:
// the operations of API Gateway v2 that apply to WebSocket APIs, and their
// structures. It is generated from the service's model but for this file.
//
// A member that may be absent is a pointer, slice or map; nil is absent, or null
// in a request's body. Tags say where a member travels (json, uri, query,
// header; payload is a body that is no JSON), whether a request must have it
// (required), and the limits (min, max, enum, pattern) of its value or, in lists
// and maps, of each value.
package wire

import (
	"strconv"
	"time"
)

// Endpoint is where an operation is reached, and the status of its success.
type Endpoint struct {
	Name   string
	Method string
	Path   string // with {parameters}; perhaps a literal query
	Status int
}

// Operation is an endpoint with the types of its request and response.
type Operation[Request, Response any] struct{ Endpoint }

// None is the response of an operation that answers without a body.
type None struct{}

// Timestamp is a time in ISO 8601, in UTC, to the second.
type Timestamp struct{ time.Time }

// MarshalJSON implements json.Marshaler, which a time has of its own.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(nil, `"2006-01-02T15:04:05Z"`), nil
}

// Epoch is a time in seconds since 1970, as API Gateway v1 has it.
type Epoch struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, t.Unix(), 10), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Epoch) UnmarshalJSON(text []byte) error {
	seconds, err := strconv.ParseInt(string(text), 10, 64)
	t.Time = time.Unix(seconds, 0)
	return err
}
