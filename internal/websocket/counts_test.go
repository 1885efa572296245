package websocket

import (
	"fmt"
	"net"
	"testing"
)

// counted is a handler that answers each message with "ok".
type counted struct{ closed chan struct{} }

func (counted) Opened(*Conn)  {}
func (counted) Control(*Conn) {}
func (counted) Message(m *Message) {
	_ = m.Conn().Send(Text, []byte("ok"))
	m.Done()
}
func (h counted) Closed(*Conn, int, string) { close(h.closed) }

// Frames are counted each way with their headers, control frames and parts of messages
// too.
func TestCounts(t *testing.T) {
	t.Parallel()
	for name, driver := range map[string]Driver{"event loop": DriverAuto, "goroutines": DriverGoroutine} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := NewEngine(Options{Driver: driver})
			if err != nil {
				t.Fatal(err)
			}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			client, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			server, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			h := counted{make(chan struct{})}
			if _, err := e.Adopt(server, Socket{Handler: h}); err != nil {
				t.Fatal(err)
			}
			frames := []byte{
				0x01, 0x81, 0, 0, 0, 0, 'a', // the first part of a message
				0x89, 0x80, 0, 0, 0, 0, // a ping between
				0x80, 0x82, 0, 0, 0, 0, 'b', 'c',
				0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8,
			}
			if _, err := client.Write(frames); err != nil {
				t.Fatal(err)
			}
			<-h.closed
			got := e.Counts()
			// A pong, an answer and a close frame.
			want := Counts{ReceivedFrames: 4, ReceivedBytes: uint64(len(frames)), SentFrames: 3, SentBytes: 2 + 4 + 4}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			_ = client.Close()
			if err := e.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
