package conformance

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestWscat lets wscat connect with a header and a subprotocol, and talk.
func TestWscat(t *testing.T) {
	t.Parallel()
	requireNode(t)
	d := start(t, copyApplication(t, "testdata/echo"))

	// On pipes wscat sends what follows --execute, prints what arrives, and goes
	// on until its input ends.
	wscat := func(flags ...string) *program {
		args := append([]string{filepath.Join("node_modules", "wscat", "bin", "wscat"), "--connect", d.webSocketURL()}, flags...)
		return run(t, nil, "node", args...)
	}
	accepted := wscat("--header", "X-Token: open sesame", "--subprotocol", "chat.v2", "--execute", `{"hello":"wörld"}`, "--wait", "-1")
	if got := accepted.hear(); got != `{"hello":"wörld"}` {
		t.Errorf("wscat printed %q", got)
	}
	d.await("connect", func(e event) bool { return e.Status == 101 })
	d.await("message", func(e event) bool { return e.RouteKey == "$default" })
	accepted.end()
	d.await("disconnect", nil)

	refused := wscat("--execute", "nothing")
	if refused.out.Scan() {
		t.Errorf("wscat without the header printed %q", refused.out.Text())
	}
	if err := refused.cmd.Wait(); err == nil || !strings.Contains(refused.stderr.String(), "401") {
		t.Errorf("wscat without the header: %v %s", err, refused.stderr.String())
	}
	d.await("connect", func(e event) bool { return e.Status == 401 })
}
