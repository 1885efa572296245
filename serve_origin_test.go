package stagedoor

import (
	"net/http"
	"testing"
)

// A port that asks nobody for a signature is open to programs, not to the web
// pages of strangers that somebody on this machine looks at.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.configure("")
	g := s.start(ServeConfig{Open: true})
	const api = `{"name":"a","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`
	for _, tt := range []struct {
		name   string
		header []string
		want   int
	}{
		{"a program", nil, http.StatusCreated},
		{"a page of the same origin", []string{"Sec-Fetch-Site", "same-origin"}, http.StatusCreated},
		{"a page of another site", []string{"Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"}, http.StatusForbidden},
		{"a page of another port", []string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		{"a page, in an old browser", []string{"Origin", "https://example.com"}, http.StatusForbidden},
		{"a page without an origin", []string{"Origin", "null"}, http.StatusForbidden},
	} {
		for _, path := range []string{"/v2/apis", "/stagedoor/credentials"} {
			body := api
			if path != "/v2/apis" {
				body = `{"userName":"new"}`
			}
			if status, _, text := (signing{}).send(t, "POST", g.Admin+path, body, tt.header...); status != tt.want {
				t.Errorf("%s, %s: %d %s, want %d", tt.name, path, status, text, tt.want)
			}
		}
	}
}

// The same of dev's Invoke API.
func TestDevForeignPages(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"))
	invoke := a.Admin + "/2015-03-31/functions/nothere/invocations"
	if status, kind, text := (signing{}).send(t, "POST", invoke, "{}"); status != http.StatusNotFound {
		t.Errorf("a program: %d %s %s", status, kind, text)
	}
	if status, kind, text := (signing{}).send(t, "POST", invoke, "{}", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("a page: %d %s %s", status, kind, text)
	}
}
