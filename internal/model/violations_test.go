package model

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Violations are all that does not fit, each with its place; what is behind one is
// checked as well.
func TestViolations(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		schema, message string
		want            []string
	}{
		{`{"type":"object"}`, `{}`, nil},
		{`{"type":"object"}`, `{"a":`, []string{`the message is not JSON at offset 5: unexpected end`}},
		{`{"type":"object"}`, `[]`, []string{`type: is array, must be object`}},
		{
			`{"required":["a","b"],"properties":{"c":{"type":"string"},"d":{"maximum":3}},"additionalProperties":false}`,
			`{"c":1,"d":4,"e":5}`,
			[]string{
				`required: "a" is missing`, `required: "b" is missing`, `at /c: type: is integer, must be string`,
				`at /d: maximum: 4 is more than allowed`, `at /e: additionalProperties: the property is not allowed`,
			},
		},
		{
			`{"properties":{"list":{"minItems":3,"items":{"properties":{"n":{"type":"number"}},"required":["n"]}}}}`,
			`{"list":[{"n":"x"},{}]}`,
			[]string{
				`at /list: minItems: 2 items, must be at least 3`, `at /list/0/n: type: is string, must be number`,
				`at /list/1: required: "n" is missing`,
			},
		},
		{
			`{"allOf":[{"required":["a"]},{"required":["b"]}],"anyOf":[{"required":["c","d"]}],"not":{"type":"object"}}`, `{}`,
			[]string{`required: "a" is missing`, `required: "b" is missing`, `not: fits the schema that it must not fit`},
		},
	} {
		m := compileOne(t, test.schema)
		if diff := cmp.Diff(test.want, nilIfEmpty(m.Violations([]byte(test.message)))); diff != "" {
			t.Errorf("%s on %s (-want +got)\n%s", test.schema, test.message, diff)
		}
		if fits := m.Validate([]byte(test.message)) == nil; fits != (test.want == nil) {
			t.Errorf("%s on %s: Validate says %v", test.schema, test.message, fits)
		}
	}
}

func nilIfEmpty(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

// A message has no more violations than a bound, however many there are in it.
func TestManyViolations(t *testing.T) {
	t.Parallel()
	m := compileOne(t, `{"items":{"type":"string"}}`)
	if got := m.Violations([]byte("[" + strings.Repeat("1,", 1000) + "1]")); len(got) != maxViolations {
		t.Errorf("%d violations", len(got))
	}
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf(`"p%d"`, i)
	}
	m = compileOne(t, `{"required":[`+strings.Join(names, ",")+`]}`)
	if got := m.Violations([]byte("{}")); len(got) != maxViolations {
		t.Errorf("%d violations", len(got))
	}
}
