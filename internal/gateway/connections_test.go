package gateway_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/connections"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// open starts a gateway with two APIs and a connection to the first one.
func open(t *testing.T, driver websocket.Driver) (g *Gateway, c *Client, id string) {
	t.Helper()
	g = New(t, driver)
	g.Functions.Set("c", Returns(ok))
	g.DeployRoutes(Route{Key: "$connect", Function: "c"})
	g.Deploy(API("testapi123", Route{Key: "$connect", Function: "c"}), &apigw.Stage{StageName: "other"})
	g.Deploy(API("anotherapi", Route{Key: "$connect", Function: "c"}), &apigw.Stage{StageName: "foreign"})
	c = g.Dial("/dev", Header("User-Agent", "ua \"quoted\""))
	return g, c, g.Functions.Events("c")[0].RequestContext.ConnectionID
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// Specification, section F.1.
func TestPost(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g, c, id := open(t, driver)
		for _, test := range []struct{ data, want string }{
			{"hello", "hello"},
			{"", ""},
			{"\xff\xfeab", "\uFFFD\uFFFDab"},
			{"\x00\x01", "\x00\x01"},
			{strings.Repeat("x", 32769), strings.Repeat("x", 32769)},
			{strings.Repeat("y", 131072), strings.Repeat("y", 131072)},
		} {
			response, body := g.Do("POST", g.ConnectionURL(id), []byte(test.data), "Content-Type", "application/octet-stream")
			if response.StatusCode != 200 || body != "" {
				t.Fatalf("POST: %d %q", response.StatusCode, body)
			}
			h := response.Header
			if h.Get("Content-Type") != "application/json" || h.Get("Content-Length") != "0" || !uuid.MatchString(h.Get("x-amzn-RequestId")) ||
				h.Get("x-amz-apigw-id") == "" || h.Get("X-Amzn-Trace-Id") == "" || h.Get("Date") == "" {
				t.Errorf("header %v", h)
			}
			if got := c.Receive(); got != test.want {
				t.Errorf("received %.40q, want %.40q", got, test.want)
			}
		}
		response, body := g.Do("POST", g.ConnectionURL(id), make([]byte, 131073))
		if response.StatusCode != 413 || body != "" || response.Header.Get("x-amzn-ErrorType") != "" || response.Header.Get("x-amzn-RequestId") != "" {
			t.Errorf("131073 bytes: %d %q %v", response.StatusCode, body, response.Header)
		}
		g.Do("POST", g.ConnectionURL(id), []byte("still there"))
		if got := c.Receive(); got != "still there" {
			t.Errorf("%q", got)
		}
	})
}

// The forms of the path, and any stage of the API: specification, section F.
func TestConnectionPaths(t *testing.T) {
	t.Parallel()
	g, c, id := open(t, websocket.DriverAuto)
	const host = "testapi123.execute-api.us-east-1.amazonaws.com"
	escaped := strings.ReplaceAll(id, "=", "%3D")
	for _, test := range []struct {
		host, path string
		status     int
	}{
		{"", "/dev/@connections/" + id, 200},
		{"", "/dev/@connections/" + escaped, 200},
		{"", "/dev/%40connections/" + escaped, 200},
		{"", "/dev/%40connections/" + strings.ToLower(escaped[len(escaped)-6:]), 400},
		{host, "/dev/@connections/" + id, 200},
		{host, "/dev/%40connections/" + escaped, 200},
		{host, "/other/@connections/" + id, 200}, // stage mismatch
		{"", "/other/@connections/" + id, 200},
		{"", "/_aws/execute-api/testapi123/dev/@connections/" + id, 200},
		{"", "/foreign/@connections/" + id, 410}, // another API's
		{"", "/_aws/execute-api/anotherapi/foreign/@connections/" + id, 410},
		{host, "/unknown/@connections/" + id, 403},
		{host, "/@connections/" + id, 403},
		{host, "/dev/dev/@connections/" + id, 403},
		{"", "/@connections/" + id, 403},
	} {
		headers := []string{}
		if test.host != "" {
			headers = append(headers, "Host", test.host)
		}
		response, body := g.Do("POST", g.URL(test.path), []byte("x"), headers...)
		if response.StatusCode != test.status {
			t.Errorf("%s %s: %d %s, want %d", test.host, test.path, response.StatusCode, body, test.status)
		}
		if test.status == 403 && response.Header.Get("x-amzn-ErrorType") != "ForbiddenException" {
			t.Errorf("%s: %v", test.path, response.Header)
		}
		if test.status == 200 {
			c.Receive()
		}
	}
}

// Specification, section F.2.
func TestGet(t *testing.T) {
	t.Parallel()
	g, c, id := open(t, websocket.DriverAuto)
	form := regexp.MustCompile(`^\{\n  "identity" : \{\n    "sourceIp" : "127\.0\.0\.1",\n    "userAgent" : "ua \\"quoted\\""\n  \},\n` +
		`  "connectedAt" : "(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)",\n  "lastActiveAt" : "(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"\n\}$`)
	get := func() (connected, active time.Time) {
		response, body := g.Do("GET", g.ConnectionURL(id), nil)
		match := form.FindStringSubmatch(body)
		if response.StatusCode != 200 || response.Header.Get("Content-Type") != "application/json" || match == nil {
			t.Fatalf("GET: %d %s", response.StatusCode, body)
		}
		connected, _ = time.Parse(time.RFC3339, match[1])
		active, _ = time.Parse(time.RFC3339, match[2])
		return connected, active
	}
	connected, first := get()
	if _, again := get(); !again.Equal(first) || first.Before(connected) {
		t.Errorf("GET moved lastActiveAt from %v to %v", first, again)
	}
	advances := func(what string, act func()) {
		t.Helper()
		_, before := get()
		Eventually(t, func() error {
			act()
			if _, now := get(); !now.After(before) {
				return fmt.Errorf("%s leaves lastActiveAt at %v; before, it was %v", what, now, before)
			}
			return nil
		})
	}
	advances("POST", func() { g.Do("POST", g.ConnectionURL(id), []byte("x")) })
	advances("an empty POST", func() { g.Do("POST", g.ConnectionURL(id), nil) })
	advances("a message", func() { c.Send("x") })
}

// Specification, sections F.3 and G.5.
func TestDelete(t *testing.T) {
	t.Parallel()
	g, c, id := open(t, websocket.DriverAuto)
	response, body := g.Do("DELETE", g.ConnectionURL(id), nil)
	if response.StatusCode != 204 || body != "" || response.Header.Get("Content-Length") != "" || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("DELETE: %d %q %v", response.StatusCode, body, response.Header)
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		response, _ := g.Do(method, g.ConnectionURL(id), nil)
		if response.StatusCode != 410 || response.Header.Get("x-amzn-ErrorType") != "GoneException" {
			t.Errorf("%s afterwards: %d %v", method, response.StatusCode, response.Header)
		}
	}
	if code, reason := c.WaitClosed(); code != 1000 || reason != "Connection Closed Normally" {
		t.Errorf("closed with %d %q", code, reason)
	}
}

// Specification, section F.4.
func TestConnectionErrors(t *testing.T) {
	t.Parallel()
	g, _, id := open(t, websocket.DriverAuto)
	const old = "Llf4ceE2NjMCF7w=" // the form of ids before 2026: never issued here
	tests := []struct {
		method, id, body, errorType string
		status                      int
	}{
		{"POST", "nonsense", `{"message":"Invalid connectionId: nonsense"}`, "BadRequestException", 400},
		{"GET", `a"b`, `{"message":"Invalid connectionId: a\"b"}`, "BadRequestException", 400},
		{"DELETE", old, `{"message":"Invalid connectionId: ` + old + `"}`, "BadRequestException", 400},
		{"POST", "", `{"message":"Invalid connectionId: "}`, "BadRequestException", 400},
		{"POST", connections.NewID(9).String(), "", "GoneException", 410},
		{"GET", connections.NewID(1).String(), "", "GoneException", 410},
		{"PUT", id, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException", 403},
	}
	for _, test := range tests {
		url := g.URL("/dev/@connections/" + strings.NewReplacer(`"`, "%22", "=", "%3D").Replace(test.id))
		response, body := g.Do(test.method, url, nil)
		if response.StatusCode != test.status || body != test.body || response.Header.Get("x-amzn-ErrorType") != test.errorType {
			t.Errorf("%s %s: %d %s %s", test.method, test.id, response.StatusCode, response.Header.Get("x-amzn-ErrorType"), body)
		}
	}
}

// A client that does not read costs itself: POST answers 429 when its queue
// is full, and others get theirs.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g, _, slow := open(t, driver)
		quick := g.Dial("/dev")
		quickID := g.Functions.Events("c")[1].RequestContext.ConnectionID
		data := make([]byte, 131072)
		Eventually(t, func() error {
			response, body := g.Do("POST", g.ConnectionURL(slow), data)
			kind := response.Header.Get("x-amzn-ErrorType")
			if response.StatusCode != http.StatusTooManyRequests || !strings.Contains(kind, "LimitExceededException") || body == "" {
				return fmt.Errorf("%d %s %q, want 429", response.StatusCode, kind, body)
			}
			return nil
		})
		for i := range 10 {
			g.Do("POST", g.ConnectionURL(quickID), fmt.Appendf(nil, "message %d", i))
			if got := quick.Receive(); got != fmt.Sprintf("message %d", i) {
				t.Fatalf("%q", got)
			}
		}
	})
}
