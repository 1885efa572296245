package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/allocations"
)

func sample(t Type, routeKey string) *Event {
	at := time.Date(2026, 9, 25, 9, 19, 55, 123e6, time.UTC)
	return &Event{
		Connection: &Connection{
			ID:          "gbikqi-vWQAYKEiHxA==",
			Endpoint:    &Endpoint{APIID: "a1b2c3d4e5", Stage: "dev", DomainName: "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"},
			ConnectedAt: at.UnixMilli(), SourceIP: "203.0.113.7", UserAgent: "ua/1.0",
		},
		Type: t, RouteKey: routeKey, RequestID: "EP5tdH0zIAMEr8w=", Time: at.Add(7 * time.Millisecond),
	}
}

// The events of specification, sections B.2 to B.4, member by member.
func TestAppendLambdaEvent(t *testing.T) {
	connect := sample(Connect, "$connect")
	connect.Header = []Parameter{
		{"Host", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"}, {"x-custom", "one"}, {"User-Agent", "ua/1.0"},
		{"x-custom", "two"}, {"Sec-WebSocket-Key", "abc=="}, {"X-Forwarded-Port", "443"},
	}
	connect.Query = map[string][]string{"b": {"query value", "last"}, "a": {"1"}}

	bare := sample(Connect, "$connect")
	bare.Connection.UserAgent = ""
	bare.stageVariables = map[string]string{"z": "1", "a": "2"}

	message := sample(Message, "echo")
	message.messageID = "gbikqm-vtQAYKEiHxA=="
	message.Body = []byte("{\"action\":\"echo\",\"text\":\"<\u00e9\u2028>\\\"\n\"}\x01")

	disconnect := sample(Disconnect, "$disconnect")
	disconnect.CloseCode, disconnect.CloseReason = 1001, "Going away"

	// Names and values of an authorizer's context cannot break out of theirs.
	known := func(r *Event) *Event {
		r.Connection.Client = &Client{
			PrincipalID: "ada\"", Latency: 1500 * time.Microsecond, APIKey: "secret",
			Context:  []Parameter{{Name: "level", Value: "7"}, {Name: "a\",\"admin\":\"", Value: "\r\nX: y\"}"}, {Name: "none", Value: ""}},
			Identity: []Parameter{{Name: "accountId", Value: "123456789012"}, {Name: "userArn", Value: "arn:aws:iam::123456789012:user/ada"}},
		}
		return r
	}
	knownMessage := known(sample(Message, "echo"))
	knownMessage.messageID = "gbikqm-vtQAYKEiHxA=="
	knownDisconnect := known(sample(Disconnect, "$disconnect"))
	knownDisconnect.CloseCode, knownDisconnect.CloseReason = 1001, "Going away"
	const context = `"level":"7","a\",\"admin\":\"":"\r\nX: y\"}","none":""},`
	const caller = `"identity":{"accountId":"123456789012","userArn":"arn:aws:iam::123456789012:user/ada","userAgent":"ua/1.0","sourceIp":"203.0.113.7"},`

	const tail = `"requestId":"EP5tdH0zIAMEr8w=","domainName":"a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",` +
		`"connectionId":"gbikqi-vWQAYKEiHxA==","apiId":"a1b2c3d4e5"}`
	const times = `"stage":"dev","connectedAt":1790327995123,"requestTimeEpoch":1790327995130,`
	const identity = `"identity":{"userAgent":"ua/1.0","sourceIp":"203.0.113.7"},`
	const at = `"extendedRequestId":"EP5tdH0zIAMEr8w=","requestTime":"25/Sep/2026:09:19:55 +0000","messageDirection":"IN",`
	tests := []struct {
		name    string
		request *Event
		want    string
	}{
		{"CONNECT, section B.2", connect,
			`{"headers":{"Host":"a1b2c3d4e5.execute-api.us-east-1.amazonaws.com","Sec-WebSocket-Key":"abc==","User-Agent":"ua/1.0","X-Forwarded-Port":"443","x-custom":"two"},` +
				`"multiValueHeaders":{"Host":["a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"],"Sec-WebSocket-Key":["abc=="],"User-Agent":["ua/1.0"],"X-Forwarded-Port":["443"],"x-custom":["one","two"]},` +
				`"queryStringParameters":{"a":"1","b":"last"},"multiValueQueryStringParameters":{"a":["1"],"b":["query value","last"]},` +
				`"requestContext":{"routeKey":"$connect","eventType":"CONNECT",` + at + times + identity + tail + `,"isBase64Encoded":false}`},
		{"CONNECT with nothing but stage variables", bare,
			`{"headers":{},"multiValueHeaders":{},"stageVariables":{"a":"2","z":"1"},` +
				`"requestContext":{"routeKey":"$connect","eventType":"CONNECT",` + at + times + `"identity":{"sourceIp":"203.0.113.7"},` + tail + `,"isBase64Encoded":false}`},
		{"MESSAGE, section B.3", message,
			`{"requestContext":{"routeKey":"echo","messageId":"gbikqm-vtQAYKEiHxA==","eventType":"MESSAGE",` + at + times + identity + tail +
				`,"body":"{\"action\":\"echo\",\"text\":\"<` + "\u00e9\u2028" + `>\\\"\n\"}\u0001","isBase64Encoded":false}`},
		{"DISCONNECT, section B.4", disconnect,
			`{"headers":{"Host":"a1b2c3d4e5.execute-api.us-east-1.amazonaws.com","x-api-key":"","X-Forwarded-For":"","x-restapi":""},` +
				`"multiValueHeaders":{"Host":["a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"],"x-api-key":[""],"X-Forwarded-For":[""],"x-restapi":[""]},` +
				`"requestContext":{"routeKey":"$disconnect","disconnectStatusCode":1001,"eventType":"DISCONNECT","extendedRequestId":"EP5tdH0zIAMEr8w=",` +
				`"requestTime":"25/Sep/2026:09:19:55 +0000","messageDirection":"IN","disconnectReason":"Going away",` + times + identity + tail + `,"isBase64Encoded":false}`},
		{"CONNECT after an authorizer", known(sample(Connect, "$connect")),
			`{"headers":{},"multiValueHeaders":{},"requestContext":{"routeKey":"$connect","authorizer":{"principalId":"ada\"","integrationLatency":1,` + context +
				`"eventType":"CONNECT",` + at + times + caller + tail + `,"isBase64Encoded":false}`},
		{"MESSAGE after an authorizer", knownMessage,
			`{"requestContext":{"routeKey":"echo","authorizer":{"principalId":"ada\"",` + context + `"messageId":"gbikqm-vtQAYKEiHxA==","eventType":"MESSAGE",` +
				at + times + caller + tail + `,"body":"","isBase64Encoded":false}`},
		{"DISCONNECT after an authorizer", knownDisconnect,
			`{"headers":{"Host":"a1b2c3d4e5.execute-api.us-east-1.amazonaws.com","x-api-key":"","X-Forwarded-For":"","x-restapi":""},` +
				`"multiValueHeaders":{"Host":["a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"],"x-api-key":[""],"X-Forwarded-For":[""],"x-restapi":[""]},` +
				`"requestContext":{"routeKey":"$disconnect","disconnectStatusCode":1001,"authorizer":{"principalId":"ada\"",` + context + `"eventType":"DISCONNECT","extendedRequestId":"EP5tdH0zIAMEr8w=",` +
				`"requestTime":"25/Sep/2026:09:19:55 +0000","messageDirection":"IN","disconnectReason":"Going away",` + times + caller + tail + `,"isBase64Encoded":false}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := string(test.request.AppendLambdaEvent(nil))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("event differs (-want +got):\n%s", diff)
			}
			if !json.Valid([]byte(got)) {
				t.Error("the event is not JSON")
			}
		})
	}
}

func BenchmarkAppendLambdaEvent(b *testing.B) {
	request := sample(Message, "echo")
	request.messageID = "gbikqm-vtQAYKEiHxA=="
	request.Body = []byte(`{"action":"echo","text":"a message of ordinary length, as chats have them"}`)
	buffer := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		buffer = request.AppendLambdaEvent(buffer[:0])
	}
}

// The event of a message is written without an allocation.
func TestAppendLambdaEventAllocations(t *testing.T) {
	message := sample(Message, "echo")
	message.messageID = "gbikqm-vtQAYKEiHxA=="
	message.Body = []byte(`{"action":"echo","text":"grüße ` + strings.Repeat("\"", 200) + `"}`)
	buffer := make([]byte, 0, 4096)
	allocations.AtMost(t, 0, func() { buffer = message.AppendLambdaEvent(buffer[:0]) })
}
