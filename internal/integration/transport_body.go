package integration

import (
	"errors"
	"io"
)

// errChunks is a body that is not in chunks as it was announced.
var errChunks = errors.New("the chunks of the answer are malformed")

// body reads the body that follows a head.
func (in *input) body(h *answerHead) ([]byte, error) {
	switch {
	case h.chunked:
		return in.chunks()
	case h.length > maxResponseBytes:
		return nil, errResponseTooLarge
	case h.length >= 0:
		return in.take(make([]byte, 0, h.length), int(h.length))
	}
	return in.untilEnd()
}

// take appends the next n bytes.
func (in *input) take(dst []byte, n int) ([]byte, error) {
	there := min(n, in.buffered())
	dst = append(dst, in.rest()[:there]...)
	in.at += there
	n -= there
	if n == 0 {
		return dst, nil
	}
	if len(dst)+n > cap(dst) {
		dst = append(make([]byte, 0, max(2*cap(dst), len(dst)+n)), dst...)
	}
	end := len(dst)
	dst = dst[:end+n]
	_, err := io.ReadFull(in.from, dst[end:])
	return dst, unexpected(err)
}

// untilEnd reads until the backend closes the connection.
func (in *input) untilEnd() ([]byte, error) {
	body := []byte{}
	for {
		body = append(body, in.rest()...)
		in.at = len(in.buffer)
		if len(body) > maxResponseBytes {
			return nil, errResponseTooLarge
		}
		if err := in.fill(); err == io.EOF { //nolint:errorlint // as readers give it
			return body, nil
		} else if err != nil {
			return nil, err
		}
	}
}

const (
	maxChunkLine = 1 << 10 // with its extensions
	maxTrailer   = 2 << 10
	// maxNonData is how much more than usual may be written about chunks than
	// is in them.
	maxNonData = 16 << 10
)

// chunks reads a body in chunks, with the trailer behind it, which is dropped.
func (in *input) chunks() ([]byte, error) {
	body := []byte{}
	for excess := 0; ; {
		line, err := in.line(maxChunkLine)
		if err != nil {
			return nil, err
		}
		excess += len(line) + len("\r\n")
		size, ok := parseChunkSize(line)
		switch {
		case !ok:
			return nil, errChunks
		case size > maxResponseBytes-len(body):
			return nil, errResponseTooLarge
		}
		// A byte in a chunk of its own is all right; many extensions are not.
		if excess = max(0, excess-16-2*size); excess > maxNonData {
			return nil, errChunks
		}
		if size == 0 {
			return body, in.trailer()
		}
		if body, err = in.take(body, size); err != nil {
			return nil, err
		}
		if end, err := in.line(len("\r\n")); err != nil {
			return nil, err
		} else if len(end) > 0 {
			return nil, errChunks
		}
	}
}

// parseChunkSize reads the line before a chunk. What does not fit into any
// answer is one more than the largest.
func parseChunkSize(line []byte) (size int, ok bool) {
	const maxDigits = 16
	digits := 0
	for _, c := range line {
		var digit int
		switch {
		case '0' <= c && c <= '9':
			digit = int(c - '0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			digit = int(c|0x20-'a') + 10
		default:
			return size, digits > 0 && isChunkEnd(line[digits:])
		}
		if digits++; digits > maxDigits {
			return 0, false
		}
		size = min(16*size+digit, maxResponseBytes+1)
	}
	return size, digits > 0
}

// isChunkEnd tells whether what follows a chunk's size is space or extensions.
func isChunkEnd(rest []byte) bool {
	for _, c := range rest {
		if c == ';' {
			return true
		}
		if c != ' ' && c != '\t' {
			return false
		}
	}
	return true
}

// trailer reads the fields behind the last chunk.
func (in *input) trailer() error {
	for room := maxTrailer; ; {
		line, err := in.line(room)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		if _, _, ok := cutField(line); !ok {
			return errChunks
		}
		room -= len(line) + len("\r\n")
	}
}
