package accesslog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/accesslog"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
)

const agent = "Mozilla/5.0 (X11, \"é\") \\ \x00\x1b[2J\r\n<a>&'\u2028\xff"

// sample is a message of a client whose program has the name agent.
func sample() *event.Event {
	at := time.Date(2026, 9, 25, 9, 19, 55, 123e6, time.UTC)
	return &event.Event{
		Connection: &event.Connection{
			ID:          "gbikqi-vWQAYKEiHxA==",
			Endpoint:    &event.Endpoint{APIID: "a1b2c3d4e5", Stage: "dev", DomainName: "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"},
			ConnectedAt: at.UnixMilli(), SourceIP: "203.0.113.7", UserAgent: agent,
			Client: &event.Client{PrincipalID: "ada", Context: []event.Parameter{{Name: "level", Value: "7"}, {Name: "a-b.c", Value: "x y"}, {Name: "none"}}},
		},
		Type: event.Message, RouteKey: "send it", RequestID: "EP5tdH0zIAMEr8w=", Time: at, Status: 200,
	}
}

// What a format gives for an event.
func TestFormat(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, format, want string }{
		{"common log format",
			`$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] "$context.eventType $context.routeKey $context.protocol" $context.status $context.connectionId $context.requestId`,
			`203.0.113.7 - - [25/Sep/2026:09:19:55 +0000] "MESSAGE send it -" 200 gbikqi-vWQAYKEiHxA== EP5tdH0zIAMEr8w=`},
		{"quotes in plain text", `$context.requestId "$context.identity.userAgent"`,
			`EP5tdH0zIAMEr8w= "Mozilla/5.0 (X11, \"é\") \\ \u0000\u001b[2J\r\n<a>&'\u2028` + "\ufffd\""},
		{"no quotes in plain text", `$context.requestId|$context.identity.userAgent`,
			`EP5tdH0zIAMEr8w=|Mozilla/5.0\u0020(X11,\u0020\"é\")\u0020\\\u0020\u0000\u001b[2J\r\n<a>&\u0027\u2028` + "\ufffd"},
		{"JSON", `{"id":"$context.requestId","agent":"$context.identity.userAgent","status":$context.status,"who":$context.authorizer.principalId,"level":$context.authorizer.level,"at":$context.requestTime}`,
			`{"id":"EP5tdH0zIAMEr8w=","agent":"Mozilla/5.0 (X11, \"é\") \\ \u0000\u001b[2J\r\n<a>&'\u2028` + "\ufffd" +
				`","status":200,"who":"ada","level":7,"at":"25/Sep/2026:09:19:55 +0000"}`},
		{"JSON, missing", `{"id":"$context.requestId","a":"$context.error.message","b":$context.error.message,"c":$context.error.messageString,"d":"$context.authorizer.none"}`,
			`{"id":"EP5tdH0zIAMEr8w=","a":"-","b":-,"c":-,"d":"-"}`},
		{"XML", `<request id="$context.requestId"><agent>$context.identity.userAgent</agent><!-- $context.identity.caller --></request>`,
			`<request id="EP5tdH0zIAMEr8w="><agent>Mozilla/5.0 (X11, &quot;é&quot;) \ ` + "\ufffd\ufffd" + `[2J&#13;&#10;&lt;a&gt;&amp;&#39;&#8232;` + "\ufffd" + `</agent><!--   --></request>`},
		{"CDATA", `<a><![CDATA[$context.identity.userAgent]]>$context.requestId</a>`,
			`<a><![CDATA[Mozilla/5.0 (X11, "é") \   [2J  <a]]><![CDATA[>&' ` + "\ufffd" + `]]>EP5tdH0zIAMEr8w=</a>`},
		{"CSV", `$context.requestId,$context.identity.userAgent,"$context.identity.userAgent",a-$context.identity.userAgent,$context.requestTime,$context.error.message`,
			`EP5tdH0zIAMEr8w=,"Mozilla/5.0 (X11, ""é"") \ \u0000\u001b[2J\r\n<a>&'\u2028` + "\ufffd" + `","Mozilla/5.0 (X11, ""é"") \ \u0000\u001b[2J\r\n<a>&'\u2028` + "\ufffd" +
				`",a-Mozilla/5.0 (X11\u002c \u0022é\u0022) \ \u0000\u001b[2J\r\n<a>&'\u2028` + "\ufffd" + `,25/Sep/2026:09:19:55 +0000,-`},
		{"line breaks in a format", "{\r\n\"id\":\n\"$context.requestId\",\r\"x\u2028\":1}\r\n", `{ "id": "EP5tdH0zIAMEr8w=", "x ":1}`},
		{"names", `$context.requestId. $context.requestId-x $context.requestId.log ${context.stage}_x $context.authorizer.a-b.c. $context.authorizer $context. $contextX $ $$context.stage ${context.stage`,
			`EP5tdH0zIAMEr8w=. EP5tdH0zIAMEr8w=-x EP5tdH0zIAMEr8w=.log dev_x x\u0020y. - $context. $contextX $ $dev ${context.stage`},
		{"what is empty for WebSocket APIs", `$context.requestId $context.integration.status $context.integrationStatus $context.responseLatency $context.responseLength $context.httpMethod $context.resourcePath`,
			`EP5tdH0zIAMEr8w= - - - - - -`},
		{"no variable", "text", "text"},
		{"nothing", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := sample()
			e.Integration.Status = 200
			if got := string(accesslog.Parse(test.format).Append(nil, e)); got != test.want {
				t.Errorf("\n%s, want\n%s", got, test.want)
			}
		})
	}
}

// The message of an error brings its quotes where the format has none.
func TestErrorMessages(t *testing.T) {
	t.Parallel()
	e := sample()
	for _, test := range []struct{ text, format, want string }{
		{"", `$context.requestId $context.error.message $context.error.messageString`, `EP5tdH0zIAMEr8w= Forbidden "Forbidden"`},
		{"", `{"a":$context.error.messageString,"b":"$context.error.messageString"}`, `{"a":"Forbidden","b":"\"Forbidden\""}`},
		{"", `$context.stage,$context.error.messageString`, `dev,"Forbidden"`},
		{"", `<a b="$context.error.messageString"/>`, `<a b="&quot;Forbidden&quot;"/>`},
		{"GET /\n\"", `$context.stage $context.error.message`, `dev GET\u0020/\n\"`},
		{"GET /\n\"", `{"a":$context.error.messageString}`, `{"a":"GET /\n\""}`},
	} {
		e.Failed = &failure.Error{Kind: failure.Signature, Text: test.text}
		if got := string(accesslog.Parse(test.format).Append(nil, e)); got != test.want {
			t.Errorf("%s\n%s, want\n%s", test.format, got, test.want)
		}
	}
}

// Neither a value nor a line is longer than its bound.
func TestBounds(t *testing.T) {
	t.Parallel()
	e := sample()
	e.Connection.UserAgent = strings.Repeat("é", 4<<10)
	if got := string(accesslog.Parse("$context.identity.userAgent").Append(nil, e)); got != strings.Repeat("é", 1<<10) {
		t.Errorf("%d bytes of a value are printed", len(got))
	}
	e.Connection.UserAgent = strings.Repeat("\x00", 4<<10)
	format := strings.Repeat("$context.identity.userAgent ", accesslog.MaxFormat/28)
	if got := accesslog.Parse(format).Append(nil, e); len(got) > 80<<10 {
		t.Errorf("a line has %d bytes", len(got))
	}
}

// What a handshake's line has of a Lambda authorizer, beside what that returned.
func TestAuthorizers(t *testing.T) {
	t.Parallel()
	format := accesslog.Parse("$context.authorizer.status $context.authorizer.integrationStatus $context.authorizer.error")
	for _, test := range []struct {
		took   time.Duration
		failed *failure.Error
		want   string
	}{
		{0, nil, "- - -"},
		{0, &failure.Error{Kind: failure.Denied}, "- - -"}, // by its origin
		{time.Second, nil, "200 200 -"},
		{time.Second, &failure.Error{Kind: failure.Quota}, "200 200 -"},
		{time.Second, &failure.Error{Kind: failure.Unauthorized}, "401 200 Unauthorized"},
		{time.Second, &failure.Error{Kind: failure.Denied}, "403 200 Forbidden"},
		{time.Second, &failure.Error{Kind: failure.Authorizer}, `500 - Internal\u0020server\u0020error`},
		{time.Second, &failure.Error{Kind: failure.AuthorizerConfiguration}, `500 200 Internal\u0020server\u0020error`},
	} {
		e := sample()
		e.Type, e.Failed, e.Connection.Client.Latency = event.Connect, test.failed, test.took
		if got := string(format.Append(nil, e)); got != test.want {
			t.Errorf("%v, %v: %s, want %s", test.took, test.failed, got, test.want)
		}
		if e.Type = event.Message; string(format.Append(nil, e)) != "- - -" {
			t.Error("a message has some as well")
		}
	}
}
