package trace

import (
	"testing"
	"time"
)

// What is kept of a payload is a copy, bounded, and says how long the payload was.
func TestPayload(t *testing.T) {
	t.Parallel()
	trace := &Trace{Keep: 4}
	payload := []byte("123456")
	kept := trace.Payload(payload)
	payload[0] = 'x'
	if string(kept.Kept) != "1234" || kept.Length != 6 {
		t.Errorf("kept %q of %d bytes", kept.Kept, kept.Length)
	}
	if none := (&Trace{}).Payload(payload); len(none.Kept) != 0 || none.Length != 6 {
		t.Errorf("kept %q of %d bytes", none.Kept, none.Length)
	}
}

// There is a bound on the steps of an event, and the first are those that are kept.
func TestSteps(t *testing.T) {
	t.Parallel()
	trace := &Trace{}
	for n := range 2 * maxSteps {
		trace.Add(Limit{At: time.Unix(int64(n), 0)})
	}
	if steps := trace.Steps(); len(steps) != maxSteps || steps[maxSteps-1].(Limit).At.Unix() != maxSteps-1 {
		t.Errorf("%d steps are kept", len(steps))
	}
}
