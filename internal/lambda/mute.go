package lambda

import "time"

const (
	// A file that changes more than busyChanges times within busyPeriod is not
	// code but some program's output, perhaps our own.
	busyChanges = 10
	busyPeriod  = 5 * time.Second
	// busyMoment is the time within which changes count as one: files are
	// written in pieces.
	busyMoment = 50 * time.Millisecond

	maxCounted = 10000 // files whose changes are counted
)

// mutes counts the changes of files, and mutes for good those that change too
// often. It is used by one goroutine.
type mutes struct {
	files map[string]*changeCount
}

type changeCount struct {
	moments []time.Time // of the newest changes, at most busyChanges
	muted   bool
}

// changed counts a change. muted reports whether the file is muted, and first
// whether this change was the one that muted it.
func (m *mutes) changed(path string, now time.Time) (muted, first bool) {
	c := m.files[path]
	if c == nil {
		m.makeRoom(now)
		c = &changeCount{}
		m.files[path] = c
	}
	switch {
	case c.muted:
		return true, false
	case len(c.moments) > 0 && now.Sub(c.moments[len(c.moments)-1]) < busyMoment:
		return false, false
	case len(c.moments) == busyChanges:
		if now.Sub(c.moments[0]) <= busyPeriod {
			c.muted, c.moments = true, nil
			return true, true
		}
		c.moments = append(c.moments[:0], c.moments[1:]...)
	}
	c.moments = append(c.moments, now)
	return false, false
}

// makeRoom forgets files that have not changed lately, and all of them if that
// is not enough.
func (m *mutes) makeRoom(now time.Time) {
	if m.files == nil {
		m.files = map[string]*changeCount{}
	}
	if len(m.files) < maxCounted {
		return
	}
	for path, c := range m.files {
		if !c.muted && now.Sub(c.moments[len(c.moments)-1]) > busyPeriod {
			delete(m.files, path)
		}
	}
	if len(m.files) >= maxCounted {
		clear(m.files)
	}
}
