// Package model checks messages against the models of an API: JSON Schemas of
// draft-04, as API Gateway's request validation takes them. The plan compiles
// an API's models once; the gateway validates messages with them.
//
// A schema refers to another model of its API by the URL
// https://apigateway.amazonaws.com/restapis/{apiId}/models/{name}, and to its
// own parts by #/definitions/{name}. Nothing is ever fetched or read from a
// file. Patterns are Java's.
//
// Messages come from anybody: they are checked within a budget, so that no message makes a recursive schema
// run for long, with numbers of any size exact, and with the same reason every
// time.
package model

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// maxReason is the length in bytes of the longest reason why a message does
// not fit a model.
const maxReason = 1024

// Set is the models of one API. It is immutable.
type Set struct {
	models map[string]compilation
}

type compilation struct {
	model *Model
	err   error // why the schema cannot be used
}

// Model is a compiled schema. It is immutable.
type Model struct {
	name string
	root *schema
}

// Compile compiles the models of an API. A model that cannot be used affects
// only those that refer to it.
func Compile(apiID string, models []*apigw.Model) *Set {
	l := newLibrary(apiID, models)
	set := &Set{models: make(map[string]compilation, len(models))}
	for _, m := range models {
		model, err := l.compile(m.Name)
		set.models[m.Name] = compilation{model, err}
	}
	return set
}

// Model returns the model with a name. The error says that there is none, or
// what is wrong with its schema and where.
func (s *Set) Model(name string) (*Model, error) {
	c, found := s.models[name]
	if !found {
		return nil, fmt.Errorf("the API has no model %s", name)
	}
	return c.model, c.err
}

// Validate returns an error unless a message fits the model. It is for the
// operator: the first place in the message that does not fit, and the keyword
// that it violates, in at most 1 KB. A message that is not JSON does not fit.
func (m *Model) Validate(message []byte) error {
	value, err := jsonvalue.Parse(message)
	if err != nil {
		return fmt.Errorf("model %s: the message is %w", m.name, err)
	}
	found := firstViolation(m.root, value)
	if found == nil {
		return nil
	}
	return errors.New(cut(fmt.Sprintf("model %s: %s", m.name, found), maxReason))
}

// Name returns the model's name.
func (m *Model) Name() string { return m.name }

// Violations returns all that does not fit the model in a message, each with its place
// and the keyword that it violates, in at most 1 KB; none where the message fits. A part
// whose type is wrong is not looked into, and of schemas of which one must fit, only the
// first is reported. There are maxViolations at most.
func (m *Model) Violations(message []byte) []string {
	value, err := jsonvalue.Parse(message)
	if err != nil {
		return []string{fmt.Sprintf("the message is %v", err)}
	}
	found := allViolations(m.root, value)
	texts := make([]string, len(found))
	for i, violation := range found {
		texts[i] = cut(violation.String(), maxReason)
	}
	return texts
}

// cut shortens a text to at most most bytes, without splitting a character.
func cut(text string, most int) string {
	const more = "…"
	if len(text) <= most {
		return text
	}
	end := most - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}
