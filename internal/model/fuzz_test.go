package model

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// FuzzValidate lets any schema and any message come; where another validator can
// compile the schema and check the message too, both agree.
func FuzzValidate(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"type":"object","required":["a"],"properties":{"a":{"type":"string","minLength":2}}}`, `{"a":"b"}`},
		{`{"patternProperties":{"^x":{"enum":[1,{"a":null}]}},"additionalProperties":{"$ref":"#"}}`, `{"x":1,"b":{"x":{"a":null}}}`},
		{`{"items":[{"maximum":5,"exclusiveMaximum":true}],"additionalItems":false,"uniqueItems":true}`, `[4]`},
		{`{"anyOf":[{"not":{"type":"null"}},{"oneOf":[{},{"multipleOf":3}]}],"maxProperties":1}`, `[7,8]`},
		{`{"dependencies":{"a":["b"],"b":{"minProperties":3}}}`, `{"a":1,"b":2}`},
		{`{"definitions":{"l":{"properties":{"n":{"$ref":"#/definitions/l"}}}},"$ref":"#/definitions/l"}`, `{"n":{"n":{}}}`},
		{`{"format":"date-time","pattern":"^2"}`, `"2026-11-22T00:00:00Z"`},
		{`{"id":"http://a/b","items":{"id":"c","$ref":"b"}}`, `[[]]`},
		{`{"minimum":1e300,"type":["integer","array"]}`, `1e-5`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, schema, message string) {
		if len(schema) > 32<<10 {
			return
		}
		m, err := compileAll("M", schema).Model("M")
		theirs, otherErr := compileTheirs(schema)
		if comparable := !strings.ContainsAny(schema, "~%\\") && !strings.Contains(schema, "$schema") && !strings.Contains(schema, "id\"") &&
			strings.Count(schema, "$ref") == strings.Count(schema, `"$ref":"#`); comparable && (err == nil) != (otherErr == nil) && !isOurs(err) {
			t.Errorf("%s: %v; the other says %v", schema, err, otherErr)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "model M: ") {
				t.Errorf("%v does not name the model", err)
			}
			return
		}
		err = m.Validate([]byte(message))
		if err != nil && (len(err.Error()) > maxReason || !utf8.ValidString(err.Error())) {
			t.Errorf("%d bytes: %q", len(err.Error()), err)
		}
		// Without a budget, with float numbers as integers, and with formats of
		// other drafts, the other would run on or think otherwise.
		value, notJSON := jsonvalue.Parse([]byte(message))
		if notJSON != nil || otherErr != nil || strings.ContainsAny(message, ".eE") || strings.Contains(schema, "format") || strings.Count(schema, "$ref") > 1 {
			return
		}
		if err != nil && strings.Contains(err.Error(), "limit: ") {
			return
		}
		if found := theirs.Validate(forOther(value)); (found == nil) != (err == nil) {
			t.Errorf("%s on %s: %v, the other says %v", message, schema, err, found)
		}
	})
}

// isOurs reports whether an error is one of limits that are ours.
func isOurs(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "out of range") || strings.Contains(err.Error(), "without end") || strings.Contains(err.Error(), "not JSON"))
}

// compileTheirs compiles a schema with the other validator.
func compileTheirs(schema string) (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	c.UseLoader(jsonschema.SchemeURLLoader{})
	c.UseRegexpEngine(func(source string) (jsonschema.Regexp, error) {
		p, err := compilePattern(source)
		return theirPattern{p}, err
	})
	if err := c.AddResource(urlOf("M"), document); err != nil {
		return nil, err
	}
	return c.Compile(urlOf("M"))
}

// theirPattern is a pattern in the other validator's form.
type theirPattern struct{ *pattern }

func (p theirPattern) String() string { return p.source }

func (p theirPattern) MatchString(text string) bool {
	found, err := p.find(text)
	return found && err == nil
}

// forOther returns a value in the other validator's form.
func forOther(value any) any {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(jsonvalue.Append(nil, value))))
	if err != nil {
		return json.Number("0")
	}
	return document
}
