package event

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The event of a Lambda authorizer: section I.2. Its maps are there also when
// they are empty.
func TestAppendAuthorizerEvent(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/$connect"
	const context = `"requestContext":{"routeKey":"$connect","eventType":"CONNECT","extendedRequestId":"EP5tdH0zIAMEr8w=","requestTime":"25/Sep/2026:09:19:55 +0000","messageDirection":"IN",` +
		`"stage":"dev","connectedAt":1790327995123,"requestTimeEpoch":1790327995130,"identity":{"userAgent":"ua/1.0","sourceIp":"203.0.113.7"},"requestId":"EP5tdH0zIAMEr8w=",` +
		`"domainName":"a1b2c3d4e5.execute-api.us-east-1.amazonaws.com","connectionId":"gbikqi-vWQAYKEiHxA==","apiId":"a1b2c3d4e5"}}`
	full := sample(Connect, "$connect")
	full.Header = []Parameter{{"Host", "example.com"}, {"x-a", "1"}, {"x-a", "2"}}
	full.Query = map[string][]string{"token": {"x y", "z"}}
	full.stageVariables = map[string]string{"b": "2", "a": "1"}
	tests := []struct {
		name    string
		request *Event
		want    string
	}{
		{"full", full, `{"type":"REQUEST","methodArn":"` + arn + `",` +
			`"headers":{"Connection":"upgrade","Host":"example.com","Upgrade":"websocket","content-length":"0","x-a":"2"},` +
			`"multiValueHeaders":{"Connection":["upgrade"],"Host":["example.com"],"Upgrade":["websocket"],"content-length":["0"],"x-a":["1","2"]},` +
			`"queryStringParameters":{"token":"z"},"multiValueQueryStringParameters":{"token":["x y","z"]},"stageVariables":{"a":"1","b":"2"},` + context},
		{"bare", sample(Connect, "$connect"), `{"type":"REQUEST","methodArn":"` + arn + `",` +
			`"headers":{"Connection":"upgrade","Upgrade":"websocket","content-length":"0"},` +
			`"multiValueHeaders":{"Connection":["upgrade"],"Upgrade":["websocket"],"content-length":["0"]},` +
			`"queryStringParameters":{},"multiValueQueryStringParameters":{},"stageVariables":{},` + context},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before := len(test.request.Header)
			got := string(test.request.AppendAuthorizerEvent(nil, arn))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("event differs (-want +got):\n%s", diff)
			}
			if !json.Valid([]byte(got)) || len(test.request.Header) != before {
				t.Error("the event is not JSON, or the request was changed")
			}
		})
	}
}
