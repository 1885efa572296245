package turnstile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
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
		if lane.busy != 0 || len(lane.waiting) != 0 {
			t.Errorf("%d are busy, %d wait", lane.busy, len(lane.waiting))
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

// A turn that comes when its call has just given up is somebody else's.
func TestTurnAfterGivingUp(t *testing.T) {
	t.Parallel()
	turns := New(Bounds{Calls: 1})
	lane, _ := turns.Enter(t.Context(), Call{Backend: "a"})
	w := &waiter{make(chan struct{})}
	lane.waiting = append(lane.waiting, w)
	lane.Leave() // hands the turn to w
	lane.abandon(w)
	if lane.busy != 0 {
		t.Errorf("%d are busy", lane.busy)
	}
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
	turns := New(Bounds{})
	b.ReportAllocs()
	for b.Loop() {
		lane, _ := turns.Enter(b.Context(), Call{Backend: "127.0.0.1:8080"})
		lane.Leave()
	}
}
