package vtl

import "strings"

// place is a position in a source, counted from 1.
type place struct{ line, column int }

// tracker turns offsets into places. Offsets mostly grow, so it counts on from
// the last.
type tracker struct {
	start  place // of offset 0
	offset int
	at     place
	fixed  bool // every offset has the same place
}

func newTracker() tracker {
	first := place{line: 1, column: 1}
	return tracker{start: first, at: first}
}

// skip says that some text stands before the source.
func (t *tracker) skip(before string) {
	t.start = t.start.after(before)
	t.at = t.start
}

func (t *tracker) place(source string, offset int) place {
	if t.fixed {
		return t.start
	}
	if offset < t.offset {
		t.offset, t.at = 0, t.start
	}
	t.at = t.at.after(source[t.offset:offset])
	t.offset = offset
	return t.at
}

func (p place) after(text string) place {
	if lines := strings.Count(text, "\n"); lines > 0 {
		return place{line: p.line + lines, column: len(text) - strings.LastIndexByte(text, '\n')}
	}
	p.column += len(text)
	return p
}
