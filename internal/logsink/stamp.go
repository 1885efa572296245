package logsink

import (
	"bytes"
	"iter"
	"strconv"
	"time"
)

// stamp is how the time of a line stands before it.
type stamp int

const (
	noStamp     stamp = iota // the line says itself what it says of its time
	textStamp                // RFC 3339 in UTC with milliseconds, and a space
	numberStamp              // microseconds since 1970, and a space: for outputs that take times apart
)

// stampSize is how long a time with its space can be.
const stampSize = 40

// append appends the time of a line.
func (s stamp) append(to []byte, t time.Time) []byte {
	switch s {
	case textStamp:
		return t.UTC().AppendFormat(to, "2006-01-02T15:04:05.000Z ")
	case numberStamp:
		return append(strconv.AppendInt(to, t.UnixMicro(), 10), ' ')
	}
	return to
}

// entry is a line of a queue whose stamps are numbers.
type entry struct {
	time time.Time
	line []byte
	raw  []byte // both, with the line break
}

// entries gives the lines of a text, which have number stamps.
func entries(text []byte) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for raw := range bytes.Lines(text) {
			number, line, _ := bytes.Cut(bytes.TrimSuffix(raw, []byte{'\n'}), []byte{' '})
			microseconds, _ := strconv.ParseInt(string(number), 10, 64) // a queue has written it
			if !yield(entry{time.UnixMicro(microseconds), line, raw}) {
				return
			}
		}
	}
}
