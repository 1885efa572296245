package store

import (
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// A store that answers and refused a write counts as gone until one succeeds;
// reading alone proves nothing.
func TestCheckNotesRefusedWrites(t *testing.T) {
	t.Parallel()
	s := startServer(t, &server.Options{StoreDir: t.TempDir(), JetStreamMaxStore: 64 << 10})
	n := open(t, Options{URL: s.ClientURL()})
	if err := n.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 1<<10) // cannot be packed
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		_, _ = rand.Read(noise)
		_, err = n.Put(t.Context(), Key("api", fmt.Sprint(i)), noise, 0)
	}
	wantErr(t, err, ErrUnavailable)
	for err == nil || n.tryWrite(t.Context()) == nil { // what is left of the space
		_, err = n.Put(t.Context(), "api.last", noise[:1], 0)
	}
	wantErr(t, n.Check(t.Context()), ErrUnavailable)
	wantErrText(t, n.Check(t.Context()), "it takes no writes")
	if _, err := n.Get(t.Context(), "api.0"); err != nil {
		t.Errorf("what is there cannot be read: %v", err)
	}
	stream, err := n.jetstream.Stream(t.Context(), streamName(defaultBucket))
	if err == nil {
		err = stream.Purge(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return n.Check(t.Context()) })
	if records, err := n.List(t.Context(), ""); err != nil || len(records) != 0 {
		t.Errorf("the checks left %v, %v", records, err)
	}
}
