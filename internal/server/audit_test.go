package server

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// Every change and every refusal on the admin port is one line, whatever the
// client writes into its request, and a secret is in none.
func TestServeAudit(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			admin := &key{"AKIAADMIN", "the admin's secret key"}
			s := newSite(t)
			s.configure(twoUsers + "log: {format: " + format + "}\n")
			s.write("admin", admin.secret)
			s.write("nobody", "nobody's very secret key")
			g := s.start(Config{})
			const forged = "x%0Atime=now%20level=INFO%20msg=%22control%20plane%22%20caller=root%0D%0A%7B%22msg%22:%22forged%22%7D"
			hostile, err := http.NewRequestWithContext(t.Context(), "DELETE", g.Admin+"/v2/apis/"+forged, nil)
			if err != nil {
				t.Fatal(err)
			}
			hostile.Header.Set("Authorization", `AWS4-HMAC-SHA256 Credential=AKIA"}{\/20260101/us-east-1/apigateway/aws4_request, SignedHeaders=host, Signature=00`)
			hostile.Header.Set("User-Agent", "\u2028{\"msg\":\"forged\"}")
			answer, err := gatewaytest.HTTPClient.Do(hostile)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			for _, c := range []struct {
				key          *key
				method, path string
				status       int
			}{
				{admin, "GET", "/v2/apis", 200}, // no line
				{nil, "GET", "/v2/apis", 403},
				{&key{admin.id, "not the admin's secret"}, "GET", "/v2/apis", 403},
				{admin, "DELETE", "/v2/apis/nothere", 404},
				{admin, "GET", "/stagedoor/backup", 403}, // its policy allows other things
				{admin, "DELETE", "/v2/apis/a%0Ab", 404},
			} {
				if status, body := call(t, gatewaytest.HTTPClient, c.key, "apigateway", c.method, g.Admin+c.path, ""); status != c.status {
					t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
				}
			}
			if err := g.stop(); err != nil {
				t.Fatal(err)
			}
			text := g.log.String()
			var audit []string
			for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
				line := lines.Text()
				if format == "json" {
					var fields struct{ Msg, Caller string }
					if err := json.Unmarshal([]byte(line), &fields); err != nil || fields.Msg == "forged" || fields.Caller == "root" {
						t.Errorf("the line %s: %v", line, err)
					}
				} else if !strings.HasPrefix(line, "time=20") {
					t.Errorf("the line %s", line)
				}
				if strings.Contains(line, "access refused") || strings.Contains(line, "control plane") && strings.Contains(line, "durationMs") {
					audit = append(audit, line)
				}
			}
			if len(audit) != 6 {
				t.Errorf("%d lines instead of 6:\n%s", len(audit), strings.Join(audit, "\n"))
			}
			if strings.Contains(text, admin.secret) || strings.Contains(text, "AWS4-HMAC") {
				t.Errorf("a secret, or what was signed:\n%s", text)
			}
		})
	}
}
