package httpclient

import (
	"fmt"
	"io"
)

// MaxResponseBytes is the largest body of an answer.
const MaxResponseBytes = 10 << 20

// ErrTooLarge is the error for an answer with a larger body.
var ErrTooLarge = fmt.Errorf("the answer is larger than %d bytes", MaxResponseBytes)

// body reads the body that follows a head, however that says how long it is.
func (in *input) body(h *answerHead) ([]byte, error) {
	switch {
	case h.chunked:
		return in.chunks()
	case h.length > MaxResponseBytes:
		return nil, ErrTooLarge
	case h.length >= 0:
		return in.take(make([]byte, 0, h.length), int(h.length))
	}
	return in.untilEnd()
}

// take appends the next n bytes to dst. It reads what is not buffered yet
// straight into it.
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
		if len(body) > MaxResponseBytes {
			return nil, ErrTooLarge
		}
		if err := in.fill(); err == io.EOF { //nolint:errorlint // as readers give it
			return body, nil
		} else if err != nil {
			return nil, err
		}
	}
}
