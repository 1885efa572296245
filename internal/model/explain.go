package model

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
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
		wrong.model = name
		return wrong
	}
	return fmt.Errorf("model %s: %w", name, err)
}

// explain turns an error of the library into a schemaError, which has the model
// and the place.
func (l *library) explain(name string, err error) error {
	var (
		invalid  *jsonschema.SchemaValidationError
		pattern  *jsonschema.InvalidRegexError
		load     *jsonschema.LoadURLError
		pointer  *jsonschema.JSONPointerNotFoundError
		anchor   *jsonschema.AnchorNotFoundError
		mistaken *schemaError
	)
	switch {
	case errors.As(err, &invalid):
		err = l.invalid(invalid)
	case errors.As(err, &pattern):
		model, at := l.place(pattern.URL)
		err = &schemaError{model, at, pattern.Err.Error()}
	case errors.As(err, &load) && errors.As(load.Err, &mistaken):
		err = mistaken
	case load != nil:
		model, at := l.referrer(load.URL)
		err = &schemaError{model, at, fmt.Sprintf("%s %v; models are referred to as %s{name}", load.URL, load.Err, l.base)}
	case errors.As(err, &pointer):
		err = l.dangling(pointer.URL)
	case errors.As(err, &anchor):
		err = l.dangling(anchor.Reference)
	}
	return within(name, err)
}

// invalid returns the error for a schema that does not fit the schema of
// schemas.
func (l *library) invalid(invalid *jsonschema.SchemaValidationError) error {
	model, at := l.place(invalid.URL)
	var violation *jsonschema.ValidationError
	if !errors.As(invalid.Err, &violation) {
		return &schemaError{model, at, invalid.Err.Error()}
	}
	for len(violation.Causes) > 0 {
		violation = slices.MinFunc(violation.Causes, func(a, b *jsonschema.ValidationError) int {
			return slices.Compare(a.InstanceLocation, b.InstanceLocation)
		})
	}
	for _, name := range violation.InstanceLocation {
		at += "/" + escapePointer(printable(name))
	}
	alone := jsonschema.ValidationError{SchemaURL: violation.SchemaURL, ErrorKind: violation.ErrorKind}
	return &schemaError{model, at, strings.TrimPrefix(alone.Error(), "at '': ")}
}

// dangling is the error of a reference to a part that a schema does not have.
func (l *library) dangling(target string) error {
	model, at := l.referrer(target)
	owner, part := l.place(target)
	return &schemaError{model, at, fmt.Sprintf("model %s has no #%s", owner, part)}
}

// place returns the model and the JSON pointer that a URL stands for.
func (l *library) place(address string) (model, pointer string) {
	document, fragment, _ := strings.Cut(address, "#")
	model, ok := l.name(document)
	if !ok {
		return document, fragment
	}
	if decoded, err := url.PathUnescape(fragment); err == nil {
		fragment = decoded
	}
	return model, printable(fragment)
}

// referrer returns the place of the first reference to a URL, or to a part of
// the schema behind it. Both results are empty when there is none.
func (l *library) referrer(target string) (model, pointer string) {
	wanted, err := url.Parse(target)
	if err != nil {
		return "", ""
	}
	names := make([]string, 0, len(l.parsed))
	for name := range l.parsed {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		base, err := url.Parse(l.base + url.PathEscape(name))
		if err != nil {
			continue
		}
		leads := func(reference string) bool {
			to, err := base.Parse(reference)
			if err != nil || wanted.Fragment != "" && to.Fragment != wanted.Fragment {
				return false
			}
			to.Fragment, to.RawFragment = "", ""
			document, _, _ := strings.Cut(target, "#")
			return to.String() == document
		}
		if at, found := findReference(l.parsed[name], nil, leads); found {
			return name, at
		}
	}
	return "", ""
}

// findReference returns the first $ref for which leads returns true.
func findReference(value any, at *location, leads func(string) bool) (string, bool) {
	switch value := value.(type) {
	case *jsonvalue.Object:
		for name, member := range value.All() {
			here := &location{parent: at, name: name}
			if reference, ok := member.(string); ok && name == "$ref" && leads(reference) {
				return here.String(), true
			}
			if found, ok := findReference(member, here, leads); ok {
				return found, true
			}
		}
	case *jsonvalue.List:
		for i, item := range value.Items {
			if found, ok := findReference(item, &location{parent: at, index: i, isIndex: true}, leads); ok {
				return found, true
			}
		}
	}
	return "", false
}
