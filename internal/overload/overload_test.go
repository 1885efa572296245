package overload

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagedoor/stagedoor/internal/descriptors"
)

// Actions begin in order as pressure rises, and end only when it has fallen by
// some more. Each change is one line of the log.
func TestActions(t *testing.T) {
	t.Parallel()
	memory, lag := 0.0, 0.0
	var log strings.Builder
	state := map[string]bool{}
	steps := 0
	set := func(name string) func(bool) { return func(active bool) { state[name] = active } }
	m := New(slog.New(slog.NewTextHandler(&log, nil)), []Pressure{
		{"memory", func() float64 { return memory }},
		{"lag", func() float64 { return lag }},
	}, []Action{
		{Name: "first", From: map[string]float64{"memory": 0.8, "lag": 0.5}, Set: set("first"), Step: func() { steps++ }},
		{Name: "second", From: map[string]float64{"memory": 0.9}, Set: set("second")},
	})
	for _, round := range []struct {
		memory, lag   float64
		first, second bool
		line          string // of the log, the only one
	}{
		{0.79, 0.4, false, false, ""},
		{0.80, 0.4, true, false, `msg="overloaded: first" pressure=memory percent=80`},
		{0.85, 0.4, true, false, ""},
		{0.92, 0.4, true, true, `msg="overloaded: second" pressure=memory percent=92`},
		{0.86, 0.4, true, true, ""},
		{0.84, 0.4, true, false, `msg="no longer overloaded: ended: second"`},
		{0.76, 0.4, true, false, ""},
		{0.70, 0.6, true, false, ""},
		{0.70, 0.44, false, false, `msg="no longer overloaded: ended: first"`},
		{0.79, 0.49, false, false, ""},
		{0.10, 7.0, true, false, `msg="overloaded: first" pressure=lag percent=700`},
	} {
		memory, lag = round.memory, round.lag
		log.Reset()
		m.Round()
		if state["first"] != round.first || state["second"] != round.second {
			t.Errorf("%+v: %v", round, state)
		}
		if lines := strings.Count(log.String(), "\n"); !strings.Contains(log.String(), round.line) || (lines == 1) != (round.line != "") {
			t.Errorf("%+v: log %s", round, &log)
		}
	}
	if steps != 8 {
		t.Errorf("%d steps, want one for each round that the action was taken", steps)
	}
}

// At the end nothing is left in effect.
func TestEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		active := false
		m := New(slog.New(slog.DiscardHandler), []Pressure{{"p", func() float64 { return 1 }}},
			[]Action{{Name: "a", From: map[string]float64{"p": 1}, Set: func(is bool) { active = is }}})
		ctx, cancel := context.WithCancel(t.Context())
		go m.Run(ctx, time.Second)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		if !active {
			t.Error("not active")
		}
		cancel()
		synctest.Wait()
		if active {
			t.Error("still active")
		}
	})
}

// Not parallel: the limit is the process's.
func TestMemory(t *testing.T) {
	const limit = 512 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	pressure := Memory()
	at := func() float64 { runtime.GC(); return pressure.Read() }
	before := at()
	held := make([]byte, limit/2)
	held[0] = 1
	if with := at(); with < before+0.45 || with > before+0.55 {
		t.Errorf("%.2f with half of it in use, %.2f before", with, before)
	}
	runtime.KeepAlive(held) // till here, and no longer
	if after := at(); after > before+0.1 {
		t.Errorf("%.2f after it was given back, %.2f before", after, before)
	}
	debug.SetMemoryLimit(math.MaxInt64)
	if got := pressure.Read(); groupLimit() == 0 && got != 0 {
		t.Errorf("%.2f without a limit", got)
	}
}

// Not parallel: the limit is the process's.
func TestLimitMemory(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	limit, undo := LimitMemory(1 << 30)
	if got := debug.SetMemoryLimit(-1); limit != 1<<30 || got != 1<<30/10*9 {
		t.Errorf("given 1 GiB: the limit is %d, Go's %d", limit, got)
	}
	undo()
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("afterwards Go's is %d", got)
	}
	limit, undo = LimitMemory(0)
	if group := groupLimit(); limit != int64(group) {
		t.Errorf("the limit is %d, that of the group %d", limit, group)
	}
	undo()
	debug.SetMemoryLimit(1 << 31)
	if limit, undo = LimitMemory(0); limit != 1<<31 || debug.SetMemoryLimit(-1) != 1<<31 {
		t.Errorf("with GOMEMLIMIT the limit is %d", limit)
	}
	undo()
	if limit, undo = LimitMemory(1 << 30); limit != 1<<30 {
		t.Errorf("the limit that is given does not win over GOMEMLIMIT: %d", limit)
	}
	undo()
	if got := debug.SetMemoryLimit(-1); got != 1<<31 {
		t.Errorf("afterwards Go's is %d", got)
	}
}

func TestDescriptors(t *testing.T) {
	if descriptors.Limit() == 0 {
		t.Skip("descriptors have no limit here")
	}
	pressure := Descriptors()
	before, used := pressure.Read(), descriptors.Used()
	for range 50 {
		file, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
	}
	if after := pressure.Read(); after <= before || descriptors.Used() < used+40 {
		t.Errorf("%d are used after %d, a pressure of %f after %f", descriptors.Used(), used, after, before)
	}
}

func TestLag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		takes := time.Duration(0)
		pressure := Lag(func(ctx context.Context) error {
			select {
			case <-time.After(takes):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}, time.Second)
		for after, want := range map[time.Duration]float64{0: 0, 250 * time.Millisecond: 0.25, time.Hour: 1} {
			takes = after
			if got := pressure.Read(); got != want {
				t.Errorf("%v: %f, want %f", after, got, want)
			}
		}
	})
	if got := Lag(func(context.Context) error { return errors.New("ended") }, time.Hour).Read(); got > 0.1 {
		t.Errorf("%f for who answers with an error", got)
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		used, limit int
		want        float64
	}{{0, 10, 0}, {5, 10, 0.5}, {20, 10, 2}, {5, 0, 0}} {
		if got := Share("x", func() (int, int) { return test.used, test.limit }).Read(); got != test.want {
			t.Errorf("%+v: %f", test, got)
		}
	}
}
