package store

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats-server/v2/server"
)

// callTime is how long a call may take where servers are gone: the store gives up
// after it, and a call that is answered needs less on a busy machine as well.
const callTime = 10 * time.Second

// While the servers are gone, calls fail within the time that they have. Once
// they are back everything goes on: calls, and watches, which miss nothing.
func TestOutage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, &server.Options{StoreDir: dir})
	port := s.Addr().(*net.TCPAddr).Port
	n := open(t, Options{URL: s.ClientURL(), Timeout: callTime})
	kept := mustPut(t, n, "api.kept", "1", 0)
	removed := mustPut(t, n, "api.removed", "1", 0)
	w := watch(t, n, "api")
	w.expect(Change{Record: Record{Key: "api.kept", Value: []byte("1"), Revision: kept}})
	w.expect(Change{Record: Record{Key: "api.removed", Value: []byte("1"), Revision: removed}})
	w.expectReady()

	stopServer(s)
	_, err := n.Get(t.Context(), "api.kept")
	wantErr(t, err, ErrUnavailable)
	_, err = n.Put(t.Context(), "api.kept", []byte("lost"), kept)
	wantErr(t, err, ErrUnavailable)
	_, err = n.Delete(t.Context(), "api.kept", kept)
	wantErr(t, err, ErrUnavailable)
	_, err = n.List(t.Context(), "")
	wantErr(t, err, ErrUnavailable)

	// Somebody else changes the configuration before this client is back.
	elsewhere := startServer(t, &server.Options{StoreDir: dir})
	other := open(t, Options{URL: elsewhere.ClientURL()})
	changed := mustPut(t, other, "api.kept", "2", kept)
	gone, err := other.Delete(t.Context(), "api.removed", removed)
	wantErr(t, err, nil)
	stopServer(elsewhere)
	startServer(t, &server.Options{StoreDir: dir, Port: port})

	w.expect(Change{Record: Record{Key: "api.kept", Value: []byte("2"), Revision: changed}})
	w.expect(Change{Record{Key: "api.removed", Value: nil, Revision: gone}, true})
	eventually(t, func() error {
		_, err := n.Get(t.Context(), "api.kept")
		return err
	})
	added := mustPut(t, n, "api.added", "1", 0)
	w.expect(Change{Record: Record{Key: "api.added", Value: []byte("1"), Revision: added}})
}

// A removal whose mark is gone, too, is reported when the connection is back.
func TestForgottenRemoval(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, &server.Options{StoreDir: dir})
	port := s.Addr().(*net.TCPAddr).Port
	n := open(t, Options{URL: s.ClientURL(), Timeout: callTime})
	revision := mustPut(t, n, "api.a", "1", 0)
	last := mustPut(t, n, "api.b", "1", 0)
	w := watch(t, n, "")
	w.expect(Change{Record: Record{Key: "api.a", Value: []byte("1"), Revision: revision}})
	w.expect(Change{Record: Record{Key: "api.b", Value: []byte("1"), Revision: last}})
	w.expectReady()
	stopServer(s)

	elsewhere := startServer(t, &server.Options{StoreDir: dir})
	other := open(t, Options{URL: elsewhere.ClientURL()})
	bucket, err := other.jetstream.KeyValue(t.Context(), defaultBucket)
	if err != nil {
		t.Fatal(err)
	}
	if err := bucket.Purge(t.Context(), "api.a"); err != nil {
		t.Fatal(err)
	}
	stream, err := other.jetstream.Stream(t.Context(), streamName(defaultBucket))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(t.Context()); err != nil { // nothing is left of either
		t.Fatal(err)
	}
	added := mustPut(t, other, "api.c", "1", 0)
	stopServer(elsewhere)
	startServer(t, &server.Options{StoreDir: dir, Port: port})

	w.expect(Change{Record: Record{Key: "api.c", Value: []byte("1"), Revision: added}})
	told := map[string]bool{}
	for range 2 {
		event := w.next()
		if !event.change.Deleted {
			t.Errorf("told %+v, which is no removal", event.change)
		}
		told[event.change.Key] = true
	}
	if !told["api.a"] || !told["api.b"] {
		t.Errorf("told the removal of %v", told)
	}
}

// The server of this process gives up its storage when the disk is full. It is
// started again until it is well.
func TestEmbeddedRecovers(t *testing.T) {
	t.Parallel()
	n := open(t, Options{Dir: t.TempDir(), Timeout: callTime})
	first := mustPut(t, n, "api.a", "1", 0)
	w := watch(t, n, "")
	w.expect(Change{Record: Record{Key: "api.a", Value: []byte("1"), Revision: first}})
	w.expectReady()
	if err := n.server.current().DisableJetStream(); err != nil {
		t.Fatal(err)
	}
	var second uint64
	eventually(t, func() error { // a write that failed may have been done
		record, err := n.Get(t.Context(), "api.a")
		if err == nil {
			second, err = n.Put(t.Context(), "api.a", []byte("2"), record.Revision)
		}
		return err
	})
	for told := w.next(); told.change.Revision != second; told = w.next() {
	}
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	ready := startServer(t, &server.Options{StoreDir: t.TempDir(), Username: "u", Password: "p"})
	tests := map[string]struct {
		options Options
		want    string
	}{
		"nothing":            {Options{}, "needs a data directory or the URL"},
		"nobody there":       {Options{URL: "nats://127.0.0.1:1"}, "does not answer"},
		"no identity":        {Options{URL: ready.ClientURL()}, "Authorization Violation"},
		"wrong password":     {Options{URL: ready.ClientURL(), User: "u", Password: "x"}, "Authorization Violation"},
		"two identities":     {Options{URL: ready.ClientURL(), User: "u", Token: "x"}, "takes one of"},
		"no NKey":            {Options{URL: ready.ClientURL(), NKeyFile: "/none"}, "/none"},
		"no credentials":     {Options{URL: ready.ClientURL(), CredentialsFile: "/none"}, "/none"},
		"no CA":              {Options{URL: ready.ClientURL(), CAFile: "/none"}, "/none"},
		"half a certificate": {Options{URL: ready.ClientURL(), CertFile: "/none"}, "needs its key"},
		"replicas":           {Options{URL: ready.ClientURL(), Replicas: 7}, "not 7"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.options.Timeout = 200 * time.Millisecond
			n, err := Open(t.Context(), test.options)
			if err == nil {
				n.Close()
			}
			wantErrText(t, err, test.want)
		})
	}
	n := open(t, Options{URL: ready.ClientURL(), User: "u", Password: "p"})
	mustPut(t, n, "api.a", "1", 0)
}

// Both ways to list are the same.
func TestListOfLeader(t *testing.T) {
	t.Parallel()
	n := open(t, Options{Dir: t.TempDir()})
	for i := range 100 {
		revision := mustPut(t, n, Key("stage", "a", fmt.Sprint(i)), fmt.Sprint(i), 0)
		if i%7 == 0 {
			_, err := n.Delete(t.Context(), Key("stage", "a", fmt.Sprint(i)), revision)
			wantErr(t, err, nil)
		}
	}
	for _, prefix := range []string{"", "stage", "stage.a", "api"} {
		read, exact, err := n.readAll(t.Context(), prefix, false)
		if err != nil || !exact {
			t.Errorf("exact: %v, %v", exact, err)
		}
		asked, err := n.getAll(t.Context(), prefix)
		if diff := cmp.Diff(read, asked, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%q, %v (-read +asked):\n%s", prefix, err, diff)
		}
	}
}
