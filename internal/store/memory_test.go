package store

import "testing"

func TestMemory(t *testing.T) {
	t.Parallel()
	contract(t, func(*testing.T) Store { return NewMemory() })
}
