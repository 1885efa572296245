package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A body goes back as it came, and a call of Centrifugo's with its data.
func TestEcho(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(echo(0))
	t.Cleanup(server.Close)
	for _, test := range []struct{ path, body, want string }{
		{"/echo", `{"action":"call"}`, `{"action":"call"}`},
		{"/echo", strings.Repeat("x", 1<<17), strings.Repeat("x", 1<<17)},
		{"/centrifugo", `{"client":"1","method":"call","data":{"a":{"data":1}}}`, `{"result":{"data":{"a":{"data":1}}}}`},
	} {
		r, err := http.Post(server.URL+test.path, "text/plain", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if string(body) != test.want || err != nil || r.ContentLength != int64(len(test.want)) || r.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("%s: %.100q, %v, %v", test.path, body, r.Header, err)
		}
	}
}
