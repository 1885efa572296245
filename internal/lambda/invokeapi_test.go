package lambda

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What the Invoke operation answers without a function being called; the call
// itself is tested with the AWS CLI's own requests in the conformance suite.
func TestInvokeAPIRefusals(t *testing.T) {
	t.Parallel()
	h := NewHost(Options{CacheDir: t.TempDir()})
	t.Cleanup(func() { _ = h.Close(t.Context()) })
	const path = "/2015-03-31/functions/known/invocations"
	h.Update([]Function{{Name: "known", Runtime: "provided.al2023", CodeDir: t.TempDir()}})
	for _, test := range []struct {
		method, path, body, kind string
		status                   int
		errorType                string
	}{
		{"GET", path, "", "", 404, "UnknownOperationException"},
		{"POST", "/2015-03-31/functions/", "", "", 404, "UnknownOperationException"},
		{"POST", "/2015-03-31/functions/other/invocations", "{}", "", 404, "ResourceNotFoundException"},
		{"POST", path, "{", "", 400, "InvalidRequestContentException"},
		{"POST", path, `"` + strings.Repeat("x", maxRequestBytes) + `"`, "", 413, "RequestTooLargeException"},
		{"POST", path, "{}", "DryRun", 204, ""},
		{"POST", path, "{}", "", 200, ""}, // the folder holds no code: a function error
	} {
		r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
		r.Header.Set("X-Amz-Invocation-Type", test.kind)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.status || w.Header().Get("x-amzn-ErrorType") != test.errorType {
			t.Errorf("%s %s: %d %s, want %d %s", test.method, test.path, w.Code, w.Header().Get("x-amzn-ErrorType"), test.status, test.errorType)
		}
		if w.Code == http.StatusOK && (w.Header().Get("X-Amz-Function-Error") != "Unhandled" || w.Header().Get("x-amzn-RequestId") == "") {
			t.Errorf("header %v", w.Header())
		}
	}
}

// What a caller tells of itself reaches the handler's context.
func TestClientContext(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil,
		inlineNode("node", `exports.handler = async (event, context) => context.clientContext ? context.clientContext.custom.room : "none"`),
		inlinePython("python", "def handler(event, context):\n    c = context.client_context\n    return c.custom['room'] if c else 'none'\n"))
	for _, name := range []string{"node", "python"} {
		for header, want := range map[string]string{
			"": `200 "none"`,
			base64.StdEncoding.EncodeToString([]byte("{\n\"custom\": {\"room\": \"é\"},\n\"client\": {\"app_title\": \"a\"}}")): `200 "é"`,
			"eyI": "400 ", // half of an object
			base64.StdEncoding.EncodeToString([]byte("[1]")): "400 ",
		} {
			r := httptest.NewRequest("POST", "/2015-03-31/functions/"+name+"/invocations", strings.NewReader("{}"))
			r.Header.Set("X-Amz-Client-Context", header)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := fmt.Sprint(w.Code, " ", w.Body); !strings.HasPrefix(got, want) {
				t.Errorf("%s, %q: got %s, want %s", name, header, got, want)
			}
		}
	}
}

// Asynchronous calls that wait take so much memory and no more. Those beyond are told so, and
// there is room again when the others are done.
func TestLaterIsBounded(t *testing.T) {
	t.Parallel()
	open := make(chan struct{})
	h := newTestHost(t, nil, inProcess("f", deadline, func(context.Context, []byte) ([]byte, error) {
		<-open
		return nil, nil
	}))
	payload := `"` + strings.Repeat("x", maxRequestBytes-2) + `"`
	invoke := func() int {
		r := httptest.NewRequest(http.MethodPost, "/2015-03-31/functions/f/invocations", strings.NewReader(payload))
		r.Header.Set("X-Amz-Invocation-Type", "Event")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	const most = maxLater / (maxRequestBytes + laterCosts)
	for n := range most {
		if status := invoke(); status != http.StatusAccepted {
			t.Fatalf("call %d: %d", n, status)
		}
	}
	if status := invoke(); status != http.StatusTooManyRequests {
		t.Errorf("a call beyond: %d", status)
	}
	close(open)
	for end := time.Now().Add(time.Minute); h.later.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d bytes are still counted", h.later.Load())
		}
	}
	if status := invoke(); status != http.StatusAccepted {
		t.Errorf("a call afterwards: %d", status)
	}
}
