package conformance

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestApplicationsForAWS runs applications that know nothing of this gateway:
// their functions call DynamoDB without an endpoint, and the management API at
// the API's AWS host name and at the host that the client used.
func TestApplicationsForAWS(t *testing.T) {
	applications := map[string]func(*testing.T){
		"board-modules":  requireNPM,
		"board-commonjs": requireNPM,
		"board-python":   requireBoto3,
	}
	for folder, require := range applications {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			require(t)
			t.Run("broadcast", func(t *testing.T) { testBroadcast(t, "testdata/"+folder) })
			t.Run("stale connection", func(t *testing.T) { testStaleConnection(t, "testdata/"+folder) })
		})
	}
}

func testBroadcast(t *testing.T, folder string) {
	d := start(t, copyApplication(t, folder))
	ada, bob := d.dial("?name=Ada"), d.dial("?name=Bob")

	ada.send(`{"action":"publish","text":"grüezi"}`)
	for _, reader := range []*client{ada, bob} {
		reader.expect(`{"from":"Ada","text":"grüezi"}`)
	}
	ada.expect(`{"delivered":2,"removed":0}`) // the route response comes last

	bob.send(`{"action":"publish","text":"hello"}`)
	for _, reader := range []*client{bob, ada} {
		reader.expect(`{"from":"Bob","text":"hello"}`)
	}

	bob.close()
	ada.expect(`{"left":"Bob"}`)
}

// testStaleConnection runs the application without $disconnect, so that it
// finds out by a 410 that a connection is gone.
func testStaleConnection(t *testing.T, folder string) {
	d := start(t, copyApplication(t, folder), "--parameter", "LosesDisconnects=yes")
	ada, bob := d.dial("?name=Ada"), d.dial("?name=Bob")
	if err := bob.Close(websocket.StatusGoingAway, ""); err != nil {
		t.Fatal(err)
	}
	d.await("disconnect", func(e event) bool { return e.ConnectionID == bob.id && e.Status == 1001 })

	for _, counts := range []string{`{"delivered":1,"removed":1}`, `{"delivered":1,"removed":0}`} {
		ada.send(`{"action":"publish","text":"anybody?"}`)
		ada.expect(`{"from":"Ada","text":"anybody?"}`)
		ada.expect(counts)
	}
	d.await("push", func(e event) bool { return e.ConnectionID == bob.id && e.Status == http.StatusGone })
}

// requireNPM skips the test where the SDK can't be had: the gateway installs
// it with npm, as a user's would.
func requireNPM(t *testing.T) {
	t.Helper()
	requireCommand(t, "node")
	requireCommand(t, "npm")
	if err := askRegistry(); err != nil {
		t.Skipf("npm reaches no registry: %v", err)
	}
}

// askRegistry asks npm's registry for anything.
var askRegistry = sync.OnceValue(func() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, "npm", "view", "@aws-sdk/client-dynamodb", "version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
})

// requireBoto3 skips the test where no Python has boto3, so that the test
// doesn't depend on PyPI.
func requireBoto3(t *testing.T) {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import boto3").Run() == nil {
			return
		}
	}
	t.Skip("no Python has boto3: apt-get install python3-boto3")
}
