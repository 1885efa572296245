package telemetry

import (
	"slices"
	"testing"
)

// named notes its name at each record.
type named struct {
	name string
	seen *[]string
}

func (n named) Record(*Record) { *n.seen = append(*n.seen, n.name) }

// Of several recorders each gets every record, in their order; one alone is not wrapped.
func TestJoin(t *testing.T) {
	t.Parallel()
	var seen []string
	a, b := named{"a", &seen}, named{"b", &seen}
	Join(a, nil, b).Record(&Record{})
	if !slices.Equal(seen, []string{"a", "b"}) {
		t.Errorf("a record went to %q", seen)
	}
	if Join(nil, a) != Recorder(a) {
		t.Error("one recorder is wrapped")
	}
	if Join() != Discard || Join(nil) != Discard {
		t.Error("none is not Discard")
	}
}
