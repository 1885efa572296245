//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/load"
)

// holderCommand makes this program hold connections to one gateway: it has one
// goroutine, and eight bytes for each of them.
const holderCommand = "hold"

// hold says what a holder holds. It is its argument, as JSON.
type hold struct {
	Address     string // of the gateway
	Path        string // of the API's stage
	Connections int
	Source      [2]byte // the addresses that they come from begin with 127 and these
	Rate        float64 // messages in a second
}

// orders are what a holder is told on its standard input, a line each. It ends when
// that does.
const (
	openOrder  = "open"  // open the connections
	keepOrder  = "keep"  // begin with messages and pushes
	checkOrder = "check" // end with them, and have each connection answer once more
)

// news is what a holder says, a line each.
type news struct {
	Opened bool     `json:",omitempty"` // all are open
	Lost   string   `json:",omitempty"` // why one is not any more
	Result *results `json:",omitempty"` // of the check
}

// results are what a holder has seen.
type results struct {
	Alive         int
	Asked, Pushed []time.Duration // until the answer was there, and the push
}

const (
	window   = 64               // handshakes, or messages of the check, under way
	sources  = 8                // addresses that connections come from
	patience = 60 * time.Second // that the gateway may take for an answer or a push
)

type state uint8

const (
	unopened state = iota
	shaking
	idle
	asked // for its answer in the check
	lost
)

// connection is one that is held.
type connection struct {
	fd    int32
	state state
}

// holder holds connections. All of it belongs to one goroutine.
type holder struct {
	hold
	to        *net.TCPAddr
	epoll     int
	conns     []connection
	partial   map[int32][]byte // what came of a handshake's answer, or of a frame, that is not whole
	next      int              // of the connections, to be opened or checked
	under     int              // way, of them
	order     string
	trial     trial
	due       time.Time // for the next trial
	moved     time.Time // when something was last opened or checked
	results   results
	handshake *load.WebSocket
	out       *json.Encoder
}

// runHolder is the holder's process.
func runHolder(spec string) error {
	h := &holder{partial: map[int32][]byte{}, out: json.NewEncoder(os.Stdout)}
	if err := json.Unmarshal([]byte(spec), &h.hold); err != nil {
		return err
	}
	h.conns = make([]connection, h.Connections)
	h.handshake = load.NewWebSocket(h.Address, h.Path, nil)
	var err error
	if h.to, err = net.ResolveTCPAddr("tcp4", h.Address); err != nil {
		return err
	}
	if h.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return err
	}
	orders := make(chan string)
	wake, err := h.waker()
	if err != nil {
		return err
	}
	go func() {
		defer close(orders)
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			wake()
			orders <- lines.Text()
		}
		wake()
	}()
	return h.run(orders)
}

// waker returns a function that ends a wait of the loop, from any goroutine.
func (h *holder) waker() (func(), error) {
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return nil, err
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: -1, Pad: int32(pipe[0])}
	err := syscall.EpollCtl(h.epoll, syscall.EPOLL_CTL_ADD, pipe[0], &event)
	return func() { _, _ = syscall.Write(pipe[1], []byte{0}) }, err // a full pipe wakes as well
}

// run waits for what comes until there are no more orders.
func (h *holder) run(orders <-chan string) error {
	events := make([]syscall.EpollEvent, 128)
	for {
		if err := h.advance(); err != nil {
			return err
		}
		n, err := syscall.EpollWait(h.epoll, events, h.timeout())
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("waiting: %w", err)
		}
		for _, event := range events[:max(n, 0)] {
			if event.Fd >= 0 {
				h.read(event.Fd)
				continue
			}
			var woken [16]byte
			_, _ = syscall.Read(int(event.Pad), woken[:])
			order, more := <-orders
			if !more {
				return nil
			}
			h.order, h.next, h.moved = order, 0, time.Now()
			h.due = h.moved.Add(h.pause())
		}
	}
}

// timeout is how long to wait, in milliseconds.
func (h *holder) timeout() int {
	if h.order != keepOrder {
		return 1000
	}
	return int(max(0, min(time.Until(h.due), time.Second)).Milliseconds()) + 1
}

// pause is the time between two messages: as if each client sent by itself.
func (h *holder) pause() time.Duration {
	return time.Duration(rand.ExpFloat64() / h.Rate * float64(time.Second))
}

// advance does what the order asks for next.
func (h *holder) advance() error {
	switch h.order {
	case openOrder:
		return h.advanceOpening()
	case keepOrder:
		return h.advanceTrial()
	case checkOrder:
		if h.trial.running {
			return h.advanceTrial()
		}
		return h.advanceCheck()
	}
	return nil
}

func (h *holder) advanceOpening() error {
	for ; h.under < window && h.next < len(h.conns); h.next++ {
		if err := h.connect(int32(h.next)); err != nil {
			return fmt.Errorf("connection %d: %w", h.next+1, err)
		}
		h.under++
	}
	if h.under == 0 {
		h.order = ""
		return h.out.Encode(news{Opened: true})
	}
	return h.stuck("handshakes")
}

// stuck returns an error if nothing has moved for too long.
func (h *holder) stuck(what string) error {
	if since := time.Since(h.moved); since > patience {
		return fmt.Errorf("%d %s had no answer within %v", h.under, what, since.Round(time.Second))
	}
	return nil
}

// connect opens a connection and sends its handshake.
func (h *holder) connect(i int32) error {
	fd, err := load.Connect(h.to, [4]byte{127, h.Source[0], h.Source[1], byte(1 + i%sources)})
	if err != nil {
		return err
	}
	h.conns[i] = connection{int32(fd), shaking}
	request, _ := h.handshake.Handshake()
	if _, err := syscall.Write(fd, []byte(request)); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: i}
	return errors.Join(syscall.SetNonblock(fd, true), syscall.EpollCtl(h.epoll, syscall.EPOLL_CTL_ADD, fd, &event))
}

// read takes what a connection has received.
func (h *holder) read(i int32) {
	var buffer [4096]byte
	n, err := syscall.Read(int(h.conns[i].fd), buffer[:])
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return
	case err != nil:
		h.lose(i, err.Error())
		return
	case n == 0:
		h.lose(i, "the gateway closed it")
		return
	}
	data := append(h.partial[i], buffer[:n]...)
	delete(h.partial, i)
	if h.conns[i].state == shaking {
		head, rest, whole := bytes.Cut(data, []byte("\r\n\r\n"))
		if !whole {
			h.partial[i] = data
			return
		}
		if _, want := h.handshake.Handshake(); !strings.HasPrefix(string(head), want) {
			h.lose(i, fmt.Sprintf("handshake refused: %q", head))
			return
		}
		h.conns[i].state = idle
		h.under--
		h.moved = time.Now()
		data = rest
	}
	if rest := h.frames(i, data); len(rest) > 0 && h.conns[i].state != lost {
		h.partial[i] = bytes.Clone(rest)
	}
}

// frames takes whole frames, and returns what is left.
func (h *holder) frames(i int32, data []byte) []byte {
	for {
		f, rest, err := load.CutFrame(data)
		if err != nil {
			h.lose(i, err.Error())
			return nil
		}
		if f == nil {
			return data
		}
		data = rest
		switch f.Opcode {
		case load.Ping:
			if _, err := syscall.Write(int(h.conns[i].fd), load.ClientFrame(load.Pong, f.Payload)); err != nil {
				h.lose(i, "answering a ping: "+err.Error())
				return nil
			}
		case load.Text:
			h.text(i, f.Payload)
		case load.Close:
			h.lose(i, fmt.Sprintf("the gateway closed it with % x", f.Payload))
			return nil
		}
	}
}

// text takes a message.
func (h *holder) text(i int32, payload []byte) {
	if h.conns[i].state == asked {
		h.conns[i].state = idle
		h.results.Alive++
		h.under--
		h.moved = time.Now()
		return
	}
	h.trial.received(h, i, string(payload))
}

// lose gives a connection up.
func (h *holder) lose(i int32, why string) {
	c := &h.conns[i]
	if c.state == shaking || c.state == asked {
		h.under--
	}
	_ = syscall.Close(int(c.fd))
	c.state = lost
	delete(h.partial, i)
	if h.trial.running && h.trial.on == i {
		h.trial.running = false
	}
	_ = h.out.Encode(news{Lost: fmt.Sprintf("connection %d: %s", i+1, why)}) // whoever reads it may be gone
}

// advanceCheck has each connection answer a message.
func (h *holder) advanceCheck() error {
	for ; h.under < window && h.next < len(h.conns); h.next++ {
		c := &h.conns[h.next]
		if c.state != idle {
			continue
		}
		c.state = asked
		h.under++
		if err := h.send(int32(h.next)); err != nil {
			h.lose(int32(h.next), err.Error())
		}
	}
	if h.under == 0 {
		h.order = ""
		return h.out.Encode(news{Result: &h.results})
	}
	return h.stuck("messages of the check")
}

// send sends a message, whose answer is the id of its connection.
func (h *holder) send(i int32) error {
	_, err := syscall.Write(int(h.conns[i].fd), load.ClientFrame(load.Text, []byte("{}")))
	return err
}
