package model

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// library compiles the models of one API. Their references can reach only
// models in it, and the schema of schemas.
type library struct {
	base      string // of the models' URLs
	sources   map[string]string
	parsed    map[string]any       // by name, as far as they were needed
	documents map[string]*document // by URL, as far as they were needed
	patterns  map[string]*pattern
}

func newLibrary(apiID string, models []*apigw.Model) *library {
	l := &library{
		base:      "https://apigateway.amazonaws.com/restapis/" + url.PathEscape(apiID) + "/models/",
		sources:   make(map[string]string, len(models)),
		parsed:    make(map[string]any, len(models)),
		documents: make(map[string]*document, len(models)),
		patterns:  make(map[string]*pattern),
	}
	for _, m := range models {
		l.sources[m.Name] = m.Schema
	}
	return l
}

// compilePattern compiles a regular expression. Models of an API have many in
// common; so they are kept.
func (l *library) compilePattern(source string) (*pattern, error) {
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
	c := compiler{library: l, done: map[*jsonvalue.Object]*schema{}}
	root, err := c.compile(l.base + url.PathEscape(name))
	if err != nil {
		return nil, within(name, err)
	}
	return &Model{name: name, root: root}, nil
}

// errNotAModel is the error for a reference that leads nowhere.
var errNotAModel = errors.New("is no model of this API")

// metaSchema is the schema of schemas, which schemas may refer to.
//
//go:embed draft04.json
var metaSchema []byte

// metaURL is its URL, behind http or https.
const metaURL = "://json-schema.org/draft-04/schema"

// document returns the schema with a URL, which was checked: of a model, or of schemas.
// The error is errNotAModel for any other URL, and a *schemaError for a schema that is
// wrong.
func (l *library) document(address string) (*document, error) {
	if known := l.documents[address]; known != nil {
		return known, known.err
	}
	d := &document{url: address}
	l.documents[address] = d
	var source []byte
	name, ok := l.name(address)
	text, found := l.sources[name]
	switch scheme, _, _ := strings.Cut(address, ":"); {
	case ok && found:
		d.model, source = name, []byte(text)
	case address == scheme+metaURL && (scheme == "http" || scheme == "https"):
		d.model, source = address, metaSchema
	default:
		d.err = errNotAModel
		return nil, d.err
	}
	value, err := jsonvalue.Parse(source)
	if err != nil {
		d.err = &schemaError{model: d.model, problem: "the schema is " + err.Error()}
		return nil, d.err
	}
	if ok {
		l.parsed[name] = value
	}
	if d.err = l.check(d.model, value); d.err != nil {
		return nil, d.err
	}
	d.index(value)
	return d, nil
}

// check finds what is wrong with a model's schema.
func (l *library) check(model string, value any) error {
	err := checkDraft(value)
	if err == nil {
		err = checkNumbers(value, nil)
	}
	if err != nil {
		return of(model, err)
	}
	return l.checkPart(model, part{value: value})
}

// checkPart finds what is wrong with a part of a model's schema that is a schema.
func (l *library) checkPart(model string, p part) error {
	return of(model, checker{l}.schema(p.value, p.at))
}

// of adds the model to a mistake.
func of(model string, err error) error {
	var wrong *schemaError
	if errors.As(err, &wrong) {
		wrong.model = model
	}
	return err
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

// onlyDraft4 is what is said of other versions of JSON Schema.
const onlyDraft4 = "is not of draft-04 of JSON Schema, the only version that models have"

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
		return &schemaError{at: "/$schema", problem: fmt.Sprintf("%q is not draft-04 of JSON Schema, the only version that models have", text)}
	}
	return nil
}

// counts are the keywords whose number is a count.
var counts = []string{"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}

// Limits of the exponents of numbers in schemas.
const (
	largestNumber = 400
	largestCount  = 9
)

// checkNumbers refuses numbers that are out of range, wherever they are.
func checkNumbers(value any, at *location) error {
	switch value := value.(type) {
	case jsonvalue.Number:
		limit := largestNumber
		if at != nil && slices.Contains(counts, at.name) {
			limit = largestCount
		}
		if d, ok := parseDecimal(value); !ok || d.exponent > limit || d.exponent < -largestNumber {
			return &schemaError{at: at.String(), problem: "the number is out of range"}
		}
	case *jsonvalue.List:
		for i, item := range value.Items {
			if err := checkNumbers(item, &location{parent: at, index: i, isIndex: true}); err != nil {
				return err
			}
		}
	case *jsonvalue.Object:
		for name, member := range value.All() {
			if err := checkNumbers(member, &location{parent: at, name: name}); err != nil {
				return err
			}
		}
	}
	return nil
}
