package httpclient

import "errors"

// errChunks is the error for a body that was announced to be in chunks, and is
// not.
var errChunks = errors.New("the chunks of the answer are malformed")

const (
	maxChunkLine = 1 << 10 // bytes of the line before a chunk, extensions included
	maxTrailer   = 2 << 10 // bytes of the fields behind the last chunk
	// maxNonData is how many bytes the lines before chunks may have beyond the
	// usual ones: 16 for a chunk, and two for each byte in it.
	maxNonData = 16 << 10
)

// chunks reads a body in chunks (RFC 9112, section 7.1), and the trailer behind
// it, which is dropped.
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
		case size > MaxResponseBytes-len(body):
			return nil, ErrTooLarge
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

// parseChunkSize reads the line before a chunk. A size that no answer may have is
// returned as MaxResponseBytes+1.
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
		size = min(16*size+digit, MaxResponseBytes+1)
	}
	return size, digits > 0
}

// isChunkEnd reports whether what follows the digits of a chunk's size may follow
// them: spaces, or extensions behind a semicolon.
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

// trailer reads the fields behind the last chunk, and the empty line that ends
// them.
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
