package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// The documentation's configuration of a NATS server allows what a Store does.
func TestDocumentedServer(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "self-host.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```\nlisten: 0.0.0.0:4222\n")
	text, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("the page has no configuration of a server")
	}
	text = strings.Replace(text, "/var/lib/nats", t.TempDir(), 1)
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !options.SyncAlways || options.MaxPayload != 8<<20 {
		t.Errorf("sync %v, payload %d", options.SyncAlways, options.MaxPayload)
	}
	url := startServer(t, options).ClientURL()
	n := open(t, Options{URL: url, User: "stagedoor", Password: "change-me"})
	for _, test := range []func(*testing.T, Store){testWatchPrefixes, testWrites, testLists} {
		test(t, n)
		if _, err := Restore(t.Context(), n, strings.NewReader(backup(t, NewMemory())), true); err != nil { // empties it
			t.Fatal(err)
		}
	}
	another := open(t, Options{URL: url, User: "stagedoor", Password: "change-me", Replicas: 1})
	_, err = another.Get(t.Context(), "api.none")
	wantErr(t, err, ErrNotFound)
}
