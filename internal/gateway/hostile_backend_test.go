package gateway_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// rawBackend answers each connection, once it has read a request, with whatever
// a function writes to it. The function ends when the connection does.
func rawBackend(t *testing.T, answer func(conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					answer(conn)
				}
			})
		}
	})
	t.Cleanup(running.Wait)
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String()
}

// says is an answer that is written in one go, and ends the connection.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) { _, _ = io.WriteString(conn, text) }
}

// drips is an answer of which one part comes after the other, without end.
func drips(head, part string) func(net.Conn) {
	return func(conn net.Conn) {
		_, err := io.WriteString(conn, head)
		for err == nil {
			if _, err = io.WriteString(conn, part); err == nil {
				_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
				var one [1]byte
				if _, closed := conn.Read(one[:]); closed == io.EOF {
					return
				}
			}
		}
	}
}

// floods is an answer that goes on for so many bytes.
func floods(head, part string, size int) func(net.Conn) {
	return func(conn net.Conn) {
		_, err := io.WriteString(conn, head)
		for written, parts := 0, strings.Repeat(part, 1<<10); err == nil && written < size; written += len(parts) {
			_, err = io.WriteString(conn, parts)
		}
	}
}

// tellsOurs tells whether something that a client reads has in it what must not
// be there. Ids are random, and may have any text in them.
func tellsOurs(text string) bool { return ours.MatchString(ids.ReplaceAllString(text, "")) }

var ids = regexp.MustCompile(`"(connectionId|requestId)":"[^"]*"`)

var ours = regexp.MustCompile(`(?i)\.go\b|goroutine|stagedoor|panic|127\.0\.0\.1|dial|tcp|EOF|runtime|Content-Length|template|vtl|context`)

// Backends that answer badly cost the message that called them, and nobody else.
// The client gets one of API Gateway's frames, or the body as text.
func TestHostileBackends(t *testing.T) {
	t.Parallel()
	const (
		timedOut = "frame: Endpoint request timed out"
		okHead   = "HTTP/1.1 200 OK\r\n"
		over     = 10<<20 + 1
	)
	var zipped strings.Builder
	writer := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(writer, "hello")
	_ = writer.Close()
	tests := []struct {
		name   string
		answer func(net.Conn)
		want   string // "text" for any text
		log    string
	}{
		{"hangs", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, timedOut, "Execution failed due to a timeout error: the integration did not answer in time"},
		{"drips its header", drips(okHead, "x"), timedOut, "timeout"},
		{"drips header lines", drips(okHead, "X-A: b\r\n"), timedOut, "timeout"},
		{"drips its body", drips(okHead+"Content-Length: 1000000\r\n\r\n", "x"), timedOut, "timeout"},
		{"drips chunks", drips(okHead+"Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"), timedOut, "timeout"},
		{"drips hints", drips("", "HTTP/1.1 103 Early Hints\r\n\r\n"), timedOut, "timeout"},
		{"closes at once", says(""), internalFrame, "the backend closed the connection without an answer"},
		{"closes in its header", says(okHead + "Content-Le"), internalFrame, "the backend closed the connection without an answer"},
		{"closes in its body", says(okHead + "Content-Length: 10\r\n\r\nhalf"), internalFrame, "the backend closed the connection within its answer"},
		{"closes in a chunk", says(okHead + "Transfer-Encoding: chunked\r\n\r\n10\r\nhalf"), internalFrame, "the backend closed the connection within its answer"},
		{"resets", func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }, internalFrame, "reset"},
		{"10 MB and a byte", floods(fmt.Sprintf("%sContent-Length: %d\r\n\r\n", okHead, over), "x", over), internalFrame, "larger than 10485760 bytes"},
		{"10 MB and a byte, until it closes", floods(okHead+"\r\n", "x", over+1<<10), internalFrame, "larger than 10485760 bytes"},
		{"10 MB and a byte in chunks", floods(okHead+"Transfer-Encoding: chunked\r\n\r\n", "400\r\n"+strings.Repeat("x", 1<<10)+"\r\n", over+1<<20), internalFrame, "larger than 10485760 bytes"},
		{"a chunk that promises the world", says(okHead + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx"), internalFrame, "larger than"},
		{"a length that is negative", says(okHead + "Content-Length: -1\r\n\r\nx"), internalFrame, "Content-Length"},
		{"a length that is no number", says(okHead + "Content-Length: many\r\n\r\nx"), internalFrame, ""},
		{"a length past all numbers", says(okHead + "Content-Length: 99999999999999999999999\r\n\r\nx"), internalFrame, ""},
		{"two lengths", says(okHead + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), internalFrame, ""},
		{"a header without end", floods(okHead, "X-Long: yes\r\n", 4<<20), internalFrame, ""},
		{"a line without end", floods(okHead+"X-Long: ", "x", 4<<20), internalFrame, ""},
		{"no HTTP", says("SSH-2.0-OpenSSH_9.2\r\n"), internalFrame, ""},
		{"another protocol", says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), internalFrame, "switched protocols"},
		{"more than it said", says(okHead + "Content-Length: 2\r\n\r\nhi there, HTTP/1.1 200 OK\r\n\r\n"), "hi", ""},
		{"a redirect", says("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 4\r\n\r\nmove"), "move", ""},
		{"an empty answer", says("HTTP/1.1 204 No Content\r\n\r\n"), "", ""},
		{"compressed, though nobody asked", says(fmt.Sprintf("%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", okHead, zipped.Len(), zipped.String())), "text", ""},
		{"bytes that are no text", says(okHead + "Content-Length: 3\r\n\r\n\xff\xfe\x00"), "\uFFFD\uFFFD\x00", ""},
		{"an error with our words", says("HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nsorry"), "sorry", ""},
	}
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("echo", Echo)
	routes := []Route{{Key: "$default", Function: "echo", TwoWay: true}}
	kinds := []string{"HTTP_PROXY", "HTTP"}
	for _, test := range tests {
		for _, kind := range kinds {
			// One each: a backend that closes when the next message has come to it resets that.
			url := rawBackend(t, test.answer)
			i := &apigw.Integration{IntegrationType: kind, IntegrationUri: url, IntegrationResponses: passing}
			if test.want == timedOut {
				i.TimeoutInMillis = 500
			}
			routes = append(routes, Route{Key: kind + test.name, TwoWay: true, Integration: i})
		}
	}
	g.DeployRoutes(routes...)
	neighbour := g.Dial("/dev")
	t.Cleanup(func() {
		neighbour.Send("still here")
		if got := neighbour.Receive(); got != "still here" {
			t.Errorf("the neighbour received %q", got)
		}
	})
	for _, test := range tests {
		for _, kind := range kinds {
			t.Run(test.name+" "+kind, func(t *testing.T) {
				t.Parallel()
				c := g.Dial("/dev")
				c.Send(`{"action":"` + kind + test.name + `"}`)
				got := c.Receive()
				var record string
				Eventually(t, func() error {
					all := g.Records.All("message")
					for _, r := range all {
						if r.RouteKey == kind+test.name {
							record = r.Error
							return nil
						}
					}
					return fmt.Errorf("none of %d records is of %s", len(all), kind+test.name)
				})
				if described := describe(got); described != test.want && (test.want != "text" || !utf8.ValidString(got)) {
					t.Errorf("received %.100q, want %q", got, test.want)
				}
				if test.want == internalFrame || test.want == timedOut {
					if tellsOurs(got) || record == "" {
						t.Errorf("frame %s, log %q", got, record)
					}
				}
				if !strings.Contains(record, test.log) {
					t.Errorf("log %q, want %q", record, test.log)
				}
				c.Send("on it goes")
				if got := c.Receive(); got != "on it goes" {
					t.Errorf("afterwards: %q", got)
				}
			})
		}
	}
}
