package dynamodb

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

// A fault of the server is an answer in DynamoDB's form and a line in the log,
// and the server goes on.
func TestFaultIsAnswered(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := New()
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	s.tables["broken"] = &table{} // without an index of its own
	call := func(operation string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/", strings.NewReader(`{"TableName":"broken"}`))
		r.Header.Set("X-Amz-Target", targetPrefix+operation)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	if w := call("Scan"); w.Code != 500 || !strings.Contains(w.Body.String(), "#InternalServerError") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "operation=Scan") {
		t.Errorf("the log says %q", log.String())
	}
	if w := call("ListTables"); w.Code != 200 {
		t.Errorf("after the fault: %d %s", w.Code, w.Body)
	}
}

// A batch of more than 16 MB leaves keys for the next call. The items are made
// without JSON, which would take most of the time.
func TestLargeBatchLeavesKeysUnprocessed(t *testing.T) {
	t.Parallel()
	s := New()
	err := s.EnsureTable([]byte(`{"TableName":"large","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`), "")
	if err != nil {
		t.Fatal(err)
	}
	text := stringValue(strings.Repeat("x", maxItemBytes-100))
	var keys batchKeys
	for n := range 50 {
		id := stringValue(strings.Repeat("i", n+1))
		s.tables["large"].replace(nil, item{"id": id, "text": text})
		keys.Keys = append(keys.Keys, item{"id": id})
	}
	answer, err := s.batchGetItem(&struct{ RequestItems map[string]batchKeys }{map[string]batchKeys{"large": keys}})
	if err != nil {
		t.Fatal(err)
	}
	got := len(answer.(map[string]any)["Responses"].(map[string][]item)["large"])
	left := answer.(map[string]any)["UnprocessedKeys"].(map[string]batchKeys)["large"].Keys
	if got+len(left) != 50 || len(left) == 0 || left[0]["id"].text != keys.Keys[got]["id"].text {
		t.Errorf("%d items, %d keys left", got, len(left))
	}
}

func stringValue(text string) value { return value{kind: kindString, text: text} }
