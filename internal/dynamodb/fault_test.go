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
