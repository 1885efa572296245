//go:build linux

package load

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
)

const (
	dialers   = 16 // handshakes at a time
	sources   = 8  // loopback addresses that connections come from, so that no address runs out of ports
	handshake = 30 // seconds that a server may take to answer, at most
)

// Connections are open connections.
type Connections struct {
	protocol Protocol
	sockets  []int
}

// Open opens connections and makes their handshakes, a few at a time.
func Open(address string, p Protocol, count int) (*Connections, error) {
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, fmt.Errorf("address of the server: %w", err)
	}
	c := &Connections{protocol: p, sockets: make([]int, count)}
	for i := range c.sockets {
		c.sockets[i] = -1
	}
	err = each(count, func(i int) error {
		fd, err := connect(to, i)
		c.sockets[i] = fd
		if err != nil {
			return err
		}
		return shakeHands(fd, p)
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Exchange sends one message on every connection and waits for its reply.
func (c *Connections) Exchange() error {
	return each(len(c.sockets), func(i int) error {
		if _, err := syscall.Write(c.sockets[i], c.protocol.Request()); err != nil {
			return fmt.Errorf("sending: %w", err)
		}
		return readUntil(c.sockets[i], func(data []byte) (bool, error) {
			n, err := c.protocol.Reply(data)
			return n > 0, err
		})
	})
}

// Close closes the connections without close frames.
func (c *Connections) Close() {
	for _, fd := range c.sockets {
		if fd >= 0 {
			_ = syscall.Close(fd)
		}
	}
	c.sockets = nil
}

// each calls do for every number below count, a few at a time, and returns one of its
// errors.
func each(count int, do func(i int) error) error {
	var workers sync.WaitGroup
	failures := make([]error, dialers)
	for w := range dialers {
		workers.Go(func() {
			for i := w; i < count && failures[w] == nil; i += dialers {
				if err := do(i); err != nil {
					failures[w] = fmt.Errorf("connection %d: %w", i+1, err)
				}
			}
		})
	}
	workers.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

// connect opens a blocking socket. Its number decides which loopback address
// it comes from.
func connect(to *net.TCPAddr, number int) (int, error) {
	if !to.IP.IsLoopback() {
		return Connect(to, [4]byte{})
	}
	return Connect(to, [4]byte{127, 0, 0, byte(2 + number%sources)})
}

// Connect opens a blocking socket to an address, from another one of this machine;
// 0.0.0.0 stands for the usual one. The socket is open, and the caller's to close, in
// case of an error as well, unless it is -1.
func Connect(to *net.TCPAddr, from [4]byte) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	if from != [4]byte{} {
		if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: from}); err != nil {
			return fd, fmt.Errorf("bind: %w", err)
		}
	}
	limit := syscall.Timeval{Sec: handshake}
	err = errors.Join(
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit),
	)
	if err != nil {
		return fd, fmt.Errorf("socket options: %w", err)
	}
	target := syscall.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}
	for {
		if err = syscall.Connect(fd, &target); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return fd, fmt.Errorf("connect: %w", err)
	}
	return fd, nil
}

// shakeHands sends the protocol's handshake and reads the head of the answer.
func shakeHands(fd int, p Protocol) error {
	request, want := p.Handshake()
	if request == "" {
		return nil
	}
	if _, err := syscall.Write(fd, []byte(request)); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	err := readUntil(fd, accepted(want))
	if g, ok := p.(greeter); ok && err == nil {
		return greet(fd, g)
	}
	return err
}

// accepted returns a function that reports whether the head of an answer is complete. It
// must begin with want.
func accepted(want string) func(data []byte) (bool, error) {
	return func(data []byte) (bool, error) {
		head := string(data)
		if len(head) >= len(want) && !strings.HasPrefix(head, want) {
			return false, fmt.Errorf("handshake refused: %q", head)
		}
		return strings.HasSuffix(head, "\r\n\r\n"), nil
	}
}

// greeter is a protocol whose connections begin with a message of their own, and
// its answer.
type greeter interface {
	greet() (message []byte, answered func(data []byte) (bool, error))
}

func greet(fd int, g greeter) error {
	message, answered := g.greet()
	if len(message) == 0 {
		return nil
	}
	if _, err := syscall.Write(fd, message); err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	return readUntil(fd, answered)
}

// readUntil reads from a blocking socket until done says so of all that came.
func readUntil(fd int, done func([]byte) (bool, error)) error {
	var data []byte
	buffer := make([]byte, 4096)
	for {
		n, err := syscall.Read(fd, buffer)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("receiving: %w", err)
		case n == 0:
			return fmt.Errorf("the server closed the connection after %q", data)
		}
		data = append(data, buffer[:n]...)
		if complete, err := done(data); complete || err != nil {
			return err
		}
	}
}
