package server

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/terminal"
)

// guarded writes two APIs into the data, that of fill and one with AWS_IAM, and a
// domain for each. Its keys are those of the matrix.
func (s *site) guarded() {
	s.t.Helper()
	s.fill(echo(s.t))
	s.change(func(c *store.Configuration) error {
		ctx := s.t.Context()
		api := &apigw.API{
			ApiId: "signed1234", Name: "signed", ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action",
			Routes: []*apigw.Route{{RouteId: "r1", RouteKey: "$connect", AuthorizationType: "AWS_IAM"}},
		}
		_, errAPI := c.APIs.Put(ctx, api, 0)
		_, errDeployment := c.Deployments.Put(ctx, &apigw.Deployment{DeploymentId: "d1", API: api}, 0)
		_, errStage := c.Stages.Put(ctx, &apigw.Stage{ApiId: api.ApiId, StageName: "signed", DeploymentId: "d1"}, 0)
		failures := []error{errAPI, errDeployment, errStage}
		for name, mapping := range map[string]*apigw.ApiMapping{
			"one.example": {ApiMappingId: "m1", ApiId: "testapi123", Stage: "prod"},
			"two.example": {ApiMappingId: "m2", ApiId: "signed1234", Stage: "signed"},
		} {
			_, err := c.DomainNames.Put(ctx, &apigw.DomainName{DomainName: name, ApiMappings: []*apigw.ApiMapping{mapping}}, 0)
			failures = append(failures, err)
		}
		return errors.Join(failures...)
	})
	s.write("secret", matrixSecret)
	s.configure(matrixKeys + "log: {events: all}\n")
}

// everything is how the user who may do everything signs for execute-api.
func everything() signing {
	return signing{key: "ALLOW", secret: matrixSecret, service: "execute-api", at: time.Now()}
}

// A URL that was presigned can be used until it ends, and then no more; and for
// nothing else than what it was signed for.
func TestServeReplay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guarded()
	g := s.start(Config{})
	earlier := everything()
	earlier.at = time.Now().Add(-10 * time.Minute)
	for life, want := range map[string]int{"3600": 101, "599": 403, "604801": 403, "0": 403, "-1": 403, "x": 403} {
		how := earlier
		how.life = life
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.Public[0]+"/signed", nil)
		if err != nil {
			t.Fatal(err)
		}
		how.sign(t, r, "")
		for range 2 { // that it was used already changes nothing
			if status, _, text := (signing{}).send(t, "GET", r.URL.String(), "", upgradeLines...); status != want {
				t.Errorf("for %s seconds: %d %s, want %d", life, status, text, want)
			}
		}
		if want == 403 {
			continue
		}
		stolen := r.URL.String()
		for name, address := range map[string]string{
			"a parameter more":   stolen + "&x=y",
			"a longer life":      strings.Replace(stolen, "Expires=3600", "Expires=36000", 1),
			"another key":        strings.Replace(stolen, "ALLOW", "ALLOX", 1),
			"another host":       strings.Replace(stolen, "127.0.0.1", "localhost", 1),
			"another path":       strings.Replace(stolen, "/signed", "/_aws/execute-api/signed1234/signed", 1),
			"twice":              stolen + "&X-Amz-Expires=3600",
			"without its end":    strings.Replace(stolen, "X-Amz-Expires=3600&", "", 1),
			"in another casing":  strings.Replace(stolen, "X-Amz-Expires", "x-amz-expires", 1),
			"an empty signature": stolen[:strings.Index(stolen, "X-Amz-Signature=")+len("X-Amz-Signature=")],
		} {
			if status, _, text := (signing{}).send(t, "GET", address, "", upgradeLines...); status < 400 {
				t.Errorf("%s: %d %s", name, status, text)
			}
		}
	}
}

// A connection belongs to its API, by whatever name the request calls the API:
// for another it is gone, even to somebody who may do everything.
func TestServeForeignConnection(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guarded()
	g := s.start(Config{})
	conn := g.dial()
	var id string
	gatewaytest.Eventually(t, func() error {
		found := regexp.MustCompile(`msg=connect .*connectionId="([^"]+)"`).FindStringSubmatch(g.log.String())
		if found == nil {
			return errors.New("the connection is not in the log")
		}
		id = strings.ReplaceAll(found[1], "=", "%3D")
		return nil
	})
	tests := []struct {
		host, path string
		want       int
	}{
		{"", "/prod", 200},
		{"", "/_aws/execute-api/testapi123/prod", 200},
		{"testapi123.execute-api.us-east-1.amazonaws.com", "/prod", 200},
		{"one.example", "", 200},
		{"", "/signed", 410},
		{"", "/_aws/execute-api/signed1234/signed", 410},
		{"signed1234.execute-api.us-east-1.amazonaws.com", "/signed", 410},
		{"two.example", "", 410},
		{"signed1234.execute-api.us-east-1.amazonaws.com", "/prod", 403},
		{"signed1234.execute-api.us-east-1.amazonaws.com", "/_aws/execute-api/testapi123/prod", 403},
		{"two.example", "/prod", 403},
		{"two.example", "/_aws/execute-api/testapi123/prod", 403},
		{"testapi123.execute-api.us-east-1.amazonaws.com.two.example", "/signed", 403},
	}
	for _, tt := range tests {
		for _, method := range []string{"GET", "POST"} {
			status, _, text := everything().send(t, method, g.Public[0]+tt.path+"/@connections/"+id, "", "Host", tt.host)
			if status != tt.want {
				t.Errorf("%s by %q%s: %d %s, want %d", method, tt.host, tt.path, status, text, tt.want)
			}
		}
		if tt.want == 200 {
			continue
		}
		if status, _, text := everything().send(t, "DELETE", g.Public[0]+tt.path+"/@connections/"+id, "", "Host", tt.host); status != tt.want {
			t.Errorf("DELETE by %q%s: %d %s, want %d", tt.host, tt.path, status, text, tt.want)
		}
	}
	// What was signed for one host is not for another.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.Public[0]+"/@connections/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "two.example"
	everything().sign(t, r, "")
	r.Host = "one.example"
	answer, err := gatewaytest.HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("signed for another host: %d", answer.StatusCode)
	}
	for range 4 { // the four posts, which were empty
		if _, text, err := conn.Read(t.Context()); err != nil || len(text) != 0 {
			t.Fatalf("%q, %v", text, err)
		}
	}
	if got := gatewaytest.Ask(t, conn, "still here"); got != "still here" {
		t.Errorf("received %q", got)
	}
}

// What clients write into their requests, messages and farewells stays a value
// of its line in the log, and drives no terminal.
func TestServeHostileLog(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.guarded()
			s.configure(matrixKeys + "log: {events: all, format: " + format + "}\n")
			g := s.start(Config{})
			const (
				written = "\u009b2J\u202e\",\"msg\":\"forged\",\"x\":\"" // what may be in a header
				forged  = "\r\ntime=now level=INFO msg=forged\n{\"msg\":\"forged\"}\x1b[2J\x7f\x00" + written
			)
			hostile := append([]string{
				"User-Agent", written, "Origin", written, "X-Forwarded-For", written, "X-Amzn-Trace-Id", written, "X-Api-Key", written,
				"Sec-WebSocket-Protocol", "forged", "Authorization", "AWS4-HMAC-SHA256 Credential=" + written + "/x, SignedHeaders=host, Signature=0", "X-Amz-Date", written,
			}, upgradeLines...)
			escaped := url.QueryEscape(forged)
			for path, want := range map[string]int{
				"/signed": 403, "/signed?x=" + escaped: 403, "/prod": 101, "/" + escaped: 403, "/prod/@connections/" + escaped: 400,
				"/signed?X-Amz-Algorithm=" + escaped + "&X-Amz-Credential=" + escaped:                                                   403,
				"/signed/@connections/" + strings.ReplaceAll(connections.NewID(1).String(), "=", "%3D") + "?X-Amz-Algorithm=" + escaped: 403,
			} {
				if status, _, text := (signing{}).send(t, "GET", g.Public[0]+path, "", hostile...); status != want {
					t.Errorf("%s: %d %s, want %d", path, status, text, want)
				}
			}
			conn := g.dial()
			message, err := json.Marshal(map[string]string{"action": forged})
			if err != nil {
				t.Fatal(err)
			}
			if got := gatewaytest.Ask(t, conn, string(message)); got != string(message) {
				t.Errorf("received %q", got)
			}
			if err := conn.Close(websocket.StatusCode(4000), forged); err != nil {
				t.Fatal(err)
			}
			g.logged("4000")
			if err := g.stop(); err != nil {
				t.Fatal(err)
			}
			for lines := bufio.NewScanner(strings.NewReader(g.log.String())); lines.Scan(); {
				line := lines.Text()
				var fields struct{ Msg string }
				switch {
				case strings.ContainsFunc(line, terminal.IsControl):
					t.Errorf("the line drives a terminal: %q", line)
				case format == "json" && (json.Unmarshal([]byte(line), &fields) != nil || fields.Msg == "forged"):
					t.Errorf("the line %s", line)
				case format == "text" && (!strings.HasPrefix(line, "time=20") || strings.Contains(line, " msg=forged") && !strings.Contains(line, `="`)):
					t.Errorf("the line %s", line)
				}
			}
		})
	}
}

// However fast a client sends, no more gets through than the rate and the burst
// allow for the time that it took; and what was allowed does get through.
func TestServeRate(t *testing.T) {
	t.Parallel()
	const rate, burst = 100, 20
	s := newSite(t)
	s.fill(echo(t))
	s.configure("limits: {requests: 100/20}\n")
	g := s.start(Config{Open: true})
	began := time.Now()
	conn := g.dial()
	passed, refused := 1, 0 // the handshake counts
	for passed < burst+rate {
		if got := gatewaytest.Ask(t, conn, `"x"`); got == `"x"` {
			passed++
		} else if refused++; !strings.Contains(got, `"Too Many Requests"`) {
			t.Fatalf("received %s", got)
		}
	}
	if most := burst + rate*time.Since(began).Seconds(); float64(passed) > most+1 || refused == 0 {
		t.Errorf("%d passed and %d were refused, where at most %.0f may pass", passed, refused, most)
	}
}

// Nothing of a body is read for somebody whom the gateway doesn't know, and a
// path that is not clean leads nowhere.
func TestServeStrangers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guarded()
	g := s.start(Config{})
	gone := strings.ReplaceAll(connections.NewID(1).String(), "=", "%3D")
	for _, tt := range []struct{ name, path, authorization string }{
		{"a message, unsigned", g.Public[0] + "/prod/@connections/" + gone, ""},
		{"a message, by an unknown key", g.Public[0] + "/prod/@connections/" + gone, "AKIAUNKNOWN"},
		{"unsigned", "/v2/apis", ""},
		{"an unknown key", "/v2/apis", "AKIAUNKNOWN"},
		{"an expired key", "/v2/apis", "ALLOW-EXPIRED"},
		{"a new access key", "/stagedoor/credentials", "AKIAUNKNOWN"},
		{"a path with dots", "/stagedoor/../stagedoor/credentials", ""},
		{"a path with dots to elsewhere", "/stagedoor/../v2/apis", ""},
		{"a path with slashes", "/stagedoor//backup", ""},
	} {
		u, err := url.Parse(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		service, address := "execute-api", u.Host
		if address == "" {
			service, address = "apigateway", strings.TrimPrefix(g.Admin, "http://")
		}
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(gatewaytest.Timeout))
		now := time.Now().UTC()
		line := ""
		if tt.authorization != "" {
			line = "X-Amz-Date: " + now.Format("20060102T150405Z") + "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" + tt.authorization + "/" +
				now.Format("20060102") + "/us-east-1/" + service + "/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n"
		}
		if _, err := io.WriteString(conn, "POST "+u.RequestURI()+" HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n"+line+"\r\n{"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil) // though the body never comes
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", tt.name, answer.Status)
		}
		_ = conn.Close()
	}
}
