package integration

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/httpclient"
)

// parseProxyResult reads what a function returned to a proxy integration: an object
// with the members statusCode, headers, multiValueHeaders, body and
// isBase64Encoded. Any other member makes it malformed, as in API Gateway. Without
// a statusCode the status is 200.
func parseProxyResult(payload []byte) (*Response, *failure.Error) {
	malformed := func(format string, args ...any) (*Response, *failure.Error) {
		return nil, backendError("malformed Lambda proxy response: "+format, args...)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil || members == nil {
		return malformed("%s is not an object", abbreviate(payload))
	}
	response := &Response{Status: http.StatusOK, Header: http.Header{}}
	encoded := false
	read := []struct { // in this order: multiValueHeaders takes the place of headers
		name string
		into func(json.RawMessage) error
	}{
		{"statusCode", func(v json.RawMessage) (err error) { response.Status, err = parseStatus(v); return err }},
		{"headers", func(v json.RawMessage) error { return addHeaders(response.Header, v) }},
		{"multiValueHeaders", func(v json.RawMessage) error { return addMultiValueHeaders(response.Header, v) }},
		{"body", func(v json.RawMessage) (err error) { response.Body, err = parseBody(v); return err }},
		{"isBase64Encoded", func(v json.RawMessage) (err error) { encoded, err = parseFlag(v); return err }},
	}
	for _, member := range read {
		if value, found := members[member.name]; found {
			if err := member.into(value); err != nil {
				return malformed("%v", err)
			}
			delete(members, member.name)
		}
	}
	for name := range members {
		return malformed("unknown member %q", name)
	}
	if encoded {
		decoded, err := base64.StdEncoding.DecodeString(string(response.Body))
		if err != nil {
			return malformed("body is not base64")
		}
		response.Body = decoded
	}
	return response, nil
}

// parseStatus reads a status: a number, or a text of digits.
func parseStatus(value json.RawMessage) (int, error) {
	status, err := strconv.Atoi(strings.Trim(string(value), `"`))
	if err != nil || status < 100 || status > httpclient.MaxStatus {
		return 0, fmt.Errorf("statusCode is %s", abbreviate(value))
	}
	return status, nil
}

// parseBody reads a body: a text or null.
func parseBody(value json.RawMessage) ([]byte, error) {
	var body *string
	if err := json.Unmarshal(value, &body); err != nil {
		return nil, fmt.Errorf("body is not a string: %s", abbreviate(value))
	}
	if body == nil {
		return nil, nil
	}
	return []byte(*body), nil
}

// parseFlag reads a boolean, which may be written as a text.
func parseFlag(value json.RawMessage) (bool, error) {
	switch strings.ToLower(strings.Trim(string(value), `"`)) {
	case "true":
		return true, nil
	case "false", "null", "":
		return false, nil
	}
	return false, fmt.Errorf("isBase64Encoded is %s", abbreviate(value))
}

// addHeaders reads the member headers.
func addHeaders(header http.Header, value json.RawMessage) error {
	var fields map[string]any
	if err := decode(value, &fields); err != nil {
		return fmt.Errorf("headers is not an object: %s", abbreviate(value))
	}
	for name, field := range fields {
		if err := addHeader(header, name, field); err != nil {
			return err
		}
	}
	return nil
}

// addMultiValueHeaders reads the member multiValueHeaders. Its headers replace those
// of headers.
func addMultiValueHeaders(header http.Header, value json.RawMessage) error {
	var fields map[string][]any
	if err := decode(value, &fields); err != nil {
		return fmt.Errorf("multiValueHeaders is not an object of lists: %s", abbreviate(value))
	}
	for name, values := range fields {
		header.Del(name)
		for _, field := range values {
			if err := addHeader(header, name, field); err != nil {
				return err
			}
		}
	}
	return nil
}

// addHeader adds a header's value. Null adds none.
func addHeader(header http.Header, name string, value any) error {
	switch value.(type) {
	case nil:
		return nil
	case string, bool, json.Number:
		text := fmt.Sprint(value)
		if httpclient.HasControl(name) || httpclient.HasControl(text) {
			return fmt.Errorf("header %q has a control character in it", name)
		}
		header.Add(name, text)
		return nil
	}
	return fmt.Errorf("header %q is neither text nor a number", name)
}

// decode is json.Unmarshal that keeps numbers as they are written.
func decode(value json.RawMessage, to any) error {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	return d.Decode(to)
}

// errorMessage returns the errorMessage of a function's error object, or else its
// errorType, or else the beginning of the payload.
func errorMessage(payload []byte) string {
	var object struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(payload, &object) != nil || object.ErrorMessage == "" && object.ErrorType == "" {
		return abbreviate(payload)
	}
	if object.ErrorMessage == "" {
		return object.ErrorType
	}
	return object.ErrorMessage
}

// abbreviate returns as much of a value as fits into a line of the log.
func abbreviate(value []byte) string {
	const limit = 200
	if len(value) > limit {
		return strings.ToValidUTF8(string(value[:limit]), "") + "…"
	}
	return string(value)
}
