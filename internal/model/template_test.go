package model

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// scope is $input of a message.
type scope struct{ message any }

func (s scope) Variable(name string) (any, bool)         { return s, name == "input" }
func (s scope) Property(string) (any, bool)              { return nil, false }
func (s scope) Call(method string, _ []any) (any, error) { return s.message, nil }

// render executes a template on a message.
func render(t *testing.T, template, message string) string {
	t.Helper()
	value, err := jsonvalue.Parse([]byte(message))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := vtl.Compile(template)
	if err != nil {
		t.Fatalf("%v\n%s", err, template)
	}
	out, err := compiled.Execute(t.Context(), nil, scope{value}, vtl.Limits{})
	if err != nil {
		t.Fatalf("%v\n%s", err, template)
	}
	return string(out)
}

const modelsURL = "https://apigateway.amazonaws.com/restapis/api/models/"

// A generated template makes, of a message that fits the model, JSON that fits
// it too: specification, section H.6.
func TestTemplate(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, schema, message, want string }{
		{"anything", `{}`, `1`, `{}`},
		{"text", `{"type":"string"}`, `"x"`, `"foo"`},
		{"enum", `{"enum":["on","off"]}`, `"off"`, `"on"`},
		{"several types", `{"type":["null","string"]}`, `"x"`, `null`},
		{"object", `{"type":"object","properties":{"id":{"type":"integer"},"price":{"type":"number"},"ok":{"type":"boolean"},"of":{"type":"object"}}}`,
			`{}`, `{"id":42,"price":42,"ok":true,"of":{}}`},
		{"names", `{"properties":{"a b":{"type":"array","items":{"type":"string"}},"it's":{"type":"array","items":{}}}}`,
			`{"a b":["x"]}`, `{"a b":["foo"],"it's":[]}`},
		{"what templates take for theirs", `{"properties":{"#end":{"enum":["$a ##b"]},"$ref":{"type":"string"}}}`, `{}`, `{"#end":"$a ##b","$ref":"foo"}`},
		{"list", `{"type":"array","items":{"type":"integer"}}`, `[1,2,3]`, `[42,42,42]`},
		{"list of lists", `{"properties":{"rows":{"type":"array","items":{"type":"object","properties":{"cells":{"type":"array","items":{"type":"string"}}}}}}}`,
			`{"rows":[{"cells":["a","b"]},{"cells":[]}]}`, `{"rows":[{"cells":["foo","foo"]},{"cells":[]}]}`},
		{"tuple", `{"items":[{"type":"boolean"}]}`, `[true]`, `[true]`},
		{"list of anything", `{"type":"array"}`, `[1]`, `[]`},
		{"alternatives", `{"oneOf":[{"type":"string"},{"type":"integer"}]}`, `1`, `"foo"`},
		{"definition", `{"properties":{"a":{"$ref":"#/definitions/x~1y"}},"definitions":{"x/y":{"type":"string"}}}`, `{"a":"b"}`, `{"a":"foo"}`},
		{"other model", `{"properties":{"a":{"$ref":"` + modelsURL + `Other#/properties/b"},"c":{"$ref":"` + modelsURL + `Other"}}}`,
			`{}`, `{"a":42,"c":{"b":42}}`},
		{"recursion", `{"properties":{"id":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}}}}`,
			`{"children":[{"children":[]}]}`, `{"id":"foo","children":[{"id":"foo","children":[]}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			models := []*apigw.Model{{Name: "Room", Schema: test.schema}, {Name: "Other", Schema: `{"properties":{"b":{"type":"integer"}}}`}}
			template, err := Template("api", models, "Room")
			if err != nil {
				t.Fatal(err)
			}
			rendered := render(t, template, test.message)
			value, err := jsonvalue.Parse([]byte(rendered))
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, template, rendered)
			}
			if diff := cmp.Diff(test.want, string(jsonvalue.Append(nil, value))); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, template)
			}
			room, err := Compile("api", models).Model("Room")
			if err != nil {
				t.Fatal(err)
			}
			if err := room.Validate([]byte(rendered)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTemplateText(t *testing.T) {
	t.Parallel()
	template, err := Template("api", []*apigw.Model{{Name: "Room", Schema: `{"properties":{"name":{"type":"string"},"doors":{"type":"array","items":{"type":"integer"}}}}`}}, "Room")
	want := `#set($inputRoot = $input.path('$'))
{
  "name" : "foo",
  "doors" : [
#foreach($elem in $inputRoot.doors)
    42#if($foreach.hasNext),#end
#end
  ]
}
`
	if diff := cmp.Diff(want, template); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
}

// References cannot make a template without end.
func TestTemplateIsBounded(t *testing.T) {
	t.Parallel()
	schema := `{"$ref":"#/definitions/a0","definitions":{`
	for i := range 20 {
		a, b := string(rune('a'+i)), string(rune('b'+i))
		schema += `"` + a + `0":{"properties":{"x":{"$ref":"#/definitions/` + b + `0"},"y":{"$ref":"#/definitions/` + b + `0"}}},`
	}
	template, err := Template("api", []*apigw.Model{{Name: "Big", Schema: schema + `"u0":{}}}`}}, "Big")
	if err != nil || len(template) > 2*maxTemplate {
		t.Errorf("%d bytes, %v", len(template), err)
	}
	if _, err := Template("api", []*apigw.Model{{Name: "Bad", Schema: `{"type":1}`}}, "Bad"); err == nil {
		t.Error("a template of a model that cannot be used")
	}
}

// FuzzTemplate lets any schema come: the template of one that can be used is one
// that can be compiled.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		`{"properties":{"a":{"type":"array","items":{"$ref":"#"}}}}`,
		`{"enum":["#foreach($x in"]}`,
		`{"items":[{"allOf":[{"properties":{"$a":{"type":["null"]}}}]}]}`,
		strings.Repeat(`{"items":`, 50) + "{}" + strings.Repeat("}", 50),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, schema string) {
		if len(schema) > 32<<10 {
			return
		}
		template, err := Template("api", []*apigw.Model{{Name: "M", Schema: schema}}, "M")
		if err != nil {
			return
		}
		if _, err := vtl.Compile(template); err != nil || len(template) > 2*maxTemplate {
			t.Errorf("%d bytes, %v\n%.1000s", len(template), err, template)
		}
	})
}

func TestRefers(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]bool{
		`{"items":[{"$ref":"` + modelsURL + `Room"}]}`:                        true,
		`{"properties":{"a":{"$ref":"` + modelsURL + `Room#/properties/b"}}}`: true,
		`{"$ref":"` + modelsURL + `Rooms"}`:                                   false,
		`{"$ref":"#/definitions/Room"}`:                                       false,
		`{"properties":{"$ref":{"type":"string"}}}`:                           false,
		strings.Repeat("[", 3):                                                false,
	} {
		if got := Refers("api", &apigw.Model{Schema: schema}, "Room"); got != want {
			t.Errorf("%s: %t", schema, got)
		}
	}
}
