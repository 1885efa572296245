package lambda

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// channel is what the bootstraps for Node.js and Python speak instead of HTTP:
// one connection, on which each event is one frame and each answer another. A
// frame is
//
//	uint32 length of the head, uint32 length of the body, head, body
//
// with numbers in network order. The head is lines of text. Of a frame from the
// gateway, which is an event, they are the request's id, the deadline in
// milliseconds since 1970, the function's ARN, the trace header and the client
// context. A frame from the process begins with what it is:
//
//	next                     it asks for work
//	response, id             the answer to an event
//	error, id, type          the error that an event ended with
//	init, "", type           why the function could not be initialized
//
// None is acknowledged: what the process must not do is ignored, as a runtime
// ignores what the Runtime API answers to it.
//
// The process inherits the connection where the system allows that. Elsewhere
// it opens one to the address of the Runtime API, and says so by a byte that no
// request of HTTP begins with.
type channel struct {
	conn net.Conn
	in   *bufio.Reader
	p    *process

	writing sync.Mutex // held while out is used: an event may be answered before its write has returned
	out     []byte     // of the last event, to be used again
}

const (
	channelMark = 0       // the first byte of a channel on the Runtime API's port
	maxHead     = 4 << 10 // bytes of the head of a frame from a process
	// maxDirect is the largest event that is written by who has it. The buffers
	// of a connection have room for it, so the writer does not wait for the
	// function.
	maxDirect = 32 << 10
)

func newChannel(p *process, conn net.Conn, in *bufio.Reader) *channel {
	return &channel{conn: conn, in: in, p: p}
}

// deliver implements taker.
func (c *channel) deliver(t *task) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	head := c.out[:0]
	if head == nil {
		head = make([]byte, 0, 1<<10)
	}
	head = append(head, 0, 0, 0, 0, 0, 0, 0, 0)
	head = append(head, t.requestID...)
	head = append(head, '\n')
	head = strconv.AppendInt(head, t.deadline.UnixMilli(), 10)
	head = append(head, '\n')
	head = append(head, oneLine(t.FunctionARN)...)
	head = append(head, '\n')
	head = append(head, oneLine(t.TraceID)...)
	head = append(head, '\n')
	head = append(head, oneLine(t.ClientContext)...)
	binary.BigEndian.PutUint32(head, uint32(len(head)-8))
	binary.BigEndian.PutUint32(head[4:], uint32(len(t.Payload)))
	if len(t.Payload) <= maxDirect {
		c.out = append(head, t.Payload...)
		_, err := c.conn.Write(c.out)
		return err
	}
	c.out = nil
	c.p.writeLater(t, func() error {
		_, err := (&net.Buffers{head, t.Payload}).WriteTo(c.conn)
		return err
	})
	return nil
}

// serve reads frames until the connection ends. It returns why.
func (c *channel) serve() error {
	var lengths [8]byte
	head := make([]byte, 0, 128)
	for {
		if _, err := io.ReadFull(c.in, lengths[:]); err != nil {
			return err
		}
		headLength, bodyLength := binary.BigEndian.Uint32(lengths[:]), binary.BigEndian.Uint32(lengths[4:])
		if headLength > maxHead {
			return fmt.Errorf("a head of %d bytes", headLength)
		}
		head = append(head[:0], make([]byte, headLength)...)
		if _, err := io.ReadFull(c.in, head); err != nil {
			return err
		}
		body, err := c.readBody(int64(bodyLength))
		if err != nil && !errors.Is(err, errTooLarge) {
			return err
		}
		if problem := c.handle(string(head), body, err != nil); problem != nil {
			return problem
		}
	}
}

// readBody returns errTooLarge for a body that is no answer any more, which it
// reads and drops.
func (c *channel) readBody(length int64) ([]byte, error) {
	if length > maxResponseBytes {
		if _, err := io.CopyN(io.Discard, c.in, length); err != nil {
			return nil, err
		}
		return nil, errTooLarge
	}
	body := make([]byte, length)
	_, err := io.ReadFull(c.in, body)
	return body, err
}

// handle acts on one frame.
func (c *channel) handle(head string, body []byte, tooLarge bool) error {
	kind, rest, _ := strings.Cut(head, "\n")
	id, errorType, _ := strings.Cut(rest, "\n")
	switch kind {
	case "next":
		c.p.ask(c)
	case "response":
		result := Result{Payload: body, RequestID: id}
		if tooLarge {
			result = responseTooLarge().result(id)
		}
		c.p.answer(id, result)
	case "error":
		c.p.answer(id, reported(body, errorType, id))
	case "init":
		c.p.failInit(reported(body, errorType, ""))
	default:
		return fmt.Errorf("a frame %.20q", kind)
	}
	return nil
}

// channelArgument tells a bootstrap where its channel is; empty: it opens one.
func (h *Host) channelArgument() string {
	if h.channelsDial {
		return ""
	}
	return inheritedChannel
}

// isUntaken reports whether a channel ended with a part of an event in it that
// the process had not read. Only Linux tells.
func isUntaken(err error) bool { return errors.Is(err, syscall.ECONNRESET) }
