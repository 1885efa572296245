package server

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
	g := s.start(Config{Open: true, Hosts: []string{"gateway.test"}})
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
		{"a page whose name leads here (DNS rebinding)", []string{"Host", "evil.example:8081", "Origin", "http://evil.example:8081", "Sec-Fetch-Site", "same-origin"}, http.StatusMisdirectedRequest},
		{"a program, by the name of this machine", []string{"Host", "localhost:8081"}, http.StatusCreated},
		{"a program, by a name that was given", []string{"Host", "Gateway.Test:8081"}, http.StatusCreated},
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

// What a foreign page may not change it may not read either; health checks are
// everybody's.
func TestForeignPagesRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.configure("")
	g := s.start(Config{Open: true})
	for _, tt := range []struct {
		path   string
		header []string
		want   int
	}{
		{"/v2/apis", nil, http.StatusOK},
		{"/v2/apis", []string{"Host", "evil.example"}, http.StatusMisdirectedRequest},
		{"/v2/apis", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"/v2/apis", []string{"Origin", "http://evil.example"}, http.StatusForbidden},
		{"/healthz", []string{"Host", "evil.example"}, http.StatusOK},
		{"/readyz", []string{"Host", "gateway"}, http.StatusOK},
	} {
		if status, _, text := (signing{}).send(t, "GET", g.Admin+tt.path, "", tt.header...); status != tt.want {
			t.Errorf("%s %v: %d %s, want %d", tt.path, tt.header, status, text, tt.want)
		}
	}
}
