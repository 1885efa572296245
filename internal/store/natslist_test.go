package store

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// A listing holds every record that is there from its beginning to its end, also
// where others are written again meanwhile, and new ones come.
func TestListWhileWritten(t *testing.T) {
	t.Parallel()
	url := startServer(t, &server.Options{JetStream: true, StoreDir: t.TempDir()}).ClientURL()
	n := open(t, Options{URL: url})
	const all, writers = 2000, 4
	key := func(i int) string { return Key("api", fmt.Sprintf("a%d", i)) }
	var running sync.WaitGroup
	for w := range writers {
		running.Go(func() {
			for i := w; i < all; i += writers {
				mustPut(t, n, key(i), "1", 0)
			}
		})
	}
	running.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for w := range writers {
		running.Go(func() {
			for i := w; ctx.Err() == nil; i += writers {
				_, _ = n.Put(ctx, Key("api", fmt.Sprintf("new%d", i)), []byte("1"), 0)
				again := key(i * 7919 % all) // a prime: another one each time, from all over the listing
				if r, err := n.Get(ctx, again); err == nil {
					_, _ = n.Put(ctx, again, []byte("2"), r.Revision)
				}
			}
		})
	}
	for range 20 {
		listed, err := n.Keys(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		found := make(map[string]bool, len(listed))
		for _, r := range listed {
			found[r.Key] = true
		}
		for i := range all {
			if !found[key(i)] {
				t.Fatalf("%s is missing, of %d that are listed", key(i), len(listed))
			}
		}
	}
	cancel()
	running.Wait()
}
