// Package terminal is a WebSocket client for people and scripts: it sends lines
// as text messages and prints what the server sends. The command "stagedoor
// connect" is its only caller. Nothing in it is particular to API Gateway.
package terminal

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"
)

// Client is one conversation with a server. Set its fields, then call Run once.
type Client struct {
	URL          string // see NormalizeURL
	Header       http.Header
	Subprotocols []string
	TLS          *tls.Config // nil stands for the defaults

	// Execute has messages to send. If there are any, Input is not read.
	Execute []string
	// Input has the messages to send. Its ReadLine may still be blocked when
	// Run returns; the caller ends it by closing the file that it reads from.
	Input Input
	// Wait is how long Run waits for answers after everything is sent. If it is
	// negative, Run waits until the server closes or the context ends.
	Wait time.Duration

	Printer *Printer
}

// Input is a source of messages, one a line.
type Input interface {
	// ReadLine returns the next line without its line ending. The error is
	// io.EOF when there are no more; any other error ends the input as well.
	ReadLine() (string, error)
}

// Run connects, talks and closes. It returns nil when the conversation ended
// well: the messages were sent and the wait was over, the context ended (both
// close with code 1000), or the server closed with 1000, 1001 or no code at
// all. A handshake that the server refused is a *RefusedError, any other close
// a *ClosedError.
func (c *Client) Run(ctx context.Context) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	c.Printer.connected(c.URL, conn.Subprotocol())

	s := &session{conn: conn, printer: c.Printer, wait: c.Wait, received: make(chan error, 1)}
	go func() { s.received <- s.receive() }()
	done := make(chan struct{})
	defer close(done)
	return s.talk(ctx, c.lines(done))
}

// lines returns the messages to send, in order. The channel is closed after the
// last, or when done is closed.
func (c *Client) lines(done <-chan struct{}) <-chan string {
	input := c.Input
	if len(c.Execute) > 0 || input == nil {
		input = &fixedInput{lines: c.Execute}
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for {
			line, err := input.ReadLine()
			if err != nil {
				return
			}
			select {
			case lines <- line:
			case <-done:
				return
			}
		}
	}()
	return lines
}
