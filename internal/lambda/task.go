package lambda

import (
	"container/list"
	"time"
)

// task is one invocation on its way to a process, and back.
type task struct {
	Invocation
	requestID string
	deadline  time.Time // set when a process gets it

	outcome chan outcome // receives how the task ended, once; capacity 1

	// Guarded by the pool's mutex.
	place    *list.Element // in the pool's queue; nil when it is not there
	queued   time.Time     // since when it has been there
	attempts int           // how often a process ended that had been given it, and had not taken it
	dropped  bool          // nobody waits for it any more
}

// outcome is how a task ended: with a result, or with errRetired.
type outcome struct {
	result Result
	err    error
}

func newTask(call Invocation, requestID string) *task {
	return &task{Invocation: call, requestID: requestID, outcome: make(chan outcome, 1)}
}

func (t *task) finish(r Result) { t.outcome <- outcome{result: r} }

func (t *task) giveBack(err error) { t.outcome <- outcome{err: err} }

// taskQueue has the tasks that wait for a process, the one that came first at
// the front.
type taskQueue struct{ list.List }

func (q *taskQueue) push(t *task, now time.Time) { t.place, t.queued = q.PushBack(t), now }

// pushFront puts back a task that had been at the front.
func (q *taskQueue) pushFront(t *task) { t.place = q.PushFront(t) }

// pop takes the first task; it returns nil when there is none.
func (q *taskQueue) pop() *task {
	front := q.Front()
	if front == nil {
		return nil
	}
	t := q.List.Remove(front).(*task)
	t.place = nil
	return t
}

// first returns the first task without taking it, or nil.
func (q *taskQueue) first() *task {
	if front := q.Front(); front != nil {
		return front.Value.(*task)
	}
	return nil
}

// remove takes a task out and reports whether it was there.
func (q *taskQueue) remove(t *task) bool {
	if t.place == nil {
		return false
	}
	q.List.Remove(t.place)
	t.place = nil
	return true
}
