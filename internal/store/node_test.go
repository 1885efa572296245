package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// nodesOf are two stores of one server, as two gateways have them.
func nodesOf(t *testing.T) (one, two *NATS) {
	t.Helper()
	url := startServer(t, &server.Options{JetStream: true, StoreDir: t.TempDir()}).ClientURL()
	return open(t, Options{URL: url}), open(t, Options{URL: url})
}

// claimed claims a number that has to be free.
func claimed(t *testing.T, n *NATS, c NodeClaim) *NodeLease {
	t.Helper()
	l, err := n.ClaimNode(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if l.cancel(); n.closing.Err() == nil {
			l.Release()
		}
	})
	return l
}

// plant writes a record for a number, as a gateway left it that is gone, and gives
// what overwrites it.
func plant(t *testing.T, l *NodeLease, key string, holder Node) (again func()) {
	t.Helper()
	write := func() {
		text, err := json.Marshal(holder)
		if err == nil {
			_, err = l.bucket.Put(t.Context(), key, text)
		}
		if err != nil {
			t.Error(err)
		}
	}
	write()
	return write
}

// A number is one gateway's, and the next one's when that lets it go.
func TestNodeNumbers(t *testing.T) {
	t.Parallel()
	one, two := nodesOf(t)
	waited := make(chan Node, 1)
	claim := NodeClaim{Number: 7, lease: time.Second, Waiting: func(h Node) { waited <- h }}
	first := claimed(t, one, claim)
	other := claimed(t, two, NodeClaim{Number: 8})
	if first.Number != 7 || other.Number != 8 || first.own.Epoch != 1 {
		t.Errorf("%+v %+v", first, other)
	}
	_, err := two.ClaimNode(t.Context(), claim)
	var inUse *NodeInUseError
	host, _ := os.Hostname()
	if !errors.As(err, &inUse) || inUse.Number != 7 || inUse.Holder.Name != host || inUse.Holder.PID != os.Getpid() {
		t.Fatalf("a number in use: %v", err)
	}
	if want := "node number 7 is in use by the gateway on " + host + " (process "; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("said %q", err)
	}
	if h := <-waited; h.Instance != first.own.Instance {
		t.Errorf("waited for %+v", h)
	}
	first.Release()
	next := claimed(t, two, NodeClaim{Number: 7, Waiting: func(h Node) { t.Errorf("waited for %+v", h) }})
	if next.Number != 7 {
		t.Errorf("%+v", next)
	}
}

// A number whose last renewal was written without an answer is freed as well.
func TestNodeReleasedDuringRenewal(t *testing.T) {
	t.Parallel()
	one, two := nodesOf(t)
	first := claimed(t, one, NodeClaim{Number: 7, lease: time.Hour})
	plant(t, first, "n.7", first.own)
	first.Release()
	claimed(t, two, NodeClaim{Number: 7, Waiting: func(h Node) { t.Errorf("waited for %+v", h) }})
}

// Gateways without a configured number never have the same.
func TestNodeAuto(t *testing.T) {
	t.Parallel()
	one, two := nodesOf(t)
	seen := map[int]bool{}
	for i := range 20 {
		n := one
		if i%2 > 0 {
			n = two
		}
		l := claimed(t, n, NodeClaim{Number: NodeAuto})
		if seen[l.Number] || l.Number < 0 || l.Number > highestNode {
			t.Errorf("number %d", l.Number)
		}
		seen[l.Number] = true
	}
}

// A holder that was a process of this machine and ended is not waited for; one of
// another machine is, until its lease is over; one that lives is not robbed,
// whatever its clock says.
func TestNodeTakeover(t *testing.T) {
	t.Parallel()
	one, two := nodesOf(t)
	bucket := claimed(t, one, NodeClaim{Number: 1})
	ended := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	machine, started := processOf(os.Getpid())
	foreign := Node{Version: 1, Instance: "x", Epoch: 4, Name: "elsewhere", PID: 1, Machine: "another boot", Started: "1"}
	if machine != "" {
		for name, holder := range map[string]Node{
			"a process that ended":               {Version: 1, Instance: "x", Epoch: 4, Name: "here", PID: ended.Process.Pid, Machine: machine, Started: started},
			"a process whose id another has now": {Version: 1, Instance: "x", Epoch: 4, Name: "here", PID: os.Getpid(), Machine: machine, Started: "1"},
		} {
			plant(t, bucket, "n.2", holder)
			l := claimed(t, two, NodeClaim{Number: 2, lease: time.Hour, Waiting: func(Node) { t.Errorf("%s is waited for", name) }})
			if l.own.Epoch != 5 {
				t.Errorf("%s: epoch %d", name, l.own.Epoch)
			}
			l.Release()
		}
	}
	plant(t, bucket, "n.3", foreign)
	var waits atomic.Int32
	began := time.Now()
	l := claimed(t, two, NodeClaim{Number: 3, lease: 300 * time.Millisecond, Waiting: func(Node) { waits.Add(1) }})
	if took := time.Since(began); took < 400*time.Millisecond || waits.Load() != 1 || l.own.Epoch != 5 {
		t.Errorf("taken after %s, with %d waits, epoch %d", took, waits.Load(), l.own.Epoch)
	}

	again := plant(t, bucket, "n.4", foreign)
	_, err := two.ClaimNode(t.Context(), NodeClaim{Number: 4, lease: time.Minute, Waiting: func(Node) { again() }})
	var inUse *NodeInUseError
	if !errors.As(err, &inUse) || inUse.Holder.Name != "elsewhere" {
		t.Errorf("a holder that lives: %v", err)
	}
	if _, err := bucket.bucket.Put(t.Context(), "n.5", []byte("{")); err != nil {
		t.Fatal(err)
	}
	claimed(t, two, NodeClaim{Number: 5, lease: 100 * time.Millisecond}) // what cannot be read expires as well
}

// A gateway whose number was taken says so once, leaves it to the taker, and has
// it back when that is gone.
func TestNodeLost(t *testing.T) {
	t.Parallel()
	one, _ := nodesOf(t)
	lost := make(chan Node, 10)
	l := claimed(t, one, NodeClaim{Number: 1, lease: 60 * time.Millisecond, Lost: func(h Node) { lost <- h }})
	plant(t, l, "n.1", Node{Version: 1, Instance: "taker", Name: "elsewhere"})
	if h := <-lost; h.Name != "elsewhere" {
		t.Errorf("lost to %+v", h)
	}
	if err := l.bucket.Delete(t.Context(), "n.1"); err != nil {
		t.Fatal(err)
	}
	regained := func() error {
		entry, err := l.bucket.Get(t.Context(), "n.1")
		if err == nil && !strings.Contains(string(entry.Value()), l.own.Instance) {
			err = fmt.Errorf("the record is %s", entry.Value())
		}
		return err
	}
	eventually(t, regained)
	if err := l.bucket.Purge(t.Context(), "n.1"); err != nil { // as a server that lost its files
		t.Fatal(err)
	}
	eventually(t, regained)
	if len(lost) > 0 {
		t.Errorf("told again: %+v", <-lost)
	}
}

// The records of gateways that are gone for good are removed, by those that are
// there, and no others. The bucket itself, which goes by the clock of the servers,
// drops none.
func TestNodesAreTidied(t *testing.T) {
	t.Parallel()
	one, two := nodesOf(t)
	l := claimed(t, one, NodeClaim{Number: 1, lease: 90 * time.Millisecond, kept: 3 * time.Second})
	claimed(t, two, NodeClaim{Number: 2, lease: 90 * time.Millisecond})
	lock, err := two.Lock(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	lock.Release()
	plant(t, l, "n.3", Node{Version: 1, Instance: "x", Name: "gone"})
	claimed(t, two, NodeClaim{Number: 4}).Release()
	eventually(t, func() error {
		if _, err := l.bucket.Get(t.Context(), "n.3"); !errors.Is(err, jetstream.ErrKeyNotFound) {
			return fmt.Errorf("the record of a gateway that is gone: %w", err)
		}
		return nil
	})
	for _, key := range []string{"n.1", "n.2"} {
		eventually(t, func() error {
			_, err := l.bucket.Get(t.Context(), key)
			return err
		})
	}
}

// A bucket that an earlier version made, whose servers drop what is old by their
// own clock, is changed.
func TestNodesHaveNoAge(t *testing.T) {
	t.Parallel()
	one, _ := nodesOf(t)
	earlier := streamConfig(Options{Bucket: defaultBucket + "_nodes"})
	earlier.MaxAge = time.Hour
	if _, err := one.jetstream.CreateStream(t.Context(), earlier); err != nil {
		t.Fatal(err)
	}
	l := claimed(t, one, NodeClaim{Number: 1})
	stream, err := one.jetstream.Stream(t.Context(), streamName(l.bucket.Bucket()))
	if err != nil {
		t.Fatal(err)
	}
	if age := stream.CachedInfo().Config.MaxAge; age != 0 {
		t.Errorf("records are dropped after %v of the server's clock", age)
	}
}

// Servers that stand still for longer than a call may take do not count as ones
// that refuse: the number is claimed when they go on.
func TestNodesOfServersThatStandStill(t *testing.T) {
	t.Parallel()
	s := startServer(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
	var losses atomic.Int64
	n := open(t, Options{URL: startLossy(t, s.Addr().String(), "$JS.API.STREAM.INFO.KV_stagedoor_nodes", &losses), Timeout: 300 * time.Millisecond})
	losses.Store(10)
	failures := 0
	eventually(t, func() error {
		l, err := n.ClaimNode(t.Context(), NodeClaim{Number: 1})
		switch {
		case err == nil:
			l.Release()
			return nil
		case !errors.Is(err, ErrUnavailable):
			t.Fatal(err)
		}
		failures++
		return err
	})
	if failures == 0 {
		t.Error("no call took too long: this shows nothing")
	}
}
