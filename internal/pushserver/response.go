package pushserver

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// response is the answer to a request: a http.ResponseWriter that makes of what the
// handler says what that of net/http makes of it.
type response struct {
	conn   *Conn
	began  time.Time
	header http.Header
	out    output // not yet written to the socket

	status   int   // 0: WriteHeader was not called
	length   int64 // of the body, as the handler has it; -1: it has not said
	written  int64 // bytes of the body
	measured bool  // the handler has set a Content-Length, perhaps a wrong one
	typed    bool  // there is what says of which type the body is
	dated    bool  // there is a Date
	last     bool  // the connection ends with this answer

	body    []byte // the beginning, while the head is not complete, or the next chunk
	begun   bool   // the head is complete
	chunked bool
	err     error // of the socket

	second int64 // of date, in Unix time
	date   []byte
}

const (
	bodyBuffer   = 2048     // how much of a body net/http waits for before the head is complete
	outputBuffer = 4096     // how much of an answer it waits for before it writes
	mostKept     = 16 << 10 // of buffers, for the next answer
)

// output is what is to be written.
type output []byte

func (o *output) Write(p []byte) (int, error) {
	*o = append(*o, p...)
	return len(p), nil
}

func (o *output) WriteString(s string) (int, error) {
	*o = append(*o, s...)
	return len(s), nil
}

func (w *response) begin(c *Conn, now time.Time) {
	clear(w.header)
	*w = response{conn: c, began: now, header: w.header, out: w.out[:0], body: w.body[:0], length: -1, second: w.second, date: w.date}
}

// Header implements http.ResponseWriter. What is changed in it after WriteHeader is not
// sent.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic("invalid WriteHeader code " + strconv.Itoa(status)) // as net/http
	}
	if w.status != 0 || status < 200 {
		return
	}
	w.status = status
	if _, found := w.header["Content-Length"]; found {
		w.measured = true
		n, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64)
		if err == nil && n >= 0 {
			w.length = n
		} else {
			delete(w.header, "Content-Length") // the answer comes in chunks
		}
	}
	_, w.typed = w.header["Content-Type"]
	_, w.dated = w.header["Date"]
	w.typed = w.typed || w.header.Get("Content-Encoding") != ""
	w.last = w.header.Get("Connection") == "close"

	w.out = append(w.out, "HTTP/1.1 "...)
	w.out = strconv.AppendInt(w.out, int64(status), 10)
	if text := http.StatusText(status); text != "" {
		w.out = append(append(w.out, ' '), text...)
	} else {
		w.out = strconv.AppendInt(append(w.out, " status code "...), int64(status), 10)
	}
	w.out = append(w.out, lineEnd...)
	if w.mayHaveBody() && w.plainHeader() {
		return
	}
	_ = w.header.WriteSubset(&w.out, unwritten(status)) // no error comes of memory
}

// mostPlain is how many fields a plain header may have.
const mostPlain = 12

// plainHeader writes a header of few fields, in which net/http has nothing to change: in
// the order of their names. It reports whether the header is one; otherwise nothing is
// written.
func (w *response) plainHeader() bool {
	var names [mostPlain]string
	n := 0
	for name, values := range w.header {
		if n == mostPlain || len(values) != 1 || !all(name, inName) || name == "" || name == "Transfer-Encoding" || !isPlain(values[0]) {
			return false
		}
		i := n
		for ; i > 0 && names[i-1] > name; i-- {
			names[i] = names[i-1]
		}
		names[i] = name
		n++
	}
	for _, name := range names[:n] {
		w.out = append(append(w.out, name...), ": "...)
		w.out = append(append(w.out, w.header[name][0]...), lineEnd...)
	}
	return true
}

// isPlain reports whether a value is written as it is.
func isPlain(value string) bool {
	return value == "" || all(value, inValue) && value[0] > ' ' && value[len(value)-1] > ' '
}

// unwritten are the fields that an answer of a status does not have.
func unwritten(status int) map[string]bool {
	switch status {
	case http.StatusNotModified:
		return withoutContent
	case http.StatusNoContent:
		return withoutBody
	}
	return withoutEncoding
}

var (
	withoutEncoding = map[string]bool{"Transfer-Encoding": true}
	withoutBody     = map[string]bool{"Transfer-Encoding": true, "Content-Length": true}
	withoutContent  = map[string]bool{"Transfer-Encoding": true, "Content-Length": true, "Content-Type": true}
)

func (w *response) mayHaveBody() bool {
	return w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch w.written += int64(len(p)); {
	case len(p) == 0:
		return 0, nil
	case !w.mayHaveBody():
		return 0, http.ErrBodyNotAllowed
	case w.length >= 0 && w.written > w.length:
		return 0, http.ErrContentLength
	}
	for rest := p; ; {
		room := bodyBuffer - len(w.body)
		if len(rest) <= room {
			w.body = append(w.body, rest...)
			return len(p), w.err
		}
		if len(w.body) == 0 {
			w.send(rest, false)
			return len(p), w.err
		}
		w.body = append(w.body, rest[:room]...)
		w.send(w.body, false)
		w.body, rest = w.body[:0], rest[room:]
	}
}

// send sends a part of the body. complete says that it is the last, and empty where
// there is none.
func (w *response) send(p []byte, complete bool) {
	if !w.begun {
		w.endHead(p, complete)
	}
	switch {
	case len(p) == 0:
	case w.chunked:
		w.out = append(strconv.AppendInt(w.out, int64(len(p)), 16), lineEnd...)
		w.out = append(append(w.out, p...), lineEnd...)
	default:
		w.out = append(w.out, p...)
	}
	if len(w.out) >= outputBuffer {
		w.flush()
	}
}

// endHead adds what the handler's header lacks, given the beginning of the body.
func (w *response) endHead(p []byte, complete bool) {
	w.begun = true
	if !w.dated {
		w.out = append(append(append(w.out, "Date: "...), w.now()...), lineEnd...)
	}
	if complete && !w.measured && w.mayHaveBody() {
		w.length = int64(len(p))
		w.out = append(strconv.AppendInt(append(w.out, "Content-Length: "...), w.length, 10), lineEnd...)
	}
	if !w.typed && len(p) > 0 {
		w.out = append(append(append(w.out, "Content-Type: "...), http.DetectContentType(p)...), lineEnd...)
	}
	if w.chunked = w.length < 0 && w.mayHaveBody(); w.chunked {
		w.out = append(w.out, "Transfer-Encoding: chunked\r\n"...)
	}
	w.out = append(w.out, lineEnd...)
}

// now is the time of the request, as a Date has it.
func (w *response) now() []byte {
	if second := w.began.Unix(); second != w.second {
		w.second, w.date = second, w.began.UTC().AppendFormat(w.date[:0], http.TimeFormat)
	}
	return w.date
}

// errLast says that the connection ends with an answer.
var errLast = errors.New("pushserver: the connection ends")

// finish sends what is left when the handler has returned. An error says that the
// connection has to be closed.
func (w *response) finish() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.send(w.body, true); w.chunked {
		w.out = append(w.out, "0\r\n\r\n"...)
	}
	if w.flush(); w.err == nil && (w.last || w.mayHaveBody() && w.length >= 0 && w.length != w.written) {
		w.err = errLast
	}
	if cap(w.out) > mostKept {
		w.out = nil
	}
	return w.err
}

func (w *response) flush() {
	if w.err == nil && len(w.out) > 0 {
		w.err = w.conn.write(w.out, w.began)
	}
	w.out = w.out[:0]
}
