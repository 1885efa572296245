package eventloop

import (
	"math/rand/v2"
	"testing"
)

// entry is in a wheel.
type entry struct{ place Place[*entry] }

func (e *entry) Place() *Place[*entry] { return &e.place }

// TestWheel compares a wheel with what it is to do, tick by tick: entries are added, removed, moved and popped, some of
// them while others of the same tick are, and some beyond the reach of the lowest level.
func TestWheel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		var w Wheel[*entry]
		due := map[*entry]int64{}
		now := int64(1 + r.IntN(1000))
		add := func(e *entry) {
			at := now + int64(r.IntN([]int{3, 300, 70_000}[r.IntN(3)]))
			w.Add(e, at, now)
			due[e] = max(at, w.tick+1)
			if e.place.Due() != due[e] {
				t.Fatalf("seed %d: added for %d, and due at %d", seed, due[e], e.place.Due())
			}
		}
		for range 20_000 {
			switch r.IntN(4) {
			case 0:
				add(new(entry))
			case 1:
				for e := range due {
					w.Remove(e)
					delete(due, e)
					break
				}
			}
			if next := w.Next(); next != 0 && r.IntN(2) == 0 {
				now = max(now, next)
			} else {
				now += int64(r.IntN(5))
			}
			for e := w.Pop(now); e != nil; e = w.Pop(now) {
				if due[e] == 0 || due[e] > now {
					t.Fatalf("seed %d, tick %d: popped what is due at %d", seed, now, due[e])
				}
				delete(due, e)
				if r.IntN(3) == 0 {
					add(e)
				}
			}
			for e, at := range due {
				if at <= now && at <= w.tick {
					t.Fatalf("seed %d, tick %d: %p is due at %d, and was not popped", seed, now, e, at)
				}
				if next := w.Next(); next == 0 || next > at {
					t.Fatalf("seed %d, tick %d: next is %d, with one due at %d", seed, now, next, at)
				}
			}
			if w.Empty() != (len(due) == 0) {
				t.Fatalf("seed %d: empty is %t with %d entries", seed, w.Empty(), len(due))
			}
			if len(due) > 50 {
				for e := range due {
					w.Remove(e)
				}
				clear(due)
			}
		}
	}
}

// What is due later than the wheel reaches comes when it is due.
func TestWheelBeyondItsReach(t *testing.T) {
	t.Parallel()
	var w Wheel[*entry]
	e := new(entry)
	due := int64(3*wheelReach + 7)
	w.Add(e, due, 1)
	for now := w.Next(); ; now = w.Next() {
		got := w.Pop(now)
		if got == nil && now < due {
			continue
		}
		if got != e || now != due {
			t.Fatalf("popped %p at %d, want %p at %d", got, now, e, due)
		}
		return
	}
}
