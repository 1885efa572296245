package vtl

import "sort"

// place is a position in a source, counted from 1.
type place struct{ line, column int }

// places turns offsets in a source into places.
type places struct {
	lines []int // the offsets at which lines begin

	fixed place // every offset's place, if it is set
}

func placesOf(source string) places {
	lines := []int{0}
	for i := range len(source) {
		if source[i] == '\n' {
			lines = append(lines, i+1)
		}
	}
	return places{lines: lines}
}

func (p places) at(offset int) place {
	if p.fixed != (place{}) {
		return p.fixed
	}
	line := sort.SearchInts(p.lines, offset+1)
	return place{line: line, column: offset - p.lines[line-1] + 1}
}
