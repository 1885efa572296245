//go:build linux

// Command relay is the least that a gateway can be: the bound that the
// measurements name. It accepts WebSocket connections and makes a POST request to
// an HTTP backend of each text message, whose answer goes back as a message;
// without a backend it sends each message back itself. There are no routes, no
// timeouts, no bounds and no log, and whoever does not speak as the load client
// does is cut off.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime"
	"syscall"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "`address` to listen on, of IPv4")
	to := flag.String("backend", "", "`URL` of the HTTP backend; without, messages go back to where they came from")
	loops := flag.Int("loops", runtime.NumCPU(), "event loops, each on a thread of its own")
	flag.Parse()
	if err := relay(*listen, *to, *loops); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}

// relay runs the loops, and returns when the first of them fails.
func relay(listen, to string, loops int) error {
	address, err := resolve(listen)
	if err != nil {
		return err
	}
	var b *backend
	if to != "" {
		if b, err = newBackend(to); err != nil {
			return err
		}
	}
	// A processor more than loops: the runtime takes none away from a loop that waits.
	runtime.GOMAXPROCS(loops + 1)
	failed := make(chan error, loops)
	for range loops {
		l, err := newLoop(address, b)
		if err != nil {
			return err
		}
		go func() { failed <- l.run() }()
	}
	return <-failed
}

// backend is where requests go.
type backend struct {
	address *syscall.SockaddrInet4
	head    []byte // of a request, up to the value of Content-Length
}

func newBackend(to string) (*backend, error) {
	u, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	address, err := resolve(u.Host)
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: ", u.RequestURI(), u.Host)
	return &backend{address: address, head: []byte(head)}, err
}

func resolve(address string) (*syscall.SockaddrInet4, error) {
	a, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	if a.IP == nil {
		return nil, errors.New(address + " has no host")
	}
	return &syscall.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}, nil
}
