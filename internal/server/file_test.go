package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// saying is a backend that answers every event with a text and what its header
// says of it.
func saying(t *testing.T, text string) string {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", text, r.Header.Get("X-Stagedoor-Event"), r.Header.Get("X-Route-Key"), body)
	}))
	t.Cleanup(backend.Close)
	return backend.URL
}

// dialStage opens a connection to a stage by its path.
func (g *served) dialStage(path string) (*websocket.Conn, error) {
	conn, answer, err := websocket.Dial(g.t.Context(), strings.Replace(g.Public[0], "http", "ws", 1)+path, &websocket.DialOptions{HTTPClient: gatewaytest.HTTPClient})
	if err != nil {
		status := 0
		if answer != nil {
			status = answer.StatusCode
		}
		return nil, fmt.Errorf("%s: %d: %w", path, status, err)
	}
	g.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn, nil
}

// listed are the ids of a gateway's APIs by their names, and those that are shown
// as kept in step by the file.
func (g *served) listed() (ids map[string]string, managed map[string]bool) {
	g.t.Helper()
	status, body := call(g.t, gatewaytest.HTTPClient, nil, "", "GET", g.Admin+"/v2/apis", "")
	var list struct {
		Items []struct {
			Name, APIID string
			Tags        map[string]string
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 {
		g.t.Fatalf("%v: %d %s", err, status, body)
	}
	ids, managed = map[string]string{}, map[string]bool{}
	for _, a := range list.Items {
		if ids[a.Name] != "" {
			g.t.Errorf("two APIs %s: %s", a.Name, body)
		}
		ids[a.Name], managed[a.Name] = a.APIID, a.Tags["stagedoor:managed-by"] == "file"
	}
	return ids, managed
}

// reloads has the configuration read again, and waits until it was.
func (g *served) reloads() {
	g.t.Helper()
	before := strings.Count(g.log.String(), "was read again") + strings.Count(g.log.String(), "was not taken; what ran before")
	g.reload <- struct{}{}
	gatewaytest.Eventually(g.t, func() error {
		if strings.Count(g.log.String(), "was read again")+strings.Count(g.log.String(), "was not taken; what ran before") == before {
			return fmt.Errorf("the configuration was not read again; the log:\n%s", &g.log)
		}
		return nil
	})
}

// The APIs of the configuration are served from the first moment, shown as the
// file's in the control plane, which refuses to change them, and follow the file.
func TestServeFile(t *testing.T) {
	t.Parallel()
	one, two := saying(t, "one"), saying(t, "two")
	s := newSite(t)
	s.configure("apis:\n  chat:\n    routes:\n      $connect: " + one + "\n      say: {url: " + one + ", timeout: 5s}\n      $default: " + one + "\n")
	g := s.start(Config{Open: true})
	conn, err := g.dialStage("/dev")
	if err != nil {
		t.Fatalf("%v; the log:\n%s", err, &g.log)
	}
	if got := gatewaytest.Ask(t, conn, `{"action":"say"}`); got != `one message say {"action":"say"}` {
		t.Errorf("got %q", got)
	}
	if got := gatewaytest.Ask(t, conn, "hello"); got != "one message $default hello" {
		t.Errorf("got %q", got)
	}
	ids, managed := g.listed()
	if !managed["chat"] || len(ids) != 1 {
		t.Errorf("listed %v %v", ids, managed)
	}

	// Nobody else changes it.
	api := g.Admin + "/v2/apis/" + ids["chat"]
	arn := "arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapis%2F" + ids["chat"]
	for _, tt := range []struct{ method, url, body string }{
		{"PATCH", api, `{"description":"x"}`},
		{"POST", api + "/routes", `{"routeKey":"other"}`},
		{"PATCH", api + "/stages/dev", `{"description":"x"}`},
		{"DELETE", api + "/stages/dev", ""},
		{"POST", g.Admin + "/v2/tags/" + arn, `{"tags":{"stagedoor:managed-by":"me"}}`},
		{"DELETE", g.Admin + "/v2/tags/" + arn + "?tagKeys=stagedoor%3Amanaged-by", ""},
		{"POST", g.Admin + "/v2/tags/" + arn + "%2Fstages%2Fdev", `{"tags":{"a":"b"}}`},
		{"DELETE", api, ""},
	} {
		status, body := call(t, gatewaytest.HTTPClient, nil, "", tt.method, tt.url, tt.body)
		if status != http.StatusConflict || !strings.Contains(body, "The API chat is kept in step by apis in the gateway's configuration, "+s.dir+"/stagedoor.yaml: change it there") {
			t.Errorf("%s %s: %d %s", tt.method, tt.url, status, body)
		}
	}
	if status, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", api+"/routes", ""); status != 200 {
		t.Errorf("reading: %d %s", status, body)
	}
	const other = `{"name":"other","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`
	if status, body := call(t, gatewaytest.HTTPClient, nil, "", "POST", g.Admin+"/v2/apis", other); status != 201 {
		t.Errorf("another API: %d %s", status, body)
	}

	// A change is in effect after a reload, on the connection that is open.
	s.configure("apis:\n  chat:\n    routes:\n      say: " + two + "\n      $default: " + two + "\n  more:\n    stage: live\n    routes: {$default: " + one + "}\n")
	g.reloads()
	if got := gatewaytest.Ask(t, conn, `{"action":"say"}`); got != `two message say {"action":"say"}` {
		t.Errorf("after a change: %q; the log:\n%s", got, &g.log)
	}
	if _, err := g.dialStage("/live"); err != nil {
		t.Errorf("a second API: %v", err)
	}
	now, _ := g.listed()
	if now["chat"] != ids["chat"] || len(now) != 3 {
		t.Errorf("listed %v, before %v", now, ids)
	}

	// A mistake changes nothing, wherever it is found.
	for _, mistake := range []string{
		"apis:\n  chat: {routes: {$default: nowhere}}\n",
		"apis:\n  chat: {routes: {$default: {function: ./absent, runtime: nodejs20.x}}}\n",
		"apis:\n  chat: {routes: {audit: {nats: events/audit.{message}}}}\n",
	} {
		before := g.log.String()
		s.configure(mistake)
		g.reloads()
		if said := strings.TrimPrefix(g.log.String(), before); !strings.Contains(said, "the configuration was not taken") || !strings.Contains(said, "stagedoor.yaml:") {
			t.Errorf("%s: the log says %s", mistake, said)
		}
		if got := gatewaytest.Ask(t, conn, `{"action":"say"}`); got != `two message say {"action":"say"}` {
			t.Errorf("after %s: %q", mistake, got)
		}
	}

	// What is not in the file any more goes; what others made stays.
	s.configure("apis: {more: {stage: live, routes: {$default: " + one + "}}}\n")
	g.reloads()
	if now, _ := g.listed(); now["chat"] != "" || now["more"] == "" || now["other"] == "" {
		t.Errorf("listed %v", now)
	}
	s.configure("")
	g.reloads()
	if now, _ := g.listed(); len(now) != 1 || now["other"] == "" {
		t.Errorf("without apis: %v", now)
	}
}

// The id of an API comes from its name: it is the same in another store. A start
// with what is there already changes nothing, and a start without apis neither.
func TestServeFileStarts(t *testing.T) {
	t.Parallel()
	backend := saying(t, "one")
	text := "apis: {chat: {routes: {$default: " + backend + "}}}\n"
	var first map[string]string
	for i := range 2 {
		s := newSite(t)
		s.configure(text)
		g := s.start(Config{Open: true})
		ids, _ := g.listed()
		if i == 0 {
			first = ids
		}
		if ids["chat"] == "" || ids["chat"] != first["chat"] {
			t.Errorf("listed %v, in another store %v", ids, first)
		}
		if err := g.stop(); err != nil {
			t.Fatal(err)
		}
		g = s.start(Config{Open: true})
		if strings.Contains(g.log.String(), "apis of the configuration") {
			t.Errorf("the second start changed something:\n%s", &g.log)
		}
		if err := g.stop(); err != nil {
			t.Fatal(err)
		}
		s.configure("")
		g = s.start(Config{Open: true})
		ids, managed := g.listed()
		if ids["chat"] != first["chat"] || !managed["chat"] {
			t.Errorf("without apis: %v %v", ids, managed)
		}
		// Nobody keeps it in step now: it is everybody's.
		if status, body := call(t, gatewaytest.HTTPClient, nil, "", "DELETE", g.Admin+"/v2/apis/"+ids["chat"], ""); status != 204 {
			t.Errorf("deleting: %d %s", status, body)
		}
	}
	s := newSite(t)
	s.configure("apis:\n  chat: {routes: {$default: {function: ./absent, runtime: nodejs20.x}}}\n")
	if err := s.begin(Config{}).wait(); err == nil || !strings.Contains(err.Error(), "stagedoor.yaml:3: apis.chat.routes.$default: ") {
		t.Errorf("a start with a mistake: %v", err)
	}
}

// Gateways with one file and one store make its APIs once, whoever is first, and
// all serve them.
func TestServeFileOnSeveralNodes(t *testing.T) {
	t.Parallel()
	n := startNATS(t)
	one, two := saying(t, "one"), saying(t, "two")
	configuration := func(url string) string {
		return "nats: {url: \"" + n.running.ClientURL() + "\"}\napis: {chat: {routes: {$connect: " + url + ", a: " + url + ", b: " + url + ", $default: " + url + "}}}\n"
	}
	sites := []*site{newSite(t), newSite(t), newSite(t)}
	nodes := make([]*served, len(sites))
	for i, s := range sites {
		s.configure(configuration(one))
		nodes[i] = s.begin(Config{Open: true})
	}
	changes := 0
	for i, g := range nodes {
		g.await()
		changes += strings.Count(g.log.String(), `change="create Api`)
		conn, err := g.dialStage("/dev")
		if err != nil {
			t.Fatalf("node %d: %v; its log:\n%s", i, err, &g.log)
		}
		if got := gatewaytest.Ask(t, conn, `{"action":"b"}`); got != `one message b {"action":"b"}` {
			t.Errorf("node %d: %q", i, got)
		}
		if strings.Contains(g.log.String(), "not in effect") {
			t.Errorf("node %d:\n%s", i, &g.log)
		}
	}
	if changes != 1 {
		t.Errorf("the API was made %d times", changes)
	}
	var reloading sync.WaitGroup
	for i, s := range sites {
		s.configure(configuration(two))
		reloading.Go(func() { nodes[i].reload <- struct{}{} })
	}
	reloading.Wait()
	for i, g := range nodes {
		g.logged("was read again")
		if strings.Contains(g.log.String(), "not in effect") {
			t.Errorf("node %d:\n%s", i, &g.log)
		}
		gatewaytest.Eventually(t, func() error {
			conn, err := g.dialStage("/dev")
			if err != nil {
				return err
			}
			defer conn.CloseNow()
			if got := gatewaytest.Ask(t, conn, `{"action":"b"}`); got != `two message b {"action":"b"}` {
				return fmt.Errorf("node %d: %q", i, got)
			}
			return nil
		})
	}
	if ids, _ := nodes[0].listed(); len(ids) != 1 {
		t.Errorf("listed %v", ids)
	}
}
