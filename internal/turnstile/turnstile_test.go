package turnstile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagedoor/stagedoor/internal/allocations"
)

// enter goes through a turnstile in a goroutine of its own.
func enter(ctx context.Context, t *Turnstile, c Call, then func(*Lane, error)) {
	go func() { then(t.Enter(ctx, c)) }()
	synctest.Wait()
}

// Calls beyond the bound wait in order, those beyond the line are refused, and
// other backends are not concerned.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		turns := New(Bounds{Calls: 2, Waiting: 3})
		var lane *Lane
		for range 2 {
			var err error
			if lane, err = turns.Enter(ctx, Call{Backend: "a"}); err != nil {
				t.Fatal(err)
			}
		}
		var order []string
		for i := range 3 {
			enter(ctx, turns, Call{Backend: "a"}, func(_ *Lane, err error) { order = append(order, fmt.Sprint(i, err)) })
		}
		if _, err := turns.Enter(ctx, Call{Backend: "a"}); !errors.Is(err, ErrFull) {
			t.Errorf("a call beyond the line: %v", err)
		}
		enter(ctx, turns, Call{Backend: "a", Patient: true}, func(_ *Lane, err error) { order = append(order, fmt.Sprint("patient ", err)) })
		if other, err := turns.Enter(ctx, Call{Backend: "b"}); err != nil {
			t.Errorf("another backend: %v", err)
		} else {
			other.Leave()
		}
		if len(order) > 0 {
			t.Errorf("%q did not wait", order)
		}
		for range 6 {
			lane.Leave()
			synctest.Wait()
		}
		if want := []string{"0 <nil>", "1 <nil>", "2 <nil>", "patient <nil>"}; !slices.Equal(order, want) {
			t.Errorf("order %q, want %q", order, want)
		}
		if lane.busy != 0 || lane.waiting != 0 {
			t.Errorf("%d are busy, %d wait", lane.busy, lane.waiting)
		}
	})
}

// A call that gives up leaves the line to the others.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := New(Bounds{Calls: 1})
		lane, _ := turns.Enter(t.Context(), Call{Backend: "a"})
		var late, interrupted, next error
		ctx, cancel := context.WithCancel(t.Context())
		enter(t.Context(), turns, Call{Backend: "a", Deadline: time.Now().Add(time.Second)}, func(_ *Lane, err error) { late = err })
		enter(ctx, turns, Call{Backend: "a"}, func(_ *Lane, err error) { interrupted = err })
		next = errors.New("waits")
		enter(t.Context(), turns, Call{Backend: "a", Deadline: time.Now().Add(time.Hour)}, func(_ *Lane, err error) { next = err })
		time.Sleep(time.Second)
		cancel()
		synctest.Wait()
		if !errors.Is(late, context.DeadlineExceeded) || !errors.Is(interrupted, context.Canceled) {
			t.Errorf("late: %v, interrupted: %v", late, interrupted)
		}
		lane.Leave()
		synctest.Wait()
		if next != nil {
			t.Errorf("the next: %v", next)
		}
		lane.Leave()
		if lane.busy != 0 {
			t.Errorf("%d are busy", lane.busy)
		}
	})
}

// called is a call that is told of its turn.
type called struct {
	Waiter
	n     int
	turns *[]int
}

func (c *called) Turn(*Lane) { *c.turns = append(*c.turns, c.n) }

// Calls without a goroutine get their turns in the order in which they came, but for
// those that were abandoned, of which nobody hears again.
func TestStart(t *testing.T) {
	t.Parallel()
	turns := New(Bounds{Calls: 1, Waiting: 5})
	lane, err := turns.Start(Call{Backend: "a"}, new(Waiter), nil)
	if lane == nil || err != nil {
		t.Fatalf("the first waits: %v", err)
	}
	var order []int
	var calls []*called
	for i := range 5 {
		c := &called{n: i, turns: &order}
		if l, err := turns.Start(Call{Backend: "a"}, &c.Waiter, c); l != nil || err != nil {
			t.Fatalf("call %d did not wait: %v", i, err)
		}
		calls = append(calls, c)
	}
	if _, err := turns.Start(Call{Backend: "a"}, new(Waiter), nil); !errors.Is(err, ErrFull) {
		t.Errorf("a call beyond the line: %v", err)
	}
	for _, i := range []int{0, 2, 4} {
		if !calls[i].Abandon() || calls[i].Abandon() {
			t.Errorf("call %d cannot be abandoned once", i)
		}
	}
	again := &called{n: 5, turns: &order}
	patient := &called{n: 6, turns: &order}
	_, _ = turns.Start(Call{Backend: "a"}, &again.Waiter, again)
	_, _ = turns.Start(Call{Backend: "a", Patient: true}, &patient.Waiter, patient)
	for range 5 {
		lane.Leave()
	}
	if want := []int{1, 3, 5, 6}; !slices.Equal(order, want) || calls[1].Abandon() {
		t.Errorf("turns of %d, want %d", order, want)
	}
	if lane.busy != 0 || lane.waiting != 0 || lane.first != nil || lane.last != nil {
		t.Errorf("%d are busy, %d wait", lane.busy, lane.waiting)
	}
}

// A turn that comes when its call has just given up is somebody else's.
func TestTurnAfterGivingUp(t *testing.T) {
	t.Parallel()
	turns := New(Bounds{Calls: 1})
	lane, _ := turns.Enter(t.Context(), Call{Backend: "a"})
	var order []int
	late := &called{turns: &order}
	_, _ = turns.Start(Call{Backend: "a"}, &late.Waiter, late)
	lane.Leave() // hands the turn to it
	if late.Abandon() {
		t.Error("it still waited")
	}
	lane.Leave()
	if lane.busy != 0 {
		t.Errorf("%d are busy", lane.busy)
	}
}

// Neither a call that passes nor one that waits takes an allocation.
func TestAllocations(t *testing.T) { // not parallel: it counts those of the process
	turns := New(Bounds{Calls: 1})
	var order []int
	c := &called{turns: &order}
	allocations.AtMost(t, 0, func() {
		order = order[:0]
		lane, _ := turns.Enter(t.Context(), Call{Backend: "a"})
		_, _ = turns.Start(Call{Backend: "a"}, &c.Waiter, c)
		lane.Leave()
		lane.Leave()
	})
}

// Backends that are called no more are forgotten.
func TestManyBackends(t *testing.T) {
	t.Parallel()
	turns := New(Bounds{})
	held, _ := turns.Enter(t.Context(), Call{Backend: "held"})
	for i := range 10_000 {
		lane, err := turns.Enter(t.Context(), Call{Backend: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		lane.Leave()
	}
	if len(turns.lanes) > 1024 || turns.lanes["held"] != held {
		t.Errorf("%d lanes are kept", len(turns.lanes))
	}
}

func BenchmarkEnter(b *testing.B) {
	b.Run("passes", func(b *testing.B) {
		turns := New(Bounds{})
		b.ReportAllocs()
		for b.Loop() {
			lane, _ := turns.Enter(b.Context(), Call{Backend: "127.0.0.1:8080"})
			lane.Leave()
		}
	})
	b.Run("waits", func(b *testing.B) {
		turns := New(Bounds{Calls: 1})
		var order []int
		c := &called{turns: &order}
		lane, _ := turns.Enter(b.Context(), Call{Backend: "127.0.0.1:8080"})
		b.ReportAllocs()
		for b.Loop() {
			_, _ = turns.Start(Call{Backend: "127.0.0.1:8080"}, &c.Waiter, c)
			lane.Leave()
			order = order[:0]
		}
	})
}

// Who asks for it is told how long calls have waited whose turn has come, and of no
// others.
func TestWaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var waited []time.Duration
		turns := New(Bounds{Calls: 1, Waited: func(d time.Duration) { waited = append(waited, d) }})
		lane, _ := turns.Enter(t.Context(), Call{Backend: "a"})
		enter(t.Context(), turns, Call{Backend: "a", Deadline: time.Now().Add(time.Second)}, func(*Lane, error) {})
		enter(t.Context(), turns, Call{Backend: "a"}, func(l *Lane, _ error) { l.Leave() })
		time.Sleep(3 * time.Second)
		synctest.Wait()
		lane.Leave()
		synctest.Wait()
		if want := []time.Duration{3 * time.Second}; !slices.Equal(waited, want) {
			t.Errorf("waited %v, want %v", waited, want)
		}
	})
}
