package eventstream

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// pipes is a listener whose connections are in memory, so that time is synctest's.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accepted:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serve serves a hub's events, and returns what connects to them.
func serve(t *testing.T, h *Hub) (dial func() net.Conn) {
	t.Helper()
	listener := &pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: Handler(h)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	var open []net.Conn
	t.Cleanup(func() {
		for _, conn := range open {
			_ = conn.Close()
		}
		_ = server.Close()
		<-served
		synctest.Wait()
	})
	return func() net.Conn {
		here, there := net.Pipe()
		listener.accepted <- there
		open = append(open, here)
		return here
	}
}

// ask sends a request for events, and returns the answer, whose header has come.
func ask(t *testing.T, conn net.Conn, method, query string) *http.Response {
	t.Helper()
	if _, err := fmt.Fprintf(conn, "%s /stagedoor/events%s HTTP/1.1\r\nHost: localhost\r\n\r\n", method, query); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// The stream begins at once, has each event soon, and comments while nothing happens; it
// ends in order when the gateway stops, with what happened until then.
func TestStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHub()
		began := time.Now()
		answer := ask(t, serve(t, h)(), "GET", "?stage=prod&payload=true")
		if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" || answer.Header.Get("Cache-Control") != "no-store" || time.Since(began) != 0 {
			t.Errorf("%s after %v: %v", answer.Status, time.Since(began), answer.Header)
		}
		lines := bufio.NewReader(answer.Body)
		next := func() string {
			var text string
			for !strings.HasSuffix(text, "\n\n") {
				line, err := lines.ReadString('\n')
				if err != nil {
					t.Fatalf("%q, and then %v", text, err)
				}
				text += line
			}
			return text
		}
		if first := next(); !strings.HasPrefix(first, ":") {
			t.Errorf("it begins with %q", first)
		}
		other := message()
		other.Stage = "dev"
		h.Record(other)
		h.Record(message())
		if got := next(); !strings.HasPrefix(got, `data: {"event":"message"`) || time.Since(began) > time.Second {
			t.Errorf("%q after %v", got, time.Since(began))
		}
		if got := next(); got != ":\n\n" || time.Since(began) != heartbeat {
			t.Errorf("%q after %v", got, time.Since(began))
		}
		last := message()
		last.Event = telemetry.EventDisconnect
		h.Record(last)
		h.Close(t.Context())
		if got := next(); !strings.HasPrefix(got, `data: {"event":"disconnect"`) {
			t.Errorf("the last is %q", got)
		}
		if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
			t.Errorf("it ends with %q, %v", rest, err)
		}
	})
}

// Who does not read loses the place after a while, and costs no more memory than the
// bound; who goes away loses it at once; and nobody watches for ever.
func TestWatchersThatEnd(t *testing.T) {
	t.Parallel()
	watching := func(h *Hub) int {
		synctest.Wait()
		if watchers := h.watchers.Load(); watchers != nil {
			return len(*watchers)
		}
		return 0
	}
	synctest.Test(t, func(t *testing.T) {
		h := NewHub()
		dial := serve(t, h)
		conn := dial()
		ask(t, conn, "GET", "")
		for range 100_000 {
			h.Record(message())
		}
		time.Sleep(writeTime - time.Second)
		if watching(h) != 1 {
			t.Error("who does not read has no time for it")
		}
		if queue := (*h.watchers.Load())[0].queue; len(queue.waiting) > maxWaiting {
			t.Errorf("%d bytes wait", len(queue.waiting))
		}
		time.Sleep(2 * time.Second)
		if watching(h) != 0 {
			t.Error("who does not read keeps the place")
		}

		stopping := NewHub()
		conn = serve(t, stopping)()
		ask(t, conn, "GET", "")
		stopping.Record(message())
		time.Sleep(time.Second) // it is being written
		stopping.Close(t.Context())
		time.Sleep(endTime + time.Second)
		if watching(stopping) != 0 {
			t.Error("who does not read holds up the end")
		}

		conn = dial()
		go io.Copy(io.Discard, ask(t, conn, "GET", "").Body)
		if watching(h) != 1 {
			t.Error("nobody watches")
		}
		_ = conn.Close()
		if watching(h) != 0 {
			t.Error("who went away keeps the place")
		}

		began := time.Now()
		if _, err := io.Copy(io.Discard, ask(t, dial(), "GET", "").Body); err != nil || time.Since(began) != longest || watching(h) != 0 {
			t.Errorf("the stream ends after %v, %v", time.Since(began), err)
		}
	})
}

// Requests that no stream answers.
func TestStreamMistakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHub()
		dial := serve(t, h)
		for query, want := range map[string]string{
			"?status=teapot":                    `"teapot\" is not a status`,
			"?dance=1":                          `there is no filter \"dance\"`,
			"?failed=%ff%00":                    "failed must be true or false",
			"?" + strings.Repeat("api=a&", 400): "the filter api has 400 values",
		} {
			answer := ask(t, dial(), "GET", query)
			body, _ := io.ReadAll(answer.Body)
			if answer.StatusCode != 400 || !strings.Contains(string(body), want) || answer.Header.Get("x-amzn-ErrorType") != "BadRequestException" {
				t.Errorf("%.40s: %s %s", query, answer.Status, body)
			}
		}
		if answer := ask(t, dial(), "HEAD", ""); answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("HEAD: %s", answer.Status)
		}
		var stops []func()
		for range maxWatchers {
			stop, err := h.Watch(Query{}, NewQueue(1))
			if err != nil {
				t.Fatal(err)
			}
			stops = append(stops, stop)
		}
		if answer := ask(t, dial(), "GET", ""); answer.StatusCode != 429 {
			t.Errorf("one too many: %s", answer.Status)
		}
		for _, stop := range stops {
			stop()
		}
		h.Close(context.Background())
		if answer := ask(t, dial(), "GET", ""); answer.StatusCode != 503 {
			t.Errorf("a gateway that stops: %s", answer.Status)
		}
	})
}
