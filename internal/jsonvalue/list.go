package jsonvalue

// List is a JSON array. The zero value is empty.
type List struct {
	Items []any
}

// NewList makes a list of the items. It keeps the slice.
func NewList(items ...any) *List {
	return &List{Items: items}
}

// Len is the number of items.
func (l *List) Len() int {
	return len(l.Items)
}

// At gives the item at an index, or false when there is none.
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
