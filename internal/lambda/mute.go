package lambda

import "time"

const (
	// A file that changes in more than busyChanges moments of busyPeriod is
	// something's output: perhaps our own, which somebody keeps in a file there.
	busyChanges = 10
	busyPeriod  = 5 * time.Second
	// busyMoment is how long one change lasts at least: files are written in
	// pieces.
	busyMoment = 50 * time.Millisecond

	maxCounted = 10000 // files whose changes are counted
)

// mutes counts the changes of files, and mutes the busy ones for good. It is for
// one goroutine.
type mutes struct {
	files map[string]*changeCount
}

type changeCount struct {
	moments []time.Time // of the newest changes, at most busyChanges
	muted   bool
}

// changed counts a change. It reports whether the file is muted, and whether
// this change brought that about.
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
