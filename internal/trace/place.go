package trace

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"time"
)

// TraceID is the id of a trace of OpenTelemetry. Its first four bytes are the second in
// which it began, as in the Root of X-Amzn-Trace-Id.
type TraceID [16]byte

// SpanID is the id of a span of OpenTelemetry. The zero value is none.
type SpanID [8]byte

// Place is where an event is in a trace of OpenTelemetry. The zero value is no place.
type Place struct {
	TraceID TraceID
	Parent  SpanID // of the event's span, in another process; zero: it has none
	Event   SpanID // the event's span
	Call    SpanID // the span of the event's integration, which backends are told
	Sampled bool   // the spans are exported
	Connect *Link  // the event of the connection's handshake; nil: it has no spans
}

// Link is a span of another trace.
type Link struct {
	TraceID TraceID
	Span    SpanID
}

// NewPlace makes a place with new ids. The trace's is that of the parent, or a new one
// where the parent has none.
func NewPlace(parent Remote, now time.Time) Place {
	p := Place{TraceID: parent.TraceID, Parent: parent.Span}
	if p.TraceID == (TraceID{}) {
		binary.BigEndian.PutUint32(p.TraceID[:], uint32(now.Unix()))
		binary.BigEndian.PutUint32(p.TraceID[4:], rand.Uint32())
		binary.BigEndian.PutUint64(p.TraceID[8:], rand.Uint64())
	}
	binary.BigEndian.PutUint64(p.Event[:], rand.Uint64()|1)
	binary.BigEndian.PutUint64(p.Call[:], rand.Uint64()|1)
	return p
}

// Decision is whether a trace is sampled, where that is known.
type Decision int

// The decisions.
const (
	Undecided Decision = iota
	Sampled
	NotSampled
)

// Remote is what a request says about its place in a trace. The zero value is nothing.
type Remote struct {
	TraceID  TraceID
	Span     SpanID // zero: it names none
	Decision Decision
}

// ParseAmzn reads a value of X-Amzn-Trace-Id, such as
// Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1. It reports
// whether there is a Root; without one, nothing of the value counts.
func ParseAmzn(value string) (r Remote, ok bool) {
	for field := range strings.SplitSeq(value, ";") {
		name, text, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch {
		case strings.EqualFold(name, "Root"):
			if ok = parseRoot(&r.TraceID, text); !ok {
				return Remote{}, false
			}
		case strings.EqualFold(name, "Parent"):
			if !decode(r.Span[:], text) {
				r.Span = SpanID{}
			}
		case strings.EqualFold(name, "Sampled") && text == "1":
			r.Decision = Sampled
		case strings.EqualFold(name, "Sampled") && text == "0":
			r.Decision = NotSampled
		}
	}
	if !ok {
		return Remote{}, false
	}
	return r, true
}

// parseRoot reads 1-XXXXXXXX-XXXXXXXXXXXXXXXXXXXXXXXX.
func parseRoot(id *TraceID, text string) bool {
	return len(text) == 35 && text[:2] == "1-" && text[10] == '-' &&
		decode(id[:4], text[2:10]) && decode(id[4:], text[11:]) && *id != TraceID{}
}

// ParseTraceparent reads a traceparent of W3C's Trace Context, of this version or a later
// one.
func ParseTraceparent(value string) (r Remote, ok bool) {
	if len(value) < 55 || value[2] != '-' || value[35] != '-' || value[52] != '-' || strings.ToLower(value) != value {
		return Remote{}, false
	}
	var version, flags [1]byte
	if !decode(version[:], value[:2]) || !decode(r.TraceID[:], value[3:35]) || !decode(r.Span[:], value[36:52]) || !decode(flags[:], value[53:55]) {
		return Remote{}, false
	}
	if version[0] == 0xff || version[0] == 0 && len(value) > 55 || len(value) > 55 && value[55] != '-' || r.TraceID == (TraceID{}) || r.Span == (SpanID{}) {
		return Remote{}, false
	}
	r.Decision = NotSampled
	if flags[0]&1 != 0 {
		r.Decision = Sampled
	}
	return r, true
}

// decode reads as many bytes as dst has, in hexadecimal digits, and no more.
func decode(dst []byte, text string) bool {
	if len(text) != 2*len(dst) {
		return false
	}
	for i := range dst {
		high, low := digit(text[2*i]), digit(text[2*i+1])
		if high|low > 0xf {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

// digit is the value of a hexadecimal digit; 0xff for another character.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// Headers returns the values of X-Amzn-Trace-Id and traceparent that a backend is sent:
// its parent is the event's call.
func (p *Place) Headers() (amzn, traceparent string) {
	var room [160]byte
	b := append(room[:0], "Root=1-"...)
	b = hex.AppendEncode(b, p.TraceID[:4])
	b = hex.AppendEncode(append(b, '-'), p.TraceID[4:])
	b = hex.AppendEncode(append(b, ";Parent="...), p.Call[:])
	b = append(b, ";Sampled="...)
	b = append(b, p.flag())
	end := len(b)
	b = hex.AppendEncode(append(b, "00-"...), p.TraceID[:])
	b = hex.AppendEncode(append(b, '-'), p.Call[:])
	b = append(b, "-0"...)
	b = append(b, p.flag())
	both := string(b)
	return both[:end], both[end:]
}

func (p *Place) flag() byte {
	if p.Sampled {
		return '1'
	}
	return '0'
}
