package lifetime

import (
	"context"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Parts are closed once, the last one first, also those that a part adds while
// it is closed.
func TestClosers(t *testing.T) {
	t.Parallel()
	var closed []string
	var c Closers
	part := func(name string) func(context.Context) {
		return func(context.Context) { closed = append(closed, name) }
	}
	c.Add(part("first"))
	c.Add(func(ctx context.Context) {
		part("second")(ctx)
		c.Add(part("late"))
	})
	c.Add(part("third"))
	c.Close(t.Context())
	c.Close(t.Context())
	if want := []string{"third", "second", "late", "first"}; !slices.Equal(closed, want) {
		t.Errorf("closed %v, want %v", closed, want)
	}
}

// A task outlives the context that it is started with, and ends when it is
// stopped.
func TestTask(t *testing.T) {
	t.Parallel()
	type key struct{}
	starting, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	running := make(chan any)
	task := Start(starting, func(ctx context.Context) {
		running <- ctx.Value(key{})
		<-ctx.Done()
	})
	cancel()
	if got := <-running; got != "value" {
		t.Errorf("the work's context has %v", got)
	}
	select {
	case <-task.Ended():
		t.Error("it ended with the context of the start")
	default:
	}
	task.Close(t.Context())
	task.Stop()
	<-task.Ended()
}

// Work may end by itself.
func TestTaskEnds(t *testing.T) {
	t.Parallel()
	task := Start(t.Context(), func(context.Context) {})
	<-task.Ended()
	task.Stop()
}
