package server

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// Access logs that are set while the gateway runs are in the file that the configuration
// has for their destination, from the next event on.
func TestServeAccessLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	file := filepath.Join(s.dir, "chat.log")
	s.configure("logs: {access: [{destination: \"arn:aws:logs:*:*:log-group:chat*\", file: " + file + "}]}\n")
	g := s.start(Config{Open: true})
	admin := func(method, path, body string) {
		t.Helper()
		if status, text := call(t, gatewaytest.HTTPClient, nil, "", method, g.Admin+path, body); status != 200 {
			t.Fatalf("%s %s: %d %s", method, path, status, text)
		}
	}
	admin("PATCH", "/account", `{"patchOperations":[{"op":"replace","path":"/cloudwatchRoleArn","value":"arn:aws:iam::123456789012:role/logs"}]}`)
	conn := g.dial()
	if got := gatewaytest.Ask(t, conn, "unlogged"); got != "unlogged" {
		t.Fatalf("answered %q", got)
	}
	admin("PATCH", "/v2/apis/testapi123/stages/prod",
		`{"accessLogSettings":{"destinationArn":"arn:aws:logs:us-east-1:123456789012:log-group:chat-prod","format":"$context.eventType\n$context.routeKey $context.status $context.requestId"}}`)
	line := regexp.MustCompile(`^(MESSAGE \$default 200 [A-Za-z0-9_-]{15}=\n)+$`)
	gatewaytest.Eventually(t, func() error {
		_ = gatewaytest.Ask(t, conn, "logged") // the first may find the plan of before
		text, err := os.ReadFile(file)
		if err == nil && !line.Match(text) {
			err = errors.New(string(text))
		}
		return err
	})
}
