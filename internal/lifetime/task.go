package lifetime

import "context"

// Task is work that goes on in the background until it ends or is stopped.
type Task struct {
	cancel context.CancelFunc
	ended  chan struct{} // closed when the work has ended
}

// Start begins work in a goroutine of its own. The work's context has the values
// of ctx, and ends when the task is stopped, not with ctx: what is started while
// a program starts goes on for as long as the program does.
func Start(ctx context.Context, work func(ctx context.Context)) *Task {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t := &Task{cancel, make(chan struct{})}
	go func() {
		defer close(t.ended)
		defer cancel()
		work(ctx)
	}()
	return t
}

// Ended returns a channel that is closed when the work has ended.
func (t *Task) Ended() <-chan struct{} { return t.ended }

// Stop ends the context of the work, and waits until the work has ended. It may be
// called several times.
func (t *Task) Stop() {
	t.cancel()
	<-t.ended
}

// Close is Stop for Closers. The work is waited for however long it takes: what
// it uses is closed after it.
func (t *Task) Close(context.Context) { t.Stop() }
