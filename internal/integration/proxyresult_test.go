package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Specification, sections A.4 and C.5: what a function may return.
func TestParseProxyResult(t *testing.T) {
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	tests := []struct {
		payload string
		want    *Response // nil: malformed
		reason  string
	}{
		{`{"statusCode":200,"body":"hi"}`, &Response{200, header(), []byte("hi")}, ""},
		{`{"statusCode":"201"}`, &Response{201, header(), nil}, ""},
		{`{}`, &Response{200, header(), nil}, ""},
		{`{"statusCode":403,"headers":{"x-a":"1","n":2,"b":true,"gone":null},"body":null}`,
			&Response{403, header("X-A", "1", "N", "2", "B", "true"), nil}, ""},
		{`{"statusCode":200,"headers":{"x-a":"1"},"multiValueHeaders":{"x-a":["2","3"]}}`,
			&Response{200, header("X-A", "2", "X-A", "3"), nil}, ""},
		{`{"statusCode":200,"headers":null,"multiValueHeaders":null}`, &Response{200, header(), nil}, ""},
		{`{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, &Response{200, header(), []byte("hi")}, ""},
		{`{"statusCode":200,"body":"aGk=","isBase64Encoded":"false"}`, &Response{200, header(), []byte("aGk=")}, ""},
		{`null`, nil, "not an object"},
		{`"text"`, nil, "not an object"},
		{`[1]`, nil, "not an object"},
		{``, nil, "not an object"},
		{`{"statusCode":"invalid","body":{}}`, nil, ""},
		{`{"statusCode":200,"body":{"a":1}}`, nil, "body is not a string"},
		{`{"statusCode":200,"extra":1}`, nil, `unknown member "extra"`},
		{`{"statusCode":99}`, nil, "statusCode is 99"},
		{`{"statusCode":600}`, nil, "statusCode is 600"},
		{`{"statusCode":"999"}`, nil, `statusCode is "999"`},
		{`{"headers":{"a":"x\ty"}}`, &Response{200, header("A", "x\ty"), nil}, ""},
		{`{"headers":{"a":"x\u0000y"}}`, nil, `header "a" has a control character`},
		{`{"headers":{"a":"\u001b[31m"}}`, nil, `header "a" has a control character`},
		{`{"headers":{"a":"\u000b"}}`, nil, `header "a" has a control character`},
		{`{"headers":{"a":"\u007f"}}`, nil, `header "a" has a control character`},
		{`{"headers":{"a":"1\r\nb: 2"}}`, nil, `header "a" has a control character`},
		{`{"headers":{"a\r\nb":"1"}}`, nil, "has a control character"},
		{`{"multiValueHeaders":{"a":["1","\u001b"]}}`, nil, `header "a" has a control character`},
		{`{"statusCode":null}`, nil, "statusCode is null"},
		{`{"statusCode":200,"headers":[]}`, nil, "headers is not an object"},
		{`{"statusCode":200,"headers":{"a":{}}}`, nil, `header "a"`},
		{`{"statusCode":200,"multiValueHeaders":{"a":"b"}}`, nil, "multiValueHeaders"},
		{`{"statusCode":200,"body":"*","isBase64Encoded":true}`, nil, "not base64"},
		{`{"statusCode":200,"isBase64Encoded":1}`, nil, "isBase64Encoded is 1"},
	}
	for _, test := range tests {
		got, err := parseProxyResult([]byte(test.payload))
		if test.want == nil {
			if err == nil || !strings.Contains(err.Error(), "malformed Lambda proxy response") || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("%s: %v, want an error with %q", test.payload, err, test.reason)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.payload, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.payload, diff)
		}
	}
}

func FuzzParseProxyResult(f *testing.F) {
	f.Add([]byte(`{"statusCode":200,"headers":{"a":1},"multiValueHeaders":{"a":["b"]},"body":"x","isBase64Encoded":false}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		response, err := parseProxyResult(payload)
		if (response == nil) == (err == nil) {
			t.Fatal("neither or both of response and error")
		}
	})
}
