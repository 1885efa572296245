package lambda

import (
	"bytes"
	"io"
	"strings"
)

// maxLineBytes is the largest size of a line. CloudWatch Logs has the same
// limit.
const maxLineBytes = 256 << 10

// copyLines reads lines until the reader ends, and calls line with each as
// valid UTF-8. A line over maxLineBytes comes in pieces. It uses no more memory
// than one such line.
func copyLines(r io.Reader, line func(string)) {
	buffer := make([]byte, 0, 4<<10)
	emit := func(b []byte) {
		line(strings.ToValidUTF8(string(bytes.TrimSuffix(b, []byte("\r"))), "\uFFFD"))
	}
	for {
		if len(buffer) == cap(buffer) {
			buffer = grow(buffer)
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		fresh := len(buffer)
		buffer = buffer[:fresh+n]
		rest := buffer
		for {
			end := bytes.IndexByte(rest[fresh:], '\n')
			if end < 0 {
				break
			}
			emit(rest[:fresh+end])
			rest, fresh = rest[fresh+end+1:], 0
		}
		if len(rest) >= maxLineBytes {
			emit(rest)
			rest = nil
		}
		buffer = buffer[:copy(buffer[:cap(buffer)], rest)]
		if err != nil {
			if len(buffer) > 0 {
				emit(buffer)
			}
			return
		}
	}
}

func grow(b []byte) []byte {
	larger := make([]byte, len(b), min(4*cap(b), maxLineBytes))
	copy(larger, b)
	return larger
}

// notice writes a notice of the host to the log, line by line.
func (h *Host) notice(function, requestID, text string) {
	for line := range strings.Lines(text) {
		h.options.Log(LogLine{
			Function:  function,
			RequestID: requestID,
			Text:      strings.ToValidUTF8(strings.TrimRight(line, "\r\n"), "\uFFFD"),
			Notice:    true,
		})
	}
}

// noticeOnce writes a notice once in the host's life.
func (h *Host) noticeOnce(function, text string) {
	if _, told := h.told.LoadOrStore(text, true); !told {
		h.notice(function, "", text)
	}
}
