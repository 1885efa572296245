package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// library compiles the models of one API. Their references can reach only
// models in it.
type library struct {
	base     string // of the models' URLs
	sources  map[string]string
	parsed   map[string]any // by name, as far as they were needed
	patterns map[string]*pattern
	compiler *jsonschema.Compiler
}

func newLibrary(apiID string, models []*apigw.Model) *library {
	l := &library{
		base:     "https://apigateway.amazonaws.com/restapis/" + url.PathEscape(apiID) + "/models/",
		sources:  make(map[string]string, len(models)),
		parsed:   make(map[string]any, len(models)),
		patterns: make(map[string]*pattern),
		compiler: jsonschema.NewCompiler(),
	}
	for _, m := range models {
		l.sources[m.Name] = m.Schema
	}
	l.compiler.DefaultDraft(jsonschema.Draft4)
	l.compiler.UseRegexpEngine(l.compilePattern)
	l.compiler.UseLoader(l)
	return l
}

// compilePattern is the compiler's engine for regular expressions. The library
// compiles each pattern twice, and models of an API have many in common; so
// they are kept.
func (l *library) compilePattern(source string) (jsonschema.Regexp, error) {
	if known := l.patterns[source]; known != nil {
		return known, nil
	}
	compiled, err := compilePattern(source)
	if err != nil {
		return nil, err
	}
	l.patterns[source] = compiled
	return compiled, nil
}

func (l *library) compile(name string) (*Model, error) {
	compiled, err := l.compiler.Compile(l.base + url.PathEscape(name))
	if err != nil {
		return nil, l.explain(name, err)
	}
	t := translator{library: l, done: map[*jsonschema.Schema]*schema{}}
	root, err := t.translate(compiled)
	if err == nil {
		err = t.endless()
	}
	if err != nil {
		return nil, within(name, err)
	}
	return &Model{name: name, root: root}, nil
}

// errNotAModel is the error for a reference that leads nowhere.
var errNotAModel = errors.New("is no model of this API")

// Load implements jsonschema.URLLoader: it returns the model with a URL, and an
// error for any other URL.
func (l *library) Load(address string) (any, error) {
	name, ok := l.name(address)
	source, found := l.sources[name]
	if !ok || !found {
		return nil, errNotAModel
	}
	value, err := jsonvalue.Parse([]byte(source))
	if err != nil {
		return nil, &schemaError{model: name, problem: "the schema is " + err.Error()}
	}
	l.parsed[name] = value
	if err := checkDraft(value); err != nil {
		return nil, &schemaError{model: name, at: "/$schema", problem: err.Error()}
	}
	document, err := plain(value, nil)
	if err != nil {
		return nil, &schemaError{model: name, problem: err.Error()}
	}
	return document, nil
}

// name returns the name of the model that a URL stands for.
func (l *library) name(address string) (string, bool) {
	escaped, ok := strings.CutPrefix(address, l.base)
	if !ok {
		return "", false
	}
	name, err := url.PathUnescape(escaped)
	return name, err == nil
}

// checkDraft refuses schemas that name another version of JSON Schema.
func checkDraft(value any) error {
	object, ok := value.(*jsonvalue.Object)
	if !ok {
		return nil // the schema of schemas has a better error
	}
	named, _ := object.Get("$schema")
	text, ok := named.(string)
	if !ok {
		return nil
	}
	_, version, _ := strings.Cut(strings.TrimSuffix(text, "#"), "://json-schema.org/")
	if version != "draft-04/schema" && version != "schema" {
		return fmt.Errorf("%q is not draft-04 of JSON Schema, the only version that models have", text)
	}
	return nil
}

// counts are the keywords whose number is a count, which the library reads into
// an int.
var counts = map[string]bool{
	"minLength": true, "maxLength": true, "minItems": true, "maxItems": true,
	"minProperties": true, "maxProperties": true,
}

// Limits of the exponents of numbers in schemas: the library computes with all
// their digits.
const (
	largestNumber = 400
	largestCount  = 9
)

// plain returns a value in the library's form. It leaves out $schema, which was
// checked before, because the library would try to load it.
func plain(value any, at *location) (any, error) {
	switch value := value.(type) {
	case jsonvalue.Number:
		limit := largestNumber
		if at != nil && counts[at.name] {
			limit = largestCount
		}
		if d, ok := parseDecimal(value); !ok || d.exponent > limit || d.exponent < -largestNumber {
			return nil, &schemaError{at: at.String(), problem: "the number is out of range"}
		}
		return json.Number(value), nil
	case *jsonvalue.List:
		list := make([]any, value.Len())
		for i, item := range value.Items {
			var err error
			if list[i], err = plain(item, &location{parent: at, index: i, isIndex: true}); err != nil {
				return nil, err
			}
		}
		return list, nil
	case *jsonvalue.Object:
		object := make(map[string]any, value.Len())
		for name, member := range value.All() {
			if _, named := member.(string); named && name == "$schema" && at == nil {
				continue
			}
			var err error
			if object[name], err = plain(member, &location{parent: at, name: name}); err != nil {
				return nil, err
			}
		}
		return object, nil
	}
	return value, nil
}
