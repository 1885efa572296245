package terminal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"
)

// ClosedError means that a connection did not end with a normal close.
type ClosedError struct {
	Code   int // 1006 when no close frame arrived
	Reason string
}

func (e *ClosedError) Error() string {
	return fmt.Sprintf("connection closed with code %d%s", e.Code, quoted(", reason: ", e.Reason))
}

// abnormal is the code that stands for the absence of a close frame (RFC 6455,
// section 7.1.5).
const abnormal = 1006

// session is an open connection: one goroutine receives, the caller of talk
// sends.
type session struct {
	conn     *websocket.Conn
	printer  *Printer
	wait     time.Duration
	received chan error // what the error that ended receive; one value
}

// receive prints messages until the connection ends. Its reads have no
// deadline: talk ends them by closing the connection.
func (s *session) receive() error {
	for {
		typ, data, err := s.conn.Read(context.Background())
		if err != nil {
			return err
		}
		s.printer.message(typ, data)
	}
}

// talk sends lines until they end, waits for answers, and closes; or returns
// earlier because the server closed.
func (s *session) talk(ctx context.Context, lines <-chan string) error {
	var waited <-chan time.Time // nil until all lines are sent
	for {
		select {
		case <-ctx.Done():
			return s.close()
		case err := <-s.received:
			return s.ended(err)
		case <-waited:
			return s.close()
		case line, ok := <-lines:
			if !ok {
				lines = nil
				if s.wait >= 0 {
					timer := time.NewTimer(s.wait)
					defer timer.Stop()
					waited = timer.C
				}
				continue
			}
			if err := s.conn.Write(ctx, websocket.MessageText, []byte(line)); err != nil {
				return s.writeFailed(ctx, err)
			}
		}
	}
}

// writeFailed ends the session after a failed write. It returns the reader's
// error if that explains more, for instance a close frame.
func (s *session) writeFailed(ctx context.Context, writeErr error) error {
	s.conn.CloseNow()
	readErr := <-s.received
	if ctx.Err() != nil { // the write was interrupted, and the connection with it
		s.printer.disconnected(abnormal, "interrupted while sending")
		return nil
	}
	if websocket.CloseStatus(readErr) != -1 {
		return s.ended(readErr)
	}
	return s.ended(writeErr)
}

// close begins the close handshake. Its result does not matter, because the
// conversation has ended normally.
func (s *session) close() error {
	s.conn.Close(websocket.StatusNormalClosure, "") //nolint:errcheck // see above
	<-s.received                                    //nolint:errcheck // an error in any case: the connection is closed
	s.printer.disconnected(int(websocket.StatusNormalClosure), "")
	return nil
}

// ended reports a connection that the server, or the network, ended with err.
func (s *session) ended(err error) error {
	closed := &ClosedError{Code: abnormal, Reason: rootCause(err).Error()}
	var frame websocket.CloseError
	if errors.As(err, &frame) {
		closed = &ClosedError{Code: int(frame.Code), Reason: frame.Reason}
	}
	s.printer.disconnected(closed.Code, closed.Reason)
	switch websocket.StatusCode(closed.Code) {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd:
		return nil
	}
	return closed
}

// rootCause removes the library's wrappings of an error, which only name places
// in the library.
func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
