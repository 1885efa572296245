package trace

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

// What is read of X-Amzn-Trace-Id and of traceparent.
func TestParseHeaders(t *testing.T) {
	t.Parallel()
	const (
		root  = "Root=1-5759e988-bd862e3fe1be46a994272793"
		id    = "5759e988bd862e3fe1be46a994272793"
		span  = "53995c3f42cd8ad8"
		w3c   = "00-" + id + "-" + span
		extra = ";Parent=" + span
	)
	tests := []struct {
		parse    func(string) (Remote, bool)
		value    string
		trace    string // empty: it says nothing
		span     string
		decision Decision
	}{
		{ParseAmzn, root, id, "", Undecided},
		{ParseAmzn, root + extra + ";Sampled=1", id, span, Sampled},
		{ParseAmzn, "Self=1-67891234-12456789abcdef0123456789;" + root + ";Sampled=0;Lineage=a:1", id, "", NotSampled},
		{ParseAmzn, " sampled=1 ; root=1-5759E988-BD862E3FE1BE46A994272793 ", id, "", Sampled},
		{ParseAmzn, root + ";Parent=1;Sampled=?", id, "", Undecided},
		{ParseAmzn, "Parent=" + span + ";Sampled=1", "", "", Undecided},
		{ParseAmzn, "Root=1-5759e988-bd862e3fe1be46a99427279", "", "", Undecided},
		{ParseAmzn, "Root=2-5759e988-bd862e3fe1be46a994272793", "", "", Undecided},
		{ParseAmzn, "Root=1-00000000-000000000000000000000000", "", "", Undecided},
		{ParseAmzn, root + ";Root=1-2-3", "", "", Undecided},
		{ParseAmzn, "", "", "", Undecided},
		{ParseTraceparent, w3c + "-01", id, span, Sampled},
		{ParseTraceparent, w3c + "-02", id, span, NotSampled},
		{ParseTraceparent, "01" + w3c[2:] + "-01-more", id, span, Sampled},
		{ParseTraceparent, w3c + "-01-more", "", "", Undecided},
		{ParseTraceparent, "ff" + w3c[2:] + "-01", "", "", Undecided},
		{ParseTraceparent, "01" + w3c[2:] + "-01more", "", "", Undecided},
		{ParseTraceparent, strings.ToUpper(w3c) + "-01", "", "", Undecided},
		{ParseTraceparent, "00-" + strings.Repeat("0", 32) + "-" + span + "-01", "", "", Undecided},
		{ParseTraceparent, "00-" + id + "-0000000000000000-01", "", "", Undecided},
		{ParseTraceparent, w3c, "", "", Undecided},
	}
	for _, test := range tests {
		got, ok := test.parse(test.value)
		want := Remote{Decision: test.decision}
		_, _ = hex.Decode(want.TraceID[:], []byte(test.trace))
		_, _ = hex.Decode(want.Span[:], []byte(test.span))
		if got != want || ok != (test.trace != "") {
			t.Errorf("%q: %+v, %t", test.value, got, ok)
		}
	}
}

// What backends are sent is what is read: the call of the event as the parent.
func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, sampled := range []bool{true, false} {
		place := NewPlace(Remote{}, time.Unix(0x5759e988, 0))
		place.Sampled = sampled
		amzn, traceparent := place.Headers()
		want := Remote{TraceID: place.TraceID, Span: place.Call, Decision: NotSampled}
		if sampled {
			want.Decision = Sampled
		}
		if got, ok := ParseAmzn(amzn); got != want || !ok || !strings.HasPrefix(amzn, "Root=1-5759e988-") {
			t.Errorf("X-Amzn-Trace-Id: %s is read as %+v", amzn, got)
		}
		if got, ok := ParseTraceparent(traceparent); got != want || !ok {
			t.Errorf("traceparent: %s is read as %+v", traceparent, got)
		}
	}
}

// A place in the trace of a parent keeps that trace, and has spans of its own.
func TestNewPlace(t *testing.T) {
	t.Parallel()
	parent := Remote{TraceID: TraceID{1}, Span: SpanID{2}}
	place := NewPlace(parent, time.Now())
	if place.TraceID != parent.TraceID || place.Parent != parent.Span || place.Event == (SpanID{}) || place.Call == (SpanID{}) || place.Event == place.Call {
		t.Errorf("the place is %+v", place)
	}
	if other := NewPlace(Remote{}, time.Now()); other.TraceID == NewPlace(Remote{}, time.Now()).TraceID || other.Parent != (SpanID{}) {
		t.Errorf("the place is %+v", other)
	}
}

// No header that a client sends breaks the parsers, and what they read is written as it
// was read.
func FuzzParseHeaders(f *testing.F) {
	f.Add("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	f.Add("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01")
	f.Fuzz(func(t *testing.T, value string) {
		for _, parse := range []func(string) (Remote, bool){ParseAmzn, ParseTraceparent} {
			r, ok := parse(value)
			if ok == (r.TraceID == TraceID{}) {
				t.Errorf("%q: %+v, %t", value, r, ok)
			}
			place := NewPlace(r, time.Now())
			amzn, _ := place.Headers()
			if again, _ := ParseAmzn(amzn); again.TraceID != place.TraceID {
				t.Errorf("%q became %q", value, amzn)
			}
		}
	})
}
