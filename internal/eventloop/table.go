package eventloop

import "sync"

// table has what a loop watches by slot. A slot and a serial fit the data word of a kernel event, and tell a late
// event for a socket that is gone from one for its successor.
type table struct {
	mu      sync.Mutex // guards what follows
	watched []watched
	free    []uint32
	serial  uint32
}

type watched struct {
	watcher Watcher // nil: the slot is free
	serial  uint32
}

func (t *table) add(w Watcher) Watch {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.serial++; t.serial == 0 {
		t.serial = 1 // so that none is the zero value
	}
	entry := watched{w, t.serial}
	if last := len(t.free) - 1; last >= 0 {
		slot := t.free[last]
		t.free = t.free[:last]
		t.watched[slot] = entry
		return Watch{slot, t.serial}
	}
	t.watched = append(t.watched, entry)
	return Watch{uint32(len(t.watched) - 1), t.serial}
}

// remove reports whether it was there.
func (t *table) remove(w Watch) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.getLocked(w) == nil {
		return false
	}
	t.watched[w.slot] = watched{}
	t.free = append(t.free, w.slot)
	return true
}

// get returns nil for what is gone.
func (t *table) get(w Watch) Watcher {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.getLocked(w)
}

func (t *table) getLocked(w Watch) Watcher {
	if int(w.slot) < len(t.watched) && t.watched[w.slot].serial == w.serial {
		return t.watched[w.slot].watcher
	}
	return nil
}
