package expression

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/jsonpath"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// TestMain lets the clock of the engine for look-around run on: it ends a
// while after its last search.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2.runClock"))
}

func parseAt(t testing.TB, place Place, source string) *Expression {
	t.Helper()
	e, err := ParseAt(place, source)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Specification, section C.1.
func TestEvaluate(t *testing.T) {
	t.Parallel()
	const message = `{"action":"join","service":"chat","n":1,"big":12345678901234567890,"t":true,"z":null,` +
		`"list":["item1","item2"],"map":{"a":"b","c":[1,null]},"deep":{"x":[{"y":"found"}],"od.d":"dot"},"empty":"",` +
		`"esc":"a\"b\u00e9\n","k\u0065y":"escaped","twice":1,"twice":"last","none":[],"$action":"no",` +
		`"users":[{"id":1,"role":"admin"},{"id":2,"role":"user"}]}`
	tests := []struct{ expression, want string }{
		{`$request.body.action`, "join"},
		{`${request.body.action}`, "join"},
		{`${request.body.service}/${request.body.action}`, "chat/join"},
		{`${request.body.action}-${request.body.invalidPath}`, "join-"},
		{`$request.body.action-suffix`, "join-suffix"},
		{`$request.body.service/$request.body.action`, "chat/join"},
		{`$request.body.action.!`, "join.!"},
		{`$request.body.service$request.body.action`, "chatjoin"},
		{`action`, "action"},
		{`\$default`, "$default"},
		{`\$${request.body.action}`, "$join"},
		{`\${request.body.action}`, "${request.body.action}"},
		{`\n`, `\n`},
		{`$request.body.n`, "1"},
		{`$request.body.big`, "12345678901234567890"},
		{`$request.body.t`, "true"},
		{`$request.body.z`, ""},
		{`$request.body.missing.deeper`, ""},
		{`$request.body.z.deeper`, ""},
		{`$request.body.action.deeper`, ""},
		{`$request.body.list`, "[item1, item2]"},
		{`$request.body.list[1]`, "item2"},
		{`$request.body.list[-1]`, "item2"},
		{`$request.body.list[2]`, ""},
		{`$request.body.none`, "[]"},
		{`$request.body.map`, "{a=b, c=[1, null]}"},
		{`$request.body.deep.x[0].y`, "found"},
		{`${request.body.deep['od.d']}`, "dot"},
		{`$request.body['action']`, "join"},
		// A dot in front of a bracket, with braces and without.
		{`$request.body.['action']`, "join"},
		{`${request.body.['action']}`, "join"},
		{`$request.body.list.[1]`, "item2"},
		{`${request.body.list.[1]}`, "item2"},
		{`$request.body.deep.x.[0].y`, "found"},
		{`$request.body.deep.['x'][0].['y']/z`, "found/z"},
		{`$request.body.['deep'].['od.d'].` + "`", "dot.`"},
		{`$request.body.list.[-1]`, "item2"},
		{`$request.body.list.[7]`, ""},
		{`$request.body.empty`, ""},
		{`$request.body.esc`, "a\"bé\n"},
		{`$request.body.key`, "escaped"},
		{`$request.body.twice`, "last"},
		// Any JSON path.
		{`$request.body.list[*]`, "[item1, item2]"},
		{`$request.body..y`, "[found]"},
		{`$request.body..['y']!`, "[found]!"},
		{`$request.body.users[?(@.role == 'admin')].id`, "[1]"},
		{`${request.body.users[?(@.role =~ /^a{1}.*/)].role}-x`, "[admin]-x"},
		{`${request.body.users[?(@.role == ']}')].id}`, "[]"},
		{`$request.body.users[0]['role','id']`, "{role=admin, id=1}"},
		{`$request.body.users.length()x`, "2x"},
		{`${request.body.concat($.service, '.', $.action)}`, "chat.join"},
		{`$request.body.map.*`, "[b, [1, null]]"},
		// A value is not evaluated again.
		{`${request.body['$action']}`, "no"},
	}
	for _, test := range tests {
		if got := parseAt(t, RouteSelection, test.expression).Evaluate([]byte(message)); got != test.want {
			t.Errorf("%s = %q, want %q", test.expression, got, test.want)
		}
	}
}

// Protocols whose messages are arrays: OCPP, Nostr.
func TestEvaluateArrays(t *testing.T) {
	t.Parallel()
	const call, event = `[2,"19223201","BootNotification",{"reason":"PowerUp"}]`, `["EVENT",{"kind":1,"tags":[["e","x"]]}]`
	for _, test := range []struct{ expression, message, want string }{
		{`$request.body.[0]`, call, "2"},
		{`${request.body.[0]}`, call, "2"},
		{`$request.body[0]`, call, "2"},
		{`$request.body.[2]`, call, "BootNotification"},
		{`$request.body.[3].reason`, call, "PowerUp"},
		{`$request.body.[0]/$request.body.[2]`, call, "2/BootNotification"},
		{`$request.body.[4]`, call, ""},
		{`$request.body.[0]`, event, "EVENT"},
		{`$request.body.[1].kind`, event, "1"},
		{`$request.body.[1].tags.[0].[1]`, event, "x"},
		{`$request.body.[0]`, `{"0":"no"}`, ""},
	} {
		if got := parseAt(t, RouteSelection, test.expression).Evaluate([]byte(test.message)); got != test.want {
			t.Errorf("%s on %s = %q, want %q", test.expression, test.message, got, test.want)
		}
	}
}

// What is accepted and selects nothing is said; nothing is said of the rest.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		place        Place
		source, want string
	}{
		{RouteSelection, `$request.body.a-b`, "$request.body.a-b means the value of $request.body.a with the text \"-b\" behind it"},
		{RouteSelection, `$request.body.@type`, "${request.body.@type}"},
		{RouteSelection, `$request.body.a.$request.body.b`, "braces say what is meant"},
		{RouteSelection, `$request.body..action`, "$request.body..action gives a list"},
		{RouteSelection, `${request.body..action}`, "gives a list"},
		{RouteSelection, `$request.body.*`, "gives a list"},
		{RouteSelection, `$request.body[*]`, "gives a list"},
		{RouteSelection, `$request.body*`, "behind it"},
		{TemplateSelection, `$request.body.*`, "gives a list"},
		{RouteSelection, `$request.body.action`, ""},
		{RouteSelection, `$request.body.[0]`, ""},
		{RouteSelection, `${request.body.a-b}`, ""},
		{RouteSelection, `${request.body.@type}`, ""},
		{RouteSelection, `${request.body.a}-b`, ""},
		{RouteSelection, `$request.body.service/$request.body.action`, ""},
		{RouteSelection, `static-text`, ""},
		{ResponseTemplateSelection, `$integration.response.statuscode.`, ""},
	} {
		got := strings.Join(parseAt(t, test.place, test.source).Doubts(), "\n")
		if !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", test.source, got, test.want)
		}
	}
}

func TestEvaluateWholeMessage(t *testing.T) {
	t.Parallel()
	e := parseAt(t, RouteSelection, "$request.body")
	for message, want := range map[string]string{
		`"join"`: "join", `1`: "1", `["a",1]`: "[a, 1]", `{"a":1}`: "{a=1}", `null`: "", `x`: "",
	} {
		if got := e.Evaluate([]byte(message)); got != want {
			t.Errorf("%s: %q, want %q", message, got, want)
		}
	}
}

// What is not strict JSON selects nothing: specification, sections C.2 and M.12.
func TestEvaluateNotJSON(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"x${request.body.action}", "x${request.body..action[0]}"} {
		e := parseAt(t, RouteSelection, source)
		for _, message := range []string{
			"", "hello", `{action:"join"}`, `{"action":"join"`, `{"action":"join"} trailing`, "\x00",
			`{"action":"join",}`, `{"action":"join","x":01}`, `{"action":"join","x":"` + "\n" + `"}`, `{"action":"join","x":"\q"}`,
			`{"action":"join","x":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`,
		} {
			if got := e.Evaluate([]byte(message)); got != "x" && got != "x[]" {
				t.Errorf("%s on %.40q: %q, want \"x\"", source, message, got)
			}
		}
	}
	e := parseAt(t, RouteSelection, "x${request.body.action}")
	for _, message := range []string{`["action"]`, `"action"`, `1`, `null`} {
		if got := e.Evaluate([]byte(message)); got != "x" {
			t.Errorf("on %s: %q, want \"x\"", message, got)
		}
	}
}

// input has what all variables refer to.
func input() Input {
	headers := map[string][]string{"X-Kind": {"a", "b"}}
	return Input{
		Message:       []byte(`{"type":"msg"}`),
		RequestHeader: func(name string) string { return map[string]string{"x-api-key": "key-1"}[name] },
		BasePath:      "chat",
		Context:       func(name string) string { return "context:" + name },
		Status:        404,
		Body:          []byte(`{"errorMessage":"Not found: \"x\"","code":7}`),
		Header:        func(name string) []string { return headers[name] },
	}
}

// Specification, section C.1: each place and its variables.
func TestPlaces(t *testing.T) {
	t.Parallel()
	tests := []struct {
		place        Place
		source, want string
	}{
		{RouteSelection, `${request.body.type}-x`, "msg-x"},
		{RouteSelection, `static`, "static"},
		{ModelSelection, `$request.body.type`, "msg"},
		{ModelSelection, `static`, "static"},
		{ModelSelection, `$default`, "$default"},
		{TemplateSelection, `\$default`, "$default"},
		{TemplateSelection, `$default`, "$default"},
		{TemplateSelection, `200`, "200"},
		{TemplateSelection, `${request.body.type}/$request.body.none`, "msg/"},
		{IntegrationResponseSelection, `$integration.response.statuscode`, "404"},
		{IntegrationResponseSelection, `${integration.response.statuscode}`, "404"},
		{IntegrationResponseSelection, `${integration.response.body.errorMessage}`, `Not found: "x"`},
		{IntegrationResponseSelection, `$integration.response.body.code`, "7"},
		{ResponseTemplateSelection, `${request.body.type}-${integration.response.statuscode}-end`, "msg-404-end"},
		{ResponseTemplateSelection, `$integration.response.header.X-Kind`, "a"},
		{ResponseTemplateSelection, `$integration.response.header.X-Kind/x`, "a/x"},
		{ResponseTemplateSelection, `${integration.response.header.X-None}`, ""},
		{ResponseTemplateSelection, `$integration.response.multivalueheader.X-Kind`, "[a, b]"},
		{ResponseTemplateSelection, `$integration.response.multivalueheader.X-None`, ""},
		{ResponseTemplateSelection, `$integration.response.statuscode.`, "404."},
		{ResponseTemplateSelection, `static`, "static"},
		{RouteResponseSelection, `$default`, "$default"},
		{RouteResponseModelSelection, `action`, "action"},
		{APIKeySelection, `$request.header.x-api-key`, "key-1"},
		{APIKeySelection, `${request.header.x-none}`, ""},
		{APIKeySelection, `$context.authorizer.usageIdentifierKey`, "context:authorizer.usageIdentifierKey"},
		{APIMappingSelection, `$request.basepath`, "chat"},
	}
	for _, test := range tests {
		if got := string(parseAt(t, test.place, test.source).Append([]byte(">"), input())); got != ">"+test.want {
			t.Errorf("%s at %d = %q, want %q", test.source, test.place, got, test.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		place        Place
		source, want string
	}{
		{RouteSelection, ``, "empty"},
		{RouteSelection, `$request.header.x`, "$request.body.{path}"},
		{RouteSelection, `$request.querystring.x`, "variable $request.querystring.x is not known here"},
		{RouteSelection, `$context.routeKey`, "$request.body.{path} or text"},
		{RouteSelection, `$stageVariables.x`, "not known here"},
		{RouteSelection, `$default`, "variable $default is not known here"},
		{RouteSelection, `$integration.response.statuscode`, "not known here"},
		{RouteSelection, `${request.body.a`, "without }"},
		{RouteSelection, `${request.body.a['x'}`, "without }"},
		{RouteSelection, `$`, "request.body"},
		{RouteSelection, `$request.bodyx`, "not known here"},
		{RouteSelection, `${request.body[x]}`, "a name in quotes, an index"},
		{RouteSelection, `${request.body.a[0]b}`, "expected . or ["},
		{RouteSelection, `${request.body.a[?(@.b ==)]}`, "expected a path, a string"},
		{RouteSelection, `${request.body.a.}`, "must not end with a dot"},
		{RouteSelection, `$request.body.`, "must not end with a dot"},
		{RouteSelection, `$request.body.a.`, "must not end with a dot"},
		{RouteSelection, `$request.body.a..`, "must not end with a dot"},
		{RouteSelection, `$request.body...a`, "must not end with a dot"},
		{RouteSelection, `$request.body.a.[0].`, "must not end with a dot"},
		{RouteSelection, `$request.body.a.[`, "must not end with a dot"},
		{RouteSelection, `$request.body.a[`, "$request.body.a[ has no ]"},
		{RouteSelection, `$request.body.a[0`, "has no ]"},
		{RouteSelection, `${request.body.a[}`, "without }"},
		{RouteSelection, `$request.body.a[]`, "expected a name in quotes"},
		{TemplateSelection, `$request.body.a.`, "must not end with a dot"},
		{ResponseTemplateSelection, `$integration.response.body.a[`, "has no ]"},
		{ModelSelection, `$request.header.x`, "not known here"},
		{TemplateSelection, `$integration.response.statuscode`, "not known here"},
		{IntegrationResponseSelection, `static`, "must be $integration.response.statuscode or $integration.response.body.{path}"},
		{IntegrationResponseSelection, `$integration.response.statuscode-x`, "must be"},
		{IntegrationResponseSelection, `$request.body.a`, "not known here"},
		{IntegrationResponseSelection, `${integration.response.statuscodes}`, "not known here"},
		{ResponseTemplateSelection, `$integration.response.header.`, "not the name of a header"},
		{ResponseTemplateSelection, `${integration.response.header.a b}`, "not the name of a header"},
		{RouteResponseSelection, `$request.body.a`, "it must be $default"},
		{RouteResponseSelection, `200`, "must be $default"},
		{APIKeySelection, `static`, "must be $request.header.{name} or $context.authorizer.usageIdentifierKey"},
		{APIKeySelection, `$context.connectionId`, "not known here"},
		{APIMappingSelection, `$request.basepath/x`, "must be $request.basepath"},
		{APIMappingSelection, `$request.body.a`, "not known here"},
	}
	for _, test := range tests {
		if _, err := ParseAt(test.place, test.source); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q at %d: %v, want an error with %q", test.source, test.place, err, test.want)
		}
	}
}

// A message made to keep a path busy selects nothing.
func TestTooMuchWork(t *testing.T) {
	t.Parallel()
	e := parseAt(t, RouteSelection, "x$request.body..[?(@..a)]..*")
	message := strings.Repeat(`{"a":[`, 400) + strings.Repeat("]}", 400)
	if got := e.Evaluate([]byte(message)); got != "x" {
		t.Errorf("%.40q, want \"x\"", got)
	}
}

// The common case allocates nothing but what the caller makes of the key.
func TestAllocations(t *testing.T) {
	message := []byte(fmt.Sprintf(`{"data":%q,"action":"sendmessage"}`, strings.Repeat("x", 4000)))
	routes := map[string]int{"sendmessage": 1, "chat/1": 2}
	for source, want := range map[string]int{"$request.body.action": 1, "${request.body.action}!": 0} {
		e := parseAt(t, RouteSelection, source)
		selected := -1
		n := testing.AllocsPerRun(100, func() {
			var room [64]byte
			selected = routes[string(e.Append(room[:0], Input{Message: message}))]
		})
		if n > 0 || selected != want {
			t.Errorf("%s allocates %v times and selects %d", source, n, selected)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("${request.body.a}/$request.body.b[0]", `{"a":1,"b":[2]}`, 0)
	f.Add(`\$default`, "x", 1)
	f.Add("${integration.response.body..a[?(@.b =~ /x/)]}$integration.response.header.x", `{"a":[{"b":"x"}]}`, 4)
	f.Fuzz(func(t *testing.T, source, message string, place int) {
		if place < 0 || place >= len(rules) {
			return
		}
		e, err := ParseAt(Place(place), source)
		if err != nil {
			return
		}
		in := input()
		in.Message, in.Body = []byte(message), []byte(message)
		e.Append(nil, in)
	})
}

// FuzzFind compares the scan with the tree that the parser makes.
func FuzzFind(f *testing.F) {
	f.Add(`{"a":{"b":[1,"x\u0061"]},"a":{"b":[2]}}`, "a", 0)
	f.Add(`{"\u0061":"12345678\"9","c":[{}, [ ],-0.1e+2,tru]}`, "a", 1)
	f.Add(`{"x":`+strings.Repeat(`{"a":[`, 80)+strings.Repeat("]}", 80)+`,"a":[true,false,null,{"seven77":"eight888", "b" : 0}]}`, "a", 3)
	f.Add(`{"x":`+strings.Repeat(`{"a":[`, 80)+strings.Repeat("]}", 79)+`]},"a":1}`, "a", 0)
	f.Add(`{"x":`+strings.Repeat(`[{"a":`, 80)+"1"+strings.Repeat("}]", 50)+strings.Repeat("]}", 30)+`,"a":1}`, "a", 0)
	f.Add(`{"x":`+strings.Repeat("[", 999)+strings.Repeat("]", 999)+`,"a":1}`, "a", 0)
	f.Add(`{"x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`,"a":1}`, "a", 0)
	f.Fuzz(func(t *testing.T, message, name string, index int) {
		if index < 0 || index > 3 || !utf8.ValidString(message) { // the engine lets no other message in
			return
		}
		for _, keys := range [][]jsonpath.Key{
			{{Name: name}},
			{{Index: index, IsIndex: true}},
			{{Name: name}, {Index: index, IsIndex: true}},
		} {
			got := string(appendRaw(nil, find([]byte(message), keys)))
			want := ""
			if document, err := jsonvalue.Parse([]byte(message)); err == nil {
				want = string(appendValue(nil, follow(document, keys)))
			} else if json.Valid([]byte(message)) && !strings.Contains(err.Error(), "too deep") {
				t.Fatalf("%q is JSON", message)
			}
			if got != want {
				t.Fatalf("%q with %v: %q, want %q", message, keys, got, want)
			}
		}
	})
}

// follow finds a value in a tree.
func follow(v any, keys []jsonpath.Key) any {
	for _, key := range keys {
		switch node := v.(type) {
		case *jsonvalue.Object:
			v = nil
			if !key.IsIndex {
				v, _ = node.Get(key.Name)
			}
		case *jsonvalue.List:
			v = nil
			if key.IsIndex {
				v, _ = node.At(key.Index)
			}
		default:
			return nil
		}
	}
	return v
}

// BenchmarkRouteSelection selects a route by a message of 4 KB: one that is
// mostly a text, and one of many small members.
func BenchmarkRouteSelection(b *testing.B) {
	messages := map[string]string{
		"text":  fmt.Sprintf(`{"data":{"text":%q},"action":"sendmessage"}`, strings.Repeat("Grüße und so. ", 250)),
		"dense": `{"action":"sendmessage","items":[` + strings.Repeat(`{"id":12345,"name":"a","ok":true,"tags":["x","y"]},`, 78) + `{}]}`,
	}
	expressions := map[string]string{
		"property":   "$request.body.action",
		"properties": "${request.body.action}/${request.body.none}",
		"scan":       "$request.body..action",
	}
	routes := map[string]int{"sendmessage": 1}
	for kind, message := range messages {
		for name, source := range expressions {
			e := parseAt(b, RouteSelection, source)
			b.Run(kind+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(message)))
				body := []byte(message)
				for b.Loop() {
					var room [64]byte
					_ = routes[string(e.Append(room[:0], Input{Message: body}))]
				}
			})
		}
	}
}
