package eventloop

// A wheel has levels of 256 slots; a slot of a level spans all of the level below. With
// a tick of 10 ms they reach 2.56 s, 11 minutes and 46 hours; what is due later is
// moved on after that time, until it is due.
const (
	wheelLevels = 3
	wheelBits   = 8
	wheelSlots  = 1 << wheelBits
	wheelReach  = 1<<(wheelLevels*wheelBits) - 1
)

// Wheel keeps entries by the tick that they are due at. Adding and removing one takes the same few steps however many
// there are. A tick is a count of Tick since a time of the caller's choice, more than 0. The zero value is empty. It is not
// safe for concurrent use.
type Wheel[E Entry[E]] struct {
	tick   int64 // the last that was handled
	slots  [wheelLevels][wheelSlots]E
	counts [wheelLevels]int
}

// Entry is what a Wheel keeps: a pointer to something that has a Place in it.
type Entry[E any] interface {
	comparable
	Place() *Place[E]
}

// Place is where in a wheel an entry is. The zero value is nowhere.
type Place[E any] struct {
	prev, next E
	due        int64
	level      uint8
	slot       uint8
}

// Due is the tick that the entry was added for; 0: it is in no wheel.
func (p *Place[E]) Due() int64 { return p.due }

// Add puts an entry into the wheel, that isn't in one. Where the tick is over already, it is due at the next one.
func (w *Wheel[E]) Add(e E, due, now int64) {
	if w.Empty() {
		w.tick = max(w.tick, now)
	}
	w.insert(e, max(due, w.tick+1))
}

// Remove takes an entry out of the wheel, if it is in it.
func (w *Wheel[E]) Remove(e E) {
	var none E
	p := e.Place()
	if p.due == 0 {
		return
	}
	if p.prev != none {
		p.prev.Place().next = p.next
	} else {
		w.slots[p.level][p.slot] = p.next
	}
	if p.next != none {
		p.next.Place().prev = p.prev
	}
	w.counts[p.level]--
	*p = Place[E]{}
}

// Empty reports whether there is no entry.
func (w *Wheel[E]) Empty() bool { return w.counts == [wheelLevels]int{} }

// Next is the tick at which Pop has to be called: an entry may be due then. 0: the wheel is empty.
func (w *Wheel[E]) Next() int64 {
	var none E
	if w.Empty() {
		return 0
	}
	border := (w.tick>>wheelBits + 1) << wheelBits
	if w.counts[0] == 0 {
		return border
	}
	tick := w.tick + 1
	for w.slots[0][uint8(tick)] == none && tick < border {
		tick++
	}
	return tick
}

// Pop takes out an entry that is due; nil: there is none at that tick. The caller may change the wheel between calls.
func (w *Wheel[E]) Pop(now int64) E {
	var none E
	for {
		if e := w.slots[0][uint8(w.tick)]; e != none {
			w.Remove(e)
			return e
		}
		next := w.Next()
		if next == 0 || next > now {
			return none
		}
		w.advance(next)
	}
}

// advance moves on to a tick, and spreads the slots of higher levels that begin with it.
func (w *Wheel[E]) advance(tick int64) {
	var none E
	w.tick = tick
	for level := wheelLevels - 1; level > 0; level-- {
		if tick&(1<<(level*wheelBits)-1) != 0 {
			continue
		}
		slot := uint8(tick >> (level * wheelBits))
		for e := w.slots[level][slot]; e != none; {
			next, due := e.Place().next, e.Place().due
			w.Remove(e)
			w.insert(e, due)
			e = next
		}
	}
}

// insert puts an entry into the lowest level that reaches from the tick to its own.
func (w *Wheel[E]) insert(e E, due int64) {
	var none E
	place := min(max(due, w.tick), w.tick+wheelReach)
	level := 0
	for place-w.tick >= 1<<((level+1)*wheelBits) {
		level++
	}
	slot := uint8(place >> (level * wheelBits))
	head := w.slots[level][slot]
	*e.Place() = Place[E]{next: head, due: due, level: uint8(level), slot: slot}
	if head != none {
		head.Place().prev = e
	}
	w.slots[level][slot] = e
	w.counts[level]++
}
