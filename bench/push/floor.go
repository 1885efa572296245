//go:build linux

package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"

	"github.com/stagedoor/stagedoor/bench/internal/load"
)

// floorCommand makes this program the least that a push can be. It is followed by
// the address to listen on.
const floorCommand = "floor"

// floor reads requests, writes a frame with the body of each to one of its WebSocket
// connections, by chance, and then answers 200 with nothing: what takes part in a push
// besides the gateway's own work. There is no HTTP server, no routing, no lock that is
// contended, and whoever does not speak as this bench does is cut off.
type floor struct {
	mu      sync.RWMutex // guards what follows
	clients []net.Conn
}

func runFloor(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	f := &floor{}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			_ = f.serve(conn) // clients leave without a goodbye
		}()
	}
}

func (f *floor) serve(conn net.Conn) error {
	buffer := make([]byte, 64<<10)
	for n := 0; ; {
		m, err := conn.Read(buffer[n:])
		if err != nil {
			return err
		}
		n += m
		head, body, found := bytes.Cut(buffer[:n], []byte("\r\n\r\n"))
		if !found {
			continue
		}
		if bytes.HasPrefix(head, []byte("GET ")) {
			return f.hold(conn)
		}
		_, length, _ := bytes.Cut(head, []byte("\r\nContent-Length: "))
		length, _, _ = bytes.Cut(length, []byte("\r\n"))
		size, err := strconv.Atoi(string(length))
		if err != nil {
			return err
		}
		if len(body) < size {
			continue
		}
		if _, err := f.client().Write(load.Frame(body)); err != nil {
			return err
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return err
		}
		n = 0
	}
}

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: application/json\r\nX-Amz-Apigw-Id: AAAAAAAAAAAAAAA=\r\n" +
	"X-Amzn-Requestid: 00000000-0000-4000-8000-000000000000\r\nX-Amzn-Trace-Id: Root=1-00000000-000000000000000000000000\r\nDate: Mon, 30 Nov 2026 00:00:00 GMT\r\n\r\n"

// hold keeps a WebSocket connection until it ends.
func (f *floor) hold(conn net.Conn) error {
	if _, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n"); err != nil {
		return err
	}
	f.mu.Lock()
	f.clients = append(f.clients, conn)
	f.mu.Unlock()
	_, err := io.Copy(io.Discard, conn)
	return err
}

// client is one of those that are connected, by chance.
func (f *floor) client() net.Conn {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.clients[rand.IntN(len(f.clients))]
}
