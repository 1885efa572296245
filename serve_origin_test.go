package stagedoor

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// A port that asks nobody for a signature is open to programs, not to the web
// pages of strangers that somebody on this machine looks at.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.configure("")
	g := s.start(ServeConfig{Open: true, Hosts: []string{"gateway.test"}})
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
	g := s.start(ServeConfig{Open: true})
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

// Nor may pages use @connections of a gateway that checks no signatures.
func TestForeignPagesPush(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"), func(c *DevConfig) { c.Hosts = []string{"gateway"} })
	c := a.dial(t, "/dev")
	ask(t, c, `{"action":"hello"}`)
	var id string
	a.eventually(t, "the connection's id", func() bool {
		if messages := a.of("message"); len(messages) > 0 {
			id = messages[0].ConnectionID
		}
		return id != ""
	})
	address := a.Public + "/dev/@connections/" + strings.ReplaceAll(id, "=", "%3D")
	aws := a.APIs[0].ID + ".execute-api.us-east-1.amazonaws.com"
	for _, tt := range []struct {
		name   string
		header []string
		want   int // 0: allowed
	}{
		{"a page whose name leads here", []string{"Host", "evil.example:8080", "Origin", "http://evil.example:8080"}, http.StatusMisdirectedRequest},
		{"a page whose name looks like AWS's", []string{"Host", a.APIs[0].ID + ".execute-api.evil.example"}, http.StatusMisdirectedRequest},
		{"a page of another site", []string{"Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"}, http.StatusForbidden},
		{"a page of another site, in an old browser", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"a program", nil, 0},
		{"a program, by AWS's name", []string{"Host", aws}, 0},
		{"a program, by a name that was given", []string{"Host", "gateway:8080"}, 0},
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			want := tt.want
			if want == 0 {
				if want = http.StatusOK; method == "DELETE" {
					continue // it is needed once more
				}
			}
			if status, kind, text := (signing{}).send(t, method, address, "forged", tt.header...); status != want {
				t.Errorf("%s, %s: %d %s %s, want %d", tt.name, method, status, kind, text, want)
			}
		}
	}
	if status, _, text := (signing{}).send(t, "POST", a.Public+"/dev/@connections/nonsense", "", "Host", "evil.example"); status != http.StatusMisdirectedRequest {
		t.Errorf("whatever the id: %d %s", status, text)
	}
	a.eventually(t, "the refusals", func() bool {
		refused := a.of("refused")
		return len(refused) == 10 && refused[0].Status == http.StatusMisdirectedRequest && strings.Contains(refused[0].Error, "evil.example is none of them")
	})
	ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
	defer cancel()
	for range 3 { // what the programs sent, and nothing before it
		if _, text, err := c.Read(ctx); err != nil || string(text) != "forged" {
			t.Fatalf("%s %v", text, err)
		}
	}
	if status, _, text := (signing{}).send(t, "DELETE", address, ""); status != http.StatusNoContent {
		t.Errorf("DELETE by a program: %d %s", status, text)
	}
	if _, _, err := c.Read(ctx); err == nil {
		t.Error("more was sent than the programs did")
	}
}

// Handshakes of foreign pages go through, as at AWS, unless the API says whose it
// wants.
func TestForeignPagesConnect(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"))
	ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
	defer cancel()
	header := http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	c, _, err := websocket.Dial(ctx, strings.Replace(a.Public, "http", "ws", 1)+"/dev", &websocket.DialOptions{HTTPHeader: header, HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.CloseNow()
}

// The same of dev's Invoke API.
func TestDevForeignPages(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"))
	invoke := a.Admin + "/2015-03-31/functions/nothere/invocations"
	if status, kind, text := (signing{}).send(t, "POST", invoke, "{}"); status != http.StatusNotFound {
		t.Errorf("a program: %d %s %s", status, kind, text)
	}
	rebound := []string{"Host", "evil.example:8081", "Origin", "http://evil.example:8081"}
	if status, kind, text := (signing{}).send(t, "POST", invoke, "{}", rebound...); status != http.StatusMisdirectedRequest || kind != "MisdirectedRequestException" {
		t.Errorf("a page whose name leads here: %d %s %s", status, kind, text)
	}
	if status, kind, text := (signing{}).send(t, "POST", invoke, "{}", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("a page: %d %s %s", status, kind, text)
	}
}
