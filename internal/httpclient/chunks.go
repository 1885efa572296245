package httpclient

import (
	"bytes"
	"errors"
)

var (
	// errChunks is the error for a body that was announced to be in chunks, and is
	// not.
	errChunks   = errors.New("the chunks of the answer are malformed")
	errLongLine = errors.New("a line of the answer is too long")
)

const (
	maxChunkLine = 1 << 10 // bytes of the line before a chunk, extensions included
	maxTrailer   = 2 << 10 // bytes of the fields behind the last chunk
	// maxNonData is how many bytes the lines before chunks may have beyond the
	// usual ones: 16 for a chunk, and two for each byte in it.
	maxNonData = 16 << 10
)

// readChunks is step for a body in chunks (RFC 9112, section 7.1), and for the
// trailer behind it, which is dropped.
func (p *parser) readChunks(b []byte) (rest []byte, more bool, err error) {
	var line []byte
	switch p.part {
	case partChunk:
		if b = p.take(b); p.left > 0 {
			return nil, true, nil
		}
		p.part = partChunkEnd
		return b, false, nil
	case partChunkLine:
		line, rest, more, err = p.line(b, maxChunkLine)
	case partChunkEnd:
		line, rest, more, err = p.line(b, len("\r\n"))
	default:
		line, rest, more, err = p.line(b, p.room)
	}
	if more || err != nil {
		return nil, more, err
	}
	switch p.part {
	case partChunkLine:
		err = p.beginChunk(line)
	case partChunkEnd:
		if p.part = partChunkLine; len(line) > 0 {
			err = errChunks
		}
	default:
		err = p.readTrailer(line)
	}
	return rest, false, err
}

// beginChunk reads the line before a chunk.
func (p *parser) beginChunk(line []byte) error {
	size, ok := parseChunkSize(line)
	switch {
	case !ok:
		return errChunks
	case size > MaxResponseBytes-len(p.body):
		return ErrTooLarge
	}
	// A byte in a chunk of its own is all right; many extensions are not.
	if p.junk = max(0, p.junk+len(line)+len("\r\n")-16-2*size); p.junk > maxNonData {
		return errChunks
	}
	if p.part, p.left = partChunk, size; size == 0 {
		p.part, p.room = partTrailer, maxTrailer
	}
	return nil
}

// readTrailer reads a line of the trailer: a field, or the empty line at its end.
func (p *parser) readTrailer(line []byte) error {
	if len(line) == 0 {
		p.part = partNone
		return nil
	}
	if _, _, ok := cutField(line); !ok {
		return errChunks
	}
	p.room -= len(line) + len("\r\n")
	return nil
}

// line returns a line of at most limit bytes, which ends with CRLF and has no other
// CR or LF, without those, and what follows it. There must be more bytes where its
// end has not come yet. It is valid until the next call.
func (p *parser) line(b []byte, limit int) (line, rest []byte, more bool, err error) {
	end := bytes.IndexByte(b, '\n')
	if end > limit-len(p.kept) || end < 0 && len(b) > limit-len(p.kept) {
		return nil, nil, false, errLongLine
	}
	if end < 0 {
		p.kept = append(p.kept, b...)
		return nil, nil, true, nil
	}
	line, rest = b[:end], b[end+1:]
	if len(p.kept) > 0 {
		p.kept = append(p.kept, line...)
		line, p.kept = p.kept, p.kept[:0]
	}
	if last := len(line) - 1; last < 0 || bytes.IndexByte(line, '\r') != last {
		return nil, nil, false, errChunks
	}
	return line[:len(line)-1], rest, false, nil
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
