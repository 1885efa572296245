package gateway_test

import (
	"bufio"
	"fmt"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

const plainHandshake = "GET /dev HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nUser-Agent: test\r\n\r\n"

// bareClient has connections of which Go knows nothing but their descriptors.
type bareClient struct {
	t           *testing.T
	address     *net.TCPAddr
	descriptors []int
}

// newBareClient makes a client of a gateway, whose connections are closed at the end of
// the test.
func newBareClient(t *testing.T, g *Gateway) *bareClient {
	t.Helper()
	address, err := net.ResolveTCPAddr("tcp4", g.Address)
	if err != nil {
		t.Fatal(err)
	}
	c := &bareClient{t: t, address: address, descriptors: make([]int, 0, 2000)}
	t.Cleanup(func() {
		for _, fd := range c.descriptors {
			_ = syscall.Close(fd)
		}
	})
	return c
}

// dial opens a connection.
func (c *bareClient) dial() (fd int) {
	t := c.t
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.descriptors = append(c.descriptors, fd)
	_ = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: int64(Timeout.Seconds())})
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: c.address.Port, Addr: [4]byte(c.address.IP.To4())}); err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.Write(fd, []byte(plainHandshake)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	read := 0
	for !strings.HasSuffix(string(answer[:read]), "\r\n\r\n") {
		n, err := syscall.Read(fd, answer[read:])
		if n <= 0 {
			t.Fatalf("handshake: %d, %v after %q", n, err, answer[:read])
		}
		read += n
	}
	if !strings.HasPrefix(string(answer[:read]), "HTTP/1.1 101 ") {
		t.Fatalf("the handshake was answered with %q", answer[:read])
	}
	return fd
}

// liveHeap is the size of what lives in the heap, once all that can be given up was.
func liveHeap() uint64 {
	for range 3 { // pools keep what they have for two collections
		runtime.GC()
	}
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// An open connection of which nothing is heard takes little memory: all of the gateway's
// heap that is there because of it is counted.
func TestIdleConnectionMemory(t *testing.T) { // not parallel: it counts the memory of the process
	g := New(t, websocket.DriverAuto)
	g.Records.Stop()
	g.DeployRoutes(Route{Key: "$default", TwoWay: true, Integration: Mock(`{"statusCode": 200}`)})
	client := newBareClient(t, g)
	const few, connections = 100, 1000
	for range few { // what is made at first use is not counted
		client.dial()
	}
	before := liveHeap()
	for range connections {
		client.dial()
	}
	if n := g.Connections(); n != few+connections {
		t.Fatalf("%d connections are open", n)
	}
	const most = 560
	Eventually(t, func() error { // net/http ends its part a moment later
		if each := int64(liveHeap()-before) / connections; each > most {
			return fmt.Errorf("an idle connection takes %d bytes of heap, at most %d are expected", each, most)
		}
		return nil
	})
}

// A message makes next to no garbage on its way through the gateway, from the client's
// frame to the answer's. What is left are texts that are part of what is sent or recorded.
func TestMessageAllocations(t *testing.T) { // not parallel: it counts those of the process
	g := New(t, websocket.DriverAuto)
	g.Records.Stop()
	g.DeployRoutes(
		Route{Key: "http", TwoWay: true, Integration: &apigw.Integration{
			IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: "http://" + bareBackend(t) + "/",
		}},
		Route{Key: "fail"}, // without a target: the gateway itself answers
	)
	for _, test := range []struct {
		route string
		most  float64
	}{{"http", 2}, {"fail", 3}} {
		t.Run(test.route, func(t *testing.T) {
			fd := newBareClient(t, g).dial()
			message := `{"action":"` + test.route + `","text":"hello"}`
			frame := append([]byte{0x81, 0x80 | byte(len(message)), 0, 0, 0, 0}, message...) // masked with zeros
			answer := make([]byte, 1024)
			allocations.AtMost(t, test.most, func() {
				if _, err := syscall.Write(fd, frame); err != nil {
					t.Fatal(err)
				}
				for read := 0; read < 2 || read < 2+int(answer[1]); {
					n, err := syscall.Read(fd, answer[read:])
					if n <= 0 {
						t.Fatalf("%d, %v", n, err)
					}
					read += n
				}
			})
		})
	}
}

// bareBackend is an HTTP backend that answers requests without reading what is in
// them, and allocates nothing for one. It returns its host:port.
func bareBackend(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerAll(c)
		}
	}()
	return l.Addr().String()
}

// answerAll answers each request that comes on a connection: one of a header, which has
// a length, and of a body.
func answerAll(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		const name = "Content-Length: "
		switch {
		case len(line) > len(name) && string(line[:len(name)]) == name:
			length = 0
			for _, digit := range line[len(name) : len(line)-2] {
				length = 10*length + int(digit-'0')
			}
		case len(line) == 2:
			if _, err := in.Discard(length); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}
}
