package dev

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// Nor may pages use @connections of a gateway that checks no signatures.
func TestForeignPagesPush(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"), func(c *Config) { c.Hosts = []string{"gateway"} })
	c := a.dial(t, "/dev")
	gatewaytest.Ask(t, c, `{"action":"hello"}`)
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
			if status, kind, text := request(t, method, address, "forged", tt.header...); status != want {
				t.Errorf("%s, %s: %d %s %s, want %d", tt.name, method, status, kind, text, want)
			}
		}
	}
	if status, _, text := request(t, "POST", a.Public+"/dev/@connections/nonsense", "", "Host", "evil.example"); status != http.StatusMisdirectedRequest {
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
	if status, _, text := request(t, "DELETE", address, ""); status != http.StatusNoContent {
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
	if status, kind, text := request(t, "POST", invoke, "{}"); status != http.StatusNotFound {
		t.Errorf("a program: %d %s %s", status, kind, text)
	}
	rebound := []string{"Host", "evil.example:8081", "Origin", "http://evil.example:8081"}
	if status, kind, text := request(t, "POST", invoke, "{}", rebound...); status != http.StatusMisdirectedRequest || kind != "MisdirectedRequestException" {
		t.Errorf("a page whose name leads here: %d %s %s", status, kind, text)
	}
	if status, kind, text := request(t, "POST", invoke, "{}", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("a page: %d %s %s", status, kind, text)
	}
}
