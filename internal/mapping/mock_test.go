package mapping_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

func describeReply(reply *mapping.Reply, err *failure.Error) string {
	if err != nil {
		return outcome(err)
	}
	return fmt.Sprintf("%s %d %v", reply.Body, reply.Status, map[string][]string(reply.Header))
}

// The lenient object of D.5.
func TestMockStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want int // 0: an error
	}{
		{`{"statusCode": 200}`, 200},
		{`{statusCode: 200}`, 200},
		{`{'statusCode': 404}`, 404},
		{` { "statusCode" : 200 , } `, 200},
		{`{statusCode: 200, message: 'go to ${home}', list: [1, {a: "}"}, 'x',], "o": {"statusCode": 1}}`, 200},
		{`{"a": "x" "statusCode": 500}`, 500},
		{`{"a": "\"}", "statusCode": 201}`, 201},
		{`{"statusCode": 100, "statusCode": 599}`, 599},
		{`{"statusCode": "200"}`, 0},
		{`{"statusCode": '200'}`, 0},
		{`{"statusCode": 200.5}`, 0},
		{`{"statusCode": 99}`, 0},
		{`{"statusCode": 600}`, 0},
		{`{"statusCode": true}`, 0},
		{`{"statusCode": {}}`, 0},
		{`{"statusCode":}`, 0},
		{`{"statuscode": 200}`, 0},
		{`{"o": {"statusCode": 200}}`, 0},
		{`{"statusCode": 200`, 0},
		{`{"statusCode": 200} x`, 0},
		{`{"statusCode: 200}`, 0},
		{`"statusCode": 200`, 0},
		{`{}`, 0},
		{``, 0},
		{`hello`, 0},
		{strings.Repeat(`{a:`, 1e5), 0},
	}
	for _, test := range tests {
		status, err := mapping.MockStatus([]byte(test.text))
		if status != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("%.80s: %d, %v", test.text, status, err)
		}
		if err != nil && !strings.HasPrefix(err.Reason, "mock integration: statusCode should be an integer defined in the request template") {
			t.Errorf("%.80s: %v", test.text, err)
		}
	}
}

// What is strict JSON is read as JSON.
func FuzzMockStatus(f *testing.F) {
	for _, seed := range []string{`{"statusCode": 200}`, `{statusCode: 200,}`, `{'a': [1, {b: "\""}], 'statusCode': 404}`, `{`, `{"statusCode":1e2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		status, err := mapping.MockStatus(text)
		if (err == nil) != (100 <= status && status <= 599) {
			t.Fatalf("%d, %v", status, err)
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(text, &object) != nil || strings.Contains(string(text), `\u`) || strings.Count(string(text), "{")+strings.Count(string(text), "[") > 50 {
			return
		}
		want := 0
		if json.Unmarshal(object["statusCode"], &want) != nil || want < 100 || want > 599 || object["statusCode"][0] == 'n' {
			want = 0
		}
		if status != want {
			t.Errorf("%s: %d, %v, want %d", text, status, err, want)
		}
	})
}
