package store

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// A list whose reader hears nothing, as its request got lost on the way, is
// read by another one: nothing but the time of the call is an end.
func TestListCutOff(t *testing.T) {
	t.Parallel()
	s := startServer(t, &server.Options{StoreDir: t.TempDir()})
	var losses atomic.Int64
	url := startLossy(t, s.Addr().String(), "$JS.API.CONSUMER.MSG.NEXT.", &losses)
	n := open(t, Options{URL: url})
	for i := range 10 {
		mustPut(t, n, Key("api", fmt.Sprint(i)), "kept", 0)
	}
	losses.Store(2)
	records, err := n.List(t.Context(), "api")
	if err != nil || len(records) != 10 {
		t.Errorf("listed %d records, %v", len(records), err)
	}
	if left := losses.Load(); left > 0 {
		t.Errorf("%d requests that should get lost were never sent: this shows nothing", left)
	}
}

// startLossy passes connections on to a NATS server, without as many of the
// messages that clients send to subjects with a prefix as losses says.
func startLossy(t *testing.T, address, prefix string, losses *atomic.Int64) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", address)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(client, upstream)
				_ = client.Close()
			}()
			go func() {
				_ = passOn(upstream, bufio.NewReader(client), prefix, losses)
				_ = upstream.Close()
			}()
		}
	}()
	return "nats://" + listener.Addr().String()
}

// passOn copies what a client sends, one line of NATS's protocol after the other:
// PUB and HPUB end in the size of the payload behind them.
func passOn(to io.Writer, from *bufio.Reader, prefix string, losses *atomic.Int64) error {
	for {
		line, err := from.ReadBytes('\n')
		if err != nil {
			return err
		}
		words := strings.Fields(string(line))
		if len(words) > 2 && (words[0] == "PUB" || words[0] == "HPUB") {
			size, err := strconv.Atoi(words[len(words)-1])
			if err != nil {
				return err
			}
			payload := make([]byte, size+len("\r\n"))
			if _, err := io.ReadFull(from, payload); err != nil {
				return err
			}
			if strings.HasPrefix(words[1], prefix) && losses.Add(-1) >= 0 {
				continue
			}
			line = append(bytes.Clone(line), payload...)
		}
		if _, err := to.Write(line); err != nil {
			return err
		}
	}
}

// A watch begins at the server of a cluster that has every answered write:
// another one may lag behind, and the watch would be ready without some of them.
func TestWatchBeginsAtTheLeader(t *testing.T) {
	t.Parallel()
	n := open(t, Options{URL: startCluster(t, 3), Replicas: 3})
	for range 10 {
		revision := mustPut(t, n, "api.a", "1", 0)
		r, err := n.readExact(t.Context(), []string{n.filter("api")})
		if err != nil {
			t.Fatal(err)
		}
		if exact, err := r.begin(t.Context()); !exact || err != nil || r.caughtUp() {
			t.Errorf("the reader is at %+v, with %v to read, %v", r.consumer.CachedInfo().Cluster, r.due, err)
		}
		r.close()
		if _, err := n.Delete(t.Context(), "api.a", revision); err != nil {
			t.Fatal(err)
		}
	}
}
