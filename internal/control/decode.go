package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// decode reads a request into the structure that v points to, and checks it.
func (s *structure) decode(r *request, e wire.Endpoint, v reflect.Value) error {
	if err := s.decodeBody(r.body, v); err != nil {
		return err
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return apigw.BadRequest("Invalid query string: " + err.Error())
	}
	for _, m := range s.members {
		var err error
		field := v.Elem().Field(m.index)
		switch m.location {
		case "uri":
			field.SetString(r.parameters[m.name])
		case "query":
			err = m.set(field, query[m.name])
		case "header":
			err = m.set(field, r.Header.Values(m.name))
		}
		if err != nil {
			return err
		}
	}
	return s.check(v.Elem(), "", isUpdate(e))
}

// isUpdate reports whether an operation changes what exists: an empty text
// removes a member then, whatever its limits (section H.11).
func isUpdate(e wire.Endpoint) bool { return e.Method == http.MethodPatch }

func (s *structure) decodeBody(body []byte, v reflect.Value) error {
	if s.payload >= 0 {
		v.Elem().Field(s.payload).SetBytes(body)
		return nil
	}
	if !s.hasBody || len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	err := decoder.Decode(v.Interface())
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is something after the object")
		}
	}
	return malformed(err)
}

// malformed is the answer to a body that cannot be decoded: it is not JSON, or
// has a value of the wrong type.
func malformed(err error) error {
	if err == nil {
		return nil
	}
	message := "The request's body is not valid JSON: " + err.Error()
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "":
		message = "The request's body must be a JSON object."
	case errors.As(err, &wrong):
		message = "Invalid value for " + wrong.Field + ": a JSON " + wrong.Value + " is of the wrong type."
	}
	return &apigw.Error{Status: http.StatusBadRequest, Type: "SerializationException", Message: message}
}

// set sets a field from the values of a parameter. The field is a pointer to a
// scalar, or a list of texts.
func (m *member) set(field reflect.Value, values []string) error {
	if len(values) == 0 {
		return nil
	}
	if field.Kind() == reflect.Slice {
		field.Set(reflect.ValueOf(values))
		return nil
	}
	pointer := reflect.New(field.Type().Elem())
	var err error
	switch v := pointer.Elem(); v.Kind() {
	case reflect.Int:
		var n int64
		n, err = strconv.ParseInt(values[0], 10, 0)
		v.SetInt(n)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(values[0])
		v.SetBool(b)
	default:
		v.SetString(values[0])
	}
	if err != nil {
		return apigw.BadRequest("Invalid " + m.name + " specified: " + values[0])
	}
	field.Set(pointer)
	return nil
}
