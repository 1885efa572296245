package model

import (
	"errors"
	"fmt"
	"strings"
)

// schemaError is a mistake in a schema, with its model and its place as a JSON
// pointer.
type schemaError struct {
	model, at, problem string
}

func (e *schemaError) Error() string {
	var text strings.Builder
	if e.model != "" {
		text.WriteString("model " + e.model + ": ")
	}
	if e.at != "" {
		text.WriteString("at " + e.at + ": ")
	}
	text.WriteString(e.problem)
	return text.String()
}

// within adds to an error the name of the model for which it came up, unless
// the error is about that model itself.
func within(name string, err error) error {
	var wrong *schemaError
	if errors.As(err, &wrong) && (wrong.model == name || wrong.model == "") {
		return &schemaError{name, wrong.at, wrong.problem}
	}
	return fmt.Errorf("model %s: %w", name, err)
}
