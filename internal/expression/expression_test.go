package expression

import (
	"strings"
	"testing"
)

// Specification, section C.1.
func TestEvaluate(t *testing.T) {
	const message = `{"action":"join","service":"chat","n":1,"big":12345678901234567890,"t":true,"z":null,` +
		`"list":["item1","item2"],"map":{"a":"b","c":[1,null]},"deep":{"x":[{"y":"found"}],"od.d":"dot"},"empty":""}`
	tests := []struct{ expression, want string }{
		{`$request.body.action`, "join"},
		{`${request.body.action}`, "join"},
		{`${request.body.service}/${request.body.action}`, "chat/join"},
		{`${request.body.action}-${request.body.invalidPath}`, "join-"},
		{`$request.body.action-suffix`, "join-suffix"},
		{`$request.body.service/$request.body.action`, "chat/join"},
		{`$request.body.action.`, "join."},
		{`action`, "action"},
		{`\$default`, "$default"},
		{`\$${request.body.action}`, "$join"},
		{`$request.body.n`, "1"},
		{`$request.body.big`, "12345678901234567890"},
		{`$request.body.t`, "true"},
		{`$request.body.z`, ""},
		{`$request.body.missing.deeper`, ""},
		{`$request.body.list`, "[item1, item2]"},
		{`$request.body.list[1]`, "item2"},
		{`$request.body.map`, "{a=b, c=[1, null]}"},
		{`$request.body.deep.x[0].y`, "found"},
		{`${request.body.deep['od.d']}`, "dot"},
		{`$request.body['action']`, "join"},
		{`$request.body.empty`, ""},
	}
	for _, test := range tests {
		e, err := Parse(test.expression)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.expression, err)
			continue
		}
		if got := e.Evaluate([]byte(message)); got != test.want {
			t.Errorf("%s = %q, want %q", test.expression, got, test.want)
		}
	}
}

// What is not strict JSON selects nothing: specification, sections C.2 and M, row 12.
func TestEvaluateNotJSON(t *testing.T) {
	e, err := Parse("x${request.body.action}")
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []string{"", "hello", `{action:"join"}`, `{"action":"join"`, `{"action":"join"} trailing`, `["action"]`, `"action"`, "\x00"} {
		if got := e.Evaluate([]byte(message)); got != "x" {
			t.Errorf("on %q: %q, want \"x\"", message, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for source, want := range map[string]string{
		``:                       "empty",
		`$request.header.x`:      "request.body",
		`$context.routeKey`:      "request.body",
		`${request.body.a`:       "without }",
		`$`:                      "request.body",
		`$request.bodyx`:         "request.body",
		`${request.body[x]}`:     "neither an index nor a quoted name",
		`${request.body.a..b}`:   "deep scans",
		`${request.body.*}`:      "wildcards",
		`${request.body.a[0]b}`:  "expected . or [",
		`${request.body.a['x'}]`: "without ]",
	} {
		if _, err := Parse(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v, want an error with %q", source, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("${request.body.a}/$request.body.b[0]", `{"a":1,"b":[2]}`)
	f.Add(`\$default`, "x")
	f.Fuzz(func(t *testing.T, source, message string) {
		e, err := Parse(source)
		if err == nil {
			e.Evaluate([]byte(message))
		}
	})
}
