package model

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// TestMain lets the clock of the backtracking engine run out: it is started by
// a match with a time limit and ends by itself.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2.runClock"))
}

// urlOf is how models of the tests' API are referred to.
func urlOf(name string) string {
	return "https://apigateway.amazonaws.com/restapis/abcdefghij/models/" + name
}

// compileAll compiles models given as name and schema in turn.
func compileAll(schemas ...string) *Set {
	var models []*apigw.Model
	for i := 0; i < len(schemas); i += 2 {
		models = append(models, &apigw.Model{Name: schemas[i], Schema: schemas[i+1]})
	}
	return Compile("abcdefghij", models)
}

func compileOne(t testing.TB, schema string) *Model {
	t.Helper()
	m, err := compileAll("M", schema).Model("M")
	if err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	return m
}

// JSON Schema is draft-04: specification, section C.3.
func TestKeywords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ schema, message, reason string }{
		{`{}`, `1`, ""},
		{`{}`, `{"a":`, `model M: the message is not JSON at offset 5: unexpected end`},
		{`{}`, `{a:1}`, `model M: the message is not JSON at offset 1: expected a name in quotes`},
		{`{}`, ``, `model M: the message is not JSON at offset 0: unexpected end`},
		{`{"type":"object"}`, `[]`, `model M: type: is array, must be object`},
		{`{"type":["string","null"]}`, `null`, ""},
		{`{"type":["string","null"]}`, `true`, `model M: type: is boolean, must be null or string`},
		{`{"type":"integer"}`, `12345678901234567890123`, ""},
		{`{"type":"integer"}`, `1.0`, `model M: type: is number, must be integer`},
		{`{"type":"number"}`, `1`, ""},
		{`{"required":["action","text"]}`, `{"action":"x"}`, `model M: required: "text" is missing`},
		{`{"properties":{"a":{"properties":{"b":{"type":"string"}}}}}`, `{"a":{"b":1}}`, `model M: at /a/b: type: is integer, must be string`},
		{`{"properties":{"a/b~":{"type":"string"}}}`, `{"a/b~":1}`, `model M: at /a~1b~0: type: is integer, must be string`},
		{`{"additionalProperties":false,"properties":{"a":{}},"patternProperties":{"^x":{}}}`, `{"a":1,"x1":1}`, ""},
		{`{"additionalProperties":false}`, `{"a\nb":1}`, `model M: at /a\nb: additionalProperties: the property is not allowed`},
		{`{"additionalProperties":{"type":"string"}}`, `{"a":"b","c":1}`, `model M: at /c: type: is integer, must be string`},
		{`{"patternProperties":{"^n":{"type":"number"}}}`, `{"name":"x"}`, `model M: at /name: type: is string, must be number`},
		{`{"minProperties":1}`, `{}`, `model M: minProperties: 0 properties, must be at least 1`},
		{`{"maxProperties":1}`, `{"a":1,"b":2}`, `model M: maxProperties: 2 properties, must be at most 1`},
		{`{"dependencies":{"a":["b"]}}`, `{"a":1}`, `model M: dependencies: "b" is missing, which "a" needs`},
		{`{"dependencies":{"a":["b"]}}`, `{"b":1}`, ""},
		{`{"dependencies":{"a":{"maxProperties":1}}}`, `{"a":1,"b":1}`, `model M: maxProperties: 2 properties, must be at most 1`},
		{`{"items":{"type":"string"}}`, `["a","b",3]`, `model M: at /2: type: is integer, must be string`},
		{`{"items":[{"type":"string"}],"additionalItems":false}`, `["a","b"]`, `model M: at /1: additionalItems: there must be no more than 1 items`},
		{`{"items":[{"type":"string"}],"additionalItems":{"type":"null"}}`, `["a",null,1]`, `model M: at /2: type: is integer, must be null`},
		{`{"items":[{"type":"string"}]}`, `["a",1]`, ""},
		{`{"minItems":1}`, `[]`, `model M: minItems: 0 items, must be at least 1`},
		{`{"maxItems":1}`, `[1,2]`, `model M: maxItems: 2 items, must be at most 1`},
		{`{"uniqueItems":true}`, `[{"a":1,"b":[2]},{"b":[2.0],"a":10e-1}]`, `model M: uniqueItems: the items 0 and 1 are equal`},
		{`{"uniqueItems":true}`, `[1,true,"1",[1],{"a":1},null,0,false]`, ""},
		{`{"minLength":2}`, `"é"`, `model M: minLength: 1 characters, must be at least 2`},
		{`{"maxLength":1}`, `"😀"`, ""},
		{`{"pattern":"^[a-z]+$"}`, `"Nö"`, `model M: pattern: "Nö" does not match "^[a-z]+$"`},
		{`{"pattern":"b"}`, `"abc"`, ""},
		{`{"pattern":"^(?!admin).*$"}`, `"admin"`, `model M: pattern: "admin" does not match "^(?!admin).*$"`},
		{`{"enum":["join",1,{"a":1}]}`, `{"a":1.0}`, ""},
		{`{"enum":["join"]}`, `"leave"`, `model M: enum: "leave" is none of the allowed values`},
		{`{"format":"date-time"}`, `"2026-11-22"`, `model M: format: "2026-11-22" is not a valid date-time`},
		{`{"format":"email"}`, `"a@example.org"`, ""},
		{`{"format":"regex"}`, `"("`, `model M: format: "(" is not a valid regex`},
		{`{"format":"uuid"}`, `"not of draft-04, so it means nothing"`, ""},
		{`{"minimum":3}`, `2.999999999999999999999999999`, `model M: minimum: 2.999999999999999999999999999 is less than allowed`},
		{`{"minimum":3,"exclusiveMinimum":true}`, `3`, `model M: exclusiveMinimum: 3 is not more than the minimum`},
		{`{"maximum":9007199254740992}`, `9007199254740993`, `model M: maximum: 9007199254740993 is more than allowed`},
		{`{"maximum":3,"exclusiveMaximum":true}`, `3.0`, `model M: exclusiveMaximum: 3.0 is not less than the maximum`},
		{`{"maximum":0}`, `1e999999999`, `model M: maximum: 1e999999999 is more than allowed`},
		{`{"minimum":0}`, `-1e-999999999`, `model M: minimum: -1e-999999999 is less than allowed`},
		{`{"maximum":0}`, `1e99999999999999999999`, `model M: limit: the exponent of 1e99999999999999999999 is out of range`},
		{`{"multipleOf":0.01}`, `19.99`, ""},
		{`{"multipleOf":0.01}`, `19.999`, `model M: multipleOf: 19.999 is no multiple of what is asked for`},
		{`{"multipleOf":7}`, `1e999999999`, `model M: multipleOf: 1e999999999 is no multiple of what is asked for`},
		{`{"allOf":[{"type":"object"},{"required":["a"]}]}`, `{}`, `model M: required: "a" is missing`},
		{`{"anyOf":[{"type":"string"},{"type":"null"}]}`, `1`, `model M: anyOf: fits none of 2 schemas; by the first: type: is integer, must be string`},
		{`{"oneOf":[{"type":"integer"},{"minimum":2}]}`, `3`, `model M: oneOf: fits more than one of 2 schemas`},
		{`{"oneOf":[{"type":"integer"},{"minimum":2}]}`, `1`, ""},
		{`{"oneOf":[{"type":"string"},{"type":"null"}]}`, `1`, `model M: oneOf: fits none of 2 schemas; by the first: type: is integer, must be string`},
		{`{"not":{"type":"string"}}`, `"x"`, `model M: not: fits the schema that it must not fit`},
		{`{"definitions":{"id":{"type":"integer"}},"properties":{"a":{"$ref":"#/definitions/id"}}}`, `{"a":"1"}`, `model M: at /a: type: is string, must be integer`},
		{`{"properties":{"children":{"items":{"$ref":"#"}},"name":{"type":"string"}}}`, `{"children":[{"children":[{"name":1}]}]}`, `model M: at /children/0/children/0/name: type: is integer, must be string`},
		{`{"$schema":"http://json-schema.org/draft-04/schema#","title":"T","type":"string"}`, `"x"`, ""},
		{`{"$ref":"http://json-schema.org/draft-04/schema#"}`, `{"type":"string"}`, ""},
	} {
		t.Run(test.schema+" on "+test.message, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := compileOne(t, test.schema).Validate([]byte(test.message)); err != nil {
				got = err.Error()
			}
			if got != test.reason {
				t.Errorf("got  %s\nwant %s", got, test.reason)
			}
		})
	}
}

// Models refer to each other by URL.
func TestReferencesBetweenModels(t *testing.T) {
	t.Parallel()
	set := compileAll(
		"Message", `{"required":["user"],"properties":{"user":{"$ref":"`+urlOf("User")+`"},"room":{"$ref":"`+urlOf("Rooms")+`#/definitions/room"}}}`,
		"User", `{"type":"object","properties":{"name":{"type":"string"},"friends":{"items":{"$ref":"`+urlOf("User")+`"}},"last":{"$ref":"`+urlOf("Message")+`"}}}`,
		"Rooms", `{"definitions":{"room":{"enum":["a","b"]}}}`,
	)
	message, err := set.Model("Message")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{"user":{"friends":[{"name":"x"}],"last":{"user":{}}},"room":"a"}`: "",
		`{"user":{"friends":[{"name":1}]}}`:                                 "model Message: at /user/friends/0/name: type: is integer, must be string",
		`{"user":{"last":{}}}`:                                              `model Message: at /user/last: required: "user" is missing`,
		`{"user":{},"room":"c"}`:                                            `model Message: at /room: enum: "c" is none of the allowed values`,
	} {
		got := ""
		if err := message.Validate([]byte(text)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// A schema that cannot be used says which model is wrong, and where.
func TestBadSchemas(t *testing.T) {
	t.Parallel()
	const how = "; models are referred to as https://apigateway.amazonaws.com/restapis/abcdefghij/models/{name}"
	for _, test := range []struct{ schema, want string }{
		{``, `model M: the schema is not JSON at offset 0: unexpected end`},
		{`{"type":"object"`, `model M: the schema is not JSON at offset 16: unexpected end`},
		{`[]`, `model M: got array, want object`},
		{`true`, `model M: got boolean, want object`},
		{`{"type":"strin"}`, `model M: at /type: value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'`},
		{`{"properties":{"a":{"minLength":-1}}}`, `model M: at /properties/a/minLength: minimum: got -1, want 0`},
		{`{"properties":{"a":{"required":true}}}`, `model M: at /properties/a/required: got boolean, want array`},
		{`{"exclusiveMinimum":true}`, `model M: properties 'minimum' required, if 'exclusiveMinimum' exists`},
		{`{"properties":{"a":{"pattern":"("}}}`, "model M: at /properties/a/pattern: '(' is not valid regex: regular expression /(/: error parsing regexp: missing closing ) in `(?:()`"},
		{`{"patternProperties":{"[":{}}}`, "model M: at /patternProperties: regular expression /[/: "},
		{`{"maximum":1e999999}`, `model M: at /maximum: the number is out of range`},
		{`{"maxLength":1e12}`, `model M: at /maxLength: the number is out of range`},
		{`{"properties":{"a":{"$ref":"#/definitions/b"}}}`, `model M: at /properties/a/$ref: model M has no #/definitions/b`},
		{`{"properties":{"a":{"$ref":"#b"}}}`, `model M: at /properties/a/$ref: model M has no #b`},
		{`{"properties":{"a":{"$ref":"` + urlOf("Gone") + `"}}}`, `model M: at /properties/a/$ref: ` + urlOf("Gone") + ` is no model of this API` + how},
		{`{"properties":{"a":{"$ref":"` + urlOf("Fine") + `#/definitions/x"}}}`, `model M: at /properties/a/$ref: model Fine has no #/definitions/x`},
		{`{"$ref":"` + strings.Replace(urlOf("Fine"), "abcdefghij", "klmnopqrst", 1) + `"}`, `model M: at /$ref: https://apigateway.amazonaws.com/restapis/klmnopqrst/models/Fine is no model of this API` + how},
		{`{"items":[{"$ref":"https://example.org/schema.json"}]}`, `model M: at /items/0/$ref: https://example.org/schema.json is no model of this API` + how},
		{`{"$ref":"file:///etc/passwd"}`, `model M: at /$ref: file:///etc/passwd is no model of this API` + how},
		{`{"$ref":"` + urlOf("Broken") + `"}`, `model M: model Broken: at /type: value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'`},
		{`{"$ref":"` + urlOf("Torn") + `"}`, `model M: model Torn: the schema is not JSON at offset 1: unexpected end`},
		{`{"$ref":"#"}`, `model M: the schema applies itself without end: # leads back to itself`},
		{`{"properties":{"x":{"anyOf":[{"type":"string"},{"$ref":"#/properties/x"}]}}}`, `model M: at /properties/x: the schema applies itself without end: #/properties/x leads back to itself`},
		{`{"$schema":"http://json-schema.org/draft-07/schema#"}`, `model M: at /$schema: "http://json-schema.org/draft-07/schema#" is not draft-04 of JSON Schema, the only version that models have`},
		{`{"$schema":7}`, `model M: at /$schema: got number, want string`},
		{`{"$ref":"http://json-schema.org/draft-07/schema#"}`, `is not of draft-04`},
	} {
		t.Run(test.schema, func(t *testing.T) {
			t.Parallel()
			set := compileAll("Broken", `{"type":"x"}`, "M", test.schema, "Torn", `{`, "Fine", `{}`)
			_, err := set.Model("M")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if _, err := set.Model("Fine"); err != nil {
				t.Errorf("another model: %v", err)
			}
		})
	}
	if _, err := compileAll().Model("M"); err == nil || err.Error() != "the API has no model M" {
		t.Errorf("a model that is not there: %v", err)
	}
}

// What a client sends can neither make the check run on nor the reason long.
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	twice := `{"oneOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}},"required":["b"]}]}`
	for _, test := range []struct{ name, schema, message, want string }{
		{"every schema twice at every depth", twice, strings.Repeat(`{"b":1,"a":`, 900) + "1" + strings.Repeat("}", 900), "limit: the message takes too long to be checked"},
		{"the same negated", `{"not":` + twice + `}`, strings.Repeat(`{"b":1,"a":`, 900) + "1" + strings.Repeat("}", 900), "limit: "},
		{"a pattern that backtracks", `{"pattern":"^(?=(a+)+$)"}`, `"` + strings.Repeat("a", 100) + `c"`, "took too long to be checked"},
		{"a long regular expression", `{"format":"regex"}`, `"` + strings.Repeat(".", 100000) + `"`, "format: the regular expression has more than 1024 bytes"},
		{"many patterns", `{"items":{"pattern":"^(?=(a+)+$)"}}`, "[" + strings.Repeat(`"aaaaaaaaaaaaaaaaaaa",`, 3000) + `"` + strings.Repeat("a", 40) + `b"]`, "took too long to be checked"},
		{"a long name", `{"additionalProperties":false}`, `{"` + strings.Repeat("é", 60000) + `":1}`, "model M: at /éé"},
		{"a long number", `{"maximum":1}`, strings.Repeat("9", 100000), "99… is more than allowed"},
		{"equal trees", `{"uniqueItems":true}`, "[" + strings.Repeat("[[],[[]]],", 10000) + "[]]", "the items 0 and 1 are equal"},
		{"deep", `{"items":{"$ref":"#"}}`, strings.Repeat("[", 1001) + strings.Repeat("]", 1001), "nested too deep"},
		{"enum at every depth", `{"not":{"enum":[1]},"items":{"$ref":"#"}}`, strings.Repeat("[", 900) + `"` + strings.Repeat("x", 100000) + `"` + strings.Repeat("]", 900), "limit: the message takes too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := compileOne(t, test.schema).Validate([]byte(test.message))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%v, want %s", err, test.want)
			}
			if len(err.Error()) > 1024 || !utf8.ValidString(err.Error()) {
				t.Errorf("a reason of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestCompareDecimals(t *testing.T) {
	t.Parallel()
	ascending := []string{"-1e3", "-12", "-1.2", "-1", "-0.5", "0", "1e-10", "0.05", "0.5", "1", "1.2", "12", "120", "1e3", "1e30"}
	for i, a := range ascending {
		for j, b := range ascending {
			left, _ := parseDecimal(jsonvalue.Number(a))
			right, _ := parseDecimal(jsonvalue.Number(b))
			if got := left.compare(right); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s to %s: %d", a, b, got)
			}
		}
	}
	for _, same := range [][2]string{{"0", "-0.00e5"}, {"100", "1e2"}, {"0.010", "1E-2"}, {"-10.0", "-1e+1"}} {
		left, _ := parseDecimal(jsonvalue.Number(same[0]))
		right, _ := parseDecimal(jsonvalue.Number(same[1]))
		if left != right {
			t.Errorf("%v are %+v and %+v", same, left, right)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	m := compileOne(b, `{"type":"object","required":["action","text"],"properties":{"action":{"enum":["send"]},"text":{"type":"string","maxLength":5000},"tags":{"type":"array","items":{"type":"string"}}},"additionalProperties":false}`)
	message := fmt.Appendf(nil, `{"action":"send","text":"%s","tags":["a","b","c"]}`, strings.Repeat("x", 4000))
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Validate(message); err != nil {
			b.Fatal(err)
		}
	}
}
