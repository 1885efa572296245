package conformance

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestSDKForJavaScript calls the management API over HTTP and TLS.
func TestSDKForJavaScript(t *testing.T) {
	t.Parallel()
	requireNode(t)
	d := start(t, copyApplication(t, "testdata/bare"))
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			sdk := run(t, []string{"NODE_EXTRA_CA_CERTS=" + authorityFile()},
				"node", "testdata/management/operations.mjs", scheme+"://"+d.address()+"/"+d.stage())
			testJavaScriptOperations(t, d, sdk)
			sdk.end()
		})
	}
}

// outcome is a line of operations.mjs.
type outcome struct {
	Status int
	Error  string
	Gone   bool
	Output struct {
		Identity     struct{ SourceIp, UserAgent string }
		ConnectedAt  string
		LastActiveAt string
	}
}

func testJavaScriptOperations(t *testing.T, d *dev, sdk *program) {
	call := func(operation string, input map[string]string) (o outcome) {
		t.Helper()
		request, _ := json.Marshal(map[string]any{"operation": operation, "input": input})
		sdk.say(string(request))
		if err := json.Unmarshal([]byte(sdk.hear()), &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	client := d.dial("")
	id := client.id

	if got := call("PostToConnection", map[string]string{"ConnectionId": id, "Data": "hello, wörld"}); got.Status != 200 {
		t.Errorf("PostToConnection: %+v", got)
	}
	if got := client.receive(); got != "hello, wörld" {
		t.Errorf("PostToConnection: the client received %q", got)
	}
	got := call("GetConnection", map[string]string{"ConnectionId": id})
	if got.Status != 200 || got.Output.Identity.SourceIp != "127.0.0.1" || got.Output.Identity.UserAgent != "conformance" ||
		got.Output.ConnectedAt == "" || got.Output.LastActiveAt == "" {
		t.Errorf("GetConnection: %+v", got)
	}
	large := strings.Repeat("x", maxPayload+1)
	if got := call("PostToConnection", map[string]string{"ConnectionId": id, "Data": large}); got.Status != 413 {
		t.Errorf("PostToConnection of %d bytes: %+v", len(large), got)
	}
	for _, malformed := range []string{"nonsense", "AAAAAAAAAAAAAAAAAA=="} {
		if got := call("GetConnection", map[string]string{"ConnectionId": malformed}); got.Status != 400 || got.Error != "BadRequestException" {
			t.Errorf("GetConnection of %s: %+v", malformed, got)
		}
	}
	if got := call("DeleteConnection", map[string]string{"ConnectionId": id}); got.Status != 204 {
		t.Errorf("DeleteConnection: %+v", got)
	}
	client.expectClose(1000, "Connection Closed Normally")
	d.await("disconnect", func(e event) bool { return e.ConnectionID == id })
	for _, operation := range []string{"PostToConnection", "GetConnection", "DeleteConnection"} {
		input := map[string]string{"ConnectionId": id}
		if operation == "PostToConnection" {
			input["Data"] = "late"
		}
		if got := call(operation, input); got.Status != 410 || got.Error != "GoneException" || !got.Gone {
			t.Errorf("%s on a closed connection: %+v", operation, got)
		}
	}
}
