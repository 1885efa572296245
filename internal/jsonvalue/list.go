package jsonvalue

// List is a JSON array. The zero value is empty.
type List struct {
	Items []any
}

// NewList makes a list of the items. It keeps the slice.
func NewList(items ...any) *List {
	return &List{Items: items}
}

// copyOf makes a list of a copy of the items.
func copyOf(items []any) *List {
	if len(items) > 4 {
		return &List{Items: append([]any(nil), items...)}
	}
	// List and items are one allocation where they are few.
	l := new(struct {
		List
		room [4]any
	})
	l.Items = append(l.room[:0], items...)
	return &l.List
}

// Len is the number of items.
func (l *List) Len() int {
	return len(l.Items)
}

// At returns the item at an index, or false when there is none.
func (l *List) At(i int) (any, bool) {
	if i < 0 || i >= len(l.Items) {
		return nil, false
	}
	return l.Items[i], true
}

// Add puts an item at the end.
func (l *List) Add(item any) {
	l.Items = append(l.Items, item)
}
