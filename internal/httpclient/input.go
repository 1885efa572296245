package httpclient

import (
	"bytes"
	"errors"
	"io"
)

// maxAnswerHeader is how many bytes the head of an answer may have, the hints
// before it included.
const maxAnswerHeader = 64 << 10

var (
	errNoAnswer       = errors.New("the backend closed the connection without an answer")
	errHeaderTooLarge = errors.New("the header of the answer is too large")
)

// input reads from a connection through a buffer.
type input struct {
	from   io.Reader
	buffer []byte
	at     int // where what was not yet taken begins
}

// begin starts to read from a connection. Nothing is buffered of it.
func (in *input) begin(from io.Reader) {
	*in = input{from: from, buffer: in.buffer[:0]}
}

// rest is what was read and not yet taken. It is valid until the next call of
// fill, block or line.
func (in *input) rest() []byte { return in.buffer[in.at:] }

// buffered is how many bytes rest has.
func (in *input) buffered() int { return len(in.buffer) - in.at }

// fill reads once from the connection, and buffers at least a byte where there
// is no error.
func (in *input) fill() error {
	if in.at > 0 {
		in.buffer = in.buffer[:copy(in.buffer, in.rest())]
		in.at = 0
	}
	if len(in.buffer) == cap(in.buffer) {
		grown := make([]byte, len(in.buffer), 2*cap(in.buffer))
		copy(grown, in.buffer)
		in.buffer = grown
	}
	n, err := in.from.Read(in.buffer[len(in.buffer):cap(in.buffer)])
	in.buffer = in.buffer[:len(in.buffer)+n]
	if n > 0 {
		return nil // the error comes again
	}
	return err
}

// block takes the lines up to an empty one, which is included: at most limit
// bytes. It is valid until the next call of fill, block or line.
func (in *input) block(limit int) ([]byte, error) {
	for seen := 0; ; {
		rest := in.rest()
		end := blockEnd(rest, seen)
		switch {
		case end > limit, end < 0 && len(rest) >= limit:
			return nil, errHeaderTooLarge
		case end > 0:
			in.at += end
			return rest[:end], nil
		}
		seen = max(len(rest)-2, 0)           // the end may have begun there
		if err := in.fill(); err == io.EOF { //nolint:errorlint // as readers give it
			return nil, errNoAnswer
		} else if err != nil {
			return nil, err
		}
	}
}

// blockEnd finds, from an offset on, the empty line that ends a header, and
// returns the offset behind it, or -1. Lines end with CRLF or, as old servers
// write them, with LF.
func blockEnd(b []byte, from int) int {
	for {
		newline := bytes.IndexByte(b[from:], '\n')
		if newline < 0 {
			return -1
		}
		from += newline + 1
		switch rest := b[from:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return from + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from + 2
		}
	}
}

var errLineTooLong = errors.New("a line is too long")

// line takes a line of at most limit bytes, which ends with CRLF and has no other
// CR or LF, and returns it without those. It is valid until the next call of fill,
// block or line.
func (in *input) line(limit int) ([]byte, error) {
	for {
		rest := in.rest()
		switch end := bytes.IndexByte(rest, '\n'); {
		case end > limit, end < 0 && len(rest) > limit:
			return nil, errLineTooLong
		case end == 0, end > 0 && bytes.IndexByte(rest, '\r') != end-1:
			return nil, errChunks
		case end > 0:
			in.at += end + 1
			return rest[:end-1], nil
		}
		if err := in.fill(); err != nil {
			return nil, unexpected(err)
		}
	}
}

// unexpected is the error for a read that failed where more was announced.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // as readers give it
		return io.ErrUnexpectedEOF
	}
	return err
}
