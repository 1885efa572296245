package store

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func TestEmbedded(t *testing.T) {
	t.Parallel()
	contract(t, func(t *testing.T) Store { return open(t, Options{Dir: t.TempDir()}) })
}

func TestExternal(t *testing.T) {
	t.Parallel()
	contract(t, func(t *testing.T) Store {
		return open(t, Options{URL: startServer(t, &server.Options{StoreDir: t.TempDir()}).ClientURL()})
	})
}

// One cluster serves all; each test has a bucket of its own.
func TestCluster(t *testing.T) {
	t.Parallel()
	urls := startCluster(t, 3)
	buckets := make(chan int, 100)
	for i := range cap(buckets) {
		buckets <- i
	}
	t.Run("contract", func(t *testing.T) {
		contract(t, func(t *testing.T) Store {
			return open(t, Options{URL: urls, Replicas: 3, Bucket: fmt.Sprint("bucket", <-buckets)})
		})
	})
}

// open opens a store whose calls have the time that they need on a busy machine,
// unless the test is about that time.
func open(t *testing.T, options Options) *NATS {
	t.Helper()
	options.Timeout = cmp.Or(options.Timeout, deadline)
	n, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// startServer runs a NATS server on a port of its own, or the given one.
func startServer(t *testing.T, options *server.Options) *server.Server {
	t.Helper()
	options.Host, options.JetStream, options.NoLog, options.NoSigs = "127.0.0.1", true, true, true
	if options.Port == 0 {
		options.Port = server.RANDOM_PORT
	}
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { stopServer(s) })
	if !s.ReadyForConnections(deadline) {
		t.Fatal("the NATS server does not start")
	}
	return s
}

func stopServer(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// freeAddress is an address that nobody listens at. Its port is none of those
// that the system gives to others meanwhile.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		free, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000)))
		if err == nil {
			defer free.Close()
			return free.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// startCluster runs servers that form a cluster, and returns their URLs.
func startCluster(t *testing.T, size int) string {
	t.Helper()
	var routes []*url.URL
	for range size {
		routes = append(routes, &url.URL{Scheme: "nats", Host: freeAddress(t)})
	}
	var urls []string
	for i, route := range routes {
		port, err := strconv.Atoi(route.Port())
		if err != nil {
			t.Fatal(err)
		}
		urls = append(urls, startServer(t, &server.Options{
			ServerName: fmt.Sprint("server", i), StoreDir: t.TempDir(), Routes: routes,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port},
		}).ClientURL())
	}
	return strings.Join(urls, ",")
}

// eventually polls until check finds nothing wrong.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	end := time.Now().Add(deadline)
	for err := check(); err != nil; err = check() {
		if time.Now().After(end) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// What was written is there when the process starts again, and the directory
// is its owner's alone.
func TestEmbeddedKeeps(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	first, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	revision := mustPut(t, first, "api.a", "kept", 0)
	watched := make(chan error)
	ready := make(chan struct{})
	go func() {
		watched <- first.Watch(context.Background(), []string{"api"}, func(Change) {}, func() { close(ready) })
	}()
	<-ready
	_, err = Open(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("another process uses it (process %d)", os.Getpid())) {
		t.Errorf("opened twice: %v", err)
	}
	closed := make(chan struct{})
	go func() {
		first.Close()
		close(closed)
	}()
	wantErr(t, <-watched, ErrClosed)
	<-closed
	for _, name := range []string{dir, filepath.Join(dir, "lock")} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	first.Close()
	_, err = first.Get(t.Context(), "api.a")
	wantErr(t, err, ErrClosed)
	_, err = first.List(t.Context(), "")
	wantErr(t, err, ErrClosed)
	wantErr(t, first.Watch(t.Context(), []string{""}, func(Change) {}, func() {}), ErrClosed)

	record, err := open(t, Options{Dir: dir}).Get(t.Context(), "api.a")
	if err != nil || string(record.Value) != "kept" || record.Revision != revision {
		t.Errorf("%+v, %v; want revision %d", record, err, revision)
	}
}

// A watch that begins anew tells nothing twice, removals neither.
func TestWatchBeginsAnew(t *testing.T) {
	t.Parallel()
	n := open(t, Options{Dir: t.TempDir()})
	w := watch(t, n, "")
	w.expectReady()
	kept := mustPut(t, n, "api.kept", "1", 0)
	w.expect(Change{Record: Record{Key: "api.kept", Value: []byte("1"), Revision: kept}})
	gone := mustPut(t, n, "api.gone", "1", 0)
	w.expect(Change{Record: Record{Key: "api.gone", Value: []byte("1"), Revision: gone}})
	removed, err := n.Delete(t.Context(), "api.gone", gone)
	wantErr(t, err, nil)
	w.expect(Change{Record{Key: "api.gone", Revision: removed}, true})
	for i := range 3 {
		n.reconnected.send()
		key := Key("api", fmt.Sprint(i))
		next := mustPut(t, n, key, "1", 0)
		w.expect(Change{Record: Record{Key: key, Value: []byte("1"), Revision: next}})
	}
}
