package lambda

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errRetired is returned by a pool whose code has been replaced before the
// invocation had a process: the function's new pool runs it.
var errRetired = errors.New("the function's code has been replaced")

// maxAttempts is how many processes may end with a task that they were given
// and had not taken. After that the task has failed.
const maxAttempts = 5

// pool has the processes of one revision of a function's code. Tasks that find
// no idle process wait in order; a process that asks for work gets the first.
type pool struct {
	host     *Host
	meter    Meter
	function Function
	launch   func(*process, *program) error // starts a process
	measure  func() bool                    // tells growth what the processors do; false: not yet; called without the lock

	mu          sync.Mutex
	preparation *preparation // the newest; nil before the first
	lastFailure string       // the failure of a preparation that was reported last
	processes   map[*process]bool
	starting    int        // of them, those that have not asked for work yet
	returning   int        // those that have answered and will ask for work in a moment
	idle        []*process // the one used last at the end
	queue       taskQueue
	growth      growth
	times       processorTimes // when they were last looked at
	looked      bool           // and so shortly after the look before that growth.idle and growth.share are known
	unsettled   bool           // a process was starting at some time since then
	timer       *time.Timer    // for grow; nil before the first use
	timed       bool           // timer is set
	urgent      bool           // to run at once
	growing     bool           // grow runs, and has not decided yet
	retired     bool

	calls chan struct{} // slots of calls of a function in this process
}

func newPool(h *Host, f Function) *pool {
	p := &pool{meter: h.meterOf(f.Name), host: h, function: f, launch: (*process).start, processes: map[*process]bool{}, growth: newGrowth()}
	p.measure = p.measureProcesses
	if f.InProcess != nil {
		p.calls = make(chan struct{}, maxInProcess)
	}
	return p
}

// invoke runs the task on a process of its own. When ctx ends invoke stops
// waiting for it: a task that has no process by then never runs, another runs to
// its end.
func (p *pool) invoke(ctx context.Context, t *task) (Result, error) {
	if p.function.InProcess != nil {
		return p.call(ctx, t)
	}
	if _, err := p.prepare(ctx); err != nil {
		failed := (*failure)(nil)
		if errors.As(err, &failed) {
			return failed.result(t.requestID), nil
		}
		return Result{}, err
	}
	if !p.submit(t) {
		return Result{}, errRetired
	}
	select {
	case o := <-t.outcome:
		return o.result, o.err
	case <-ctx.Done():
		p.drop(t)
		return Result{}, ctx.Err()
	}
}

// submit gives the task to an idle process, or has it wait for one. It returns
// false if the pool is retired.
func (p *pool) submit(t *task) bool {
	for {
		p.mu.Lock()
		if p.retired {
			p.mu.Unlock()
			return false
		}
		worker := p.popIdleLocked()
		if worker == nil {
			now := time.Now()
			p.queue.push(t, now)
			p.replaceLocked(now)
			p.mu.Unlock()
			return true
		}
		p.mu.Unlock()
		if worker.give(t) {
			p.meter.Queued(0)
			return true
		}
	}
}

func (p *pool) popIdleLocked() *process {
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	worker := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return worker
}

// drop notes that nobody waits for the task any more.
func (p *pool) drop(t *task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.dropped = true
	if p.queue.remove(t) {
		p.observeLocked(time.Now())
	}
}

// requeue takes back a task that a process was given and has not taken.
func (p *pool) requeue(t *task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case t.dropped:
	case p.retired:
		t.giveBack(errRetired)
	default:
		p.queue.pushFront(t)
		p.replaceLocked(time.Now())
		if worker := p.popIdleLocked(); worker != nil {
			p.host.background.Go(func() { p.available(worker) })
		}
	}
}

// available has a process that asks for work: it gets the first task, or is
// idle.
func (p *pool) available(worker *process) {
	now := time.Now()
	p.mu.Lock()
	if worker.starting {
		worker.starting = false
		p.starting--
		p.growth.started(now.Sub(worker.launched))
		p.meter.ColdStart()
	}
	p.returnedLocked(worker)
	if p.retired {
		p.mu.Unlock()
		worker.stop()
		return
	}
	t := p.queue.pop()
	if t == nil {
		worker.idleSince = now
		p.idle = append(p.idle, worker)
		p.mu.Unlock()
		return
	}
	p.observeLocked(now)
	p.mu.Unlock()
	waited := now.Sub(t.queued) // read before the task is the process's
	if !worker.give(t) {
		p.requeue(t) // and the process, which has withdrawn, asks again or ends
		return
	}
	p.meter.Queued(waited)
}

// answered notes that a process has answered, and will ask for work again.
func (p *pool) answered(worker *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !worker.returning {
		worker.returning, worker.answeredAt = true, time.Now()
		p.returning++
	}
}

func (p *pool) returnedLocked(worker *process) {
	if worker.returning {
		worker.returning = false
		p.returning--
	}
}

// withdrawn has a process that does not ask for work any more, unexpectedly.
func (p *pool) withdrawn(worker *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropIdleLocked(worker)
}

// gone forgets a process that has ended, and sees to the task that it had.
func (p *pool) gone(worker *process) {
	if t, untaken := worker.lost(); t != nil {
		if untaken && p.mayRetry(t) {
			p.requeue(t)
		} else {
			t.finish(worker.failure(t.requestID))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetLocked(worker)
	if !worker.starting {
		p.replaceLocked(time.Now())
		return
	}
	told := worker.toldToEnd()
	p.failStartLocked(func(t *task) {
		switch {
		case t != nil:
			t.finish(worker.failure(t.requestID))
		case !told:
			worker.failure("") // nobody waits, but it is logged
		}
	})
}

func (p *pool) mayRetry(t *task) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.attempts++
	return t.attempts < maxAttempts
}

// forgetLocked removes a process, and a retired pool from the host when it was
// the last one.
func (p *pool) forgetLocked(worker *process) {
	delete(p.processes, worker)
	p.returnedLocked(worker)
	p.dropIdleLocked(worker)
	if p.retired && len(p.processes) == 0 {
		p.host.draining.Delete(p)
	}
}

// failStartLocked has the first task fail as the start of a process did; tell
// gets the task, or nil if none waits.
func (p *pool) failStartLocked(tell func(*task)) {
	p.starting--
	first := p.queue.pop()
	p.replaceLocked(time.Now())
	p.host.background.Go(func() { tell(first) }) // not under the lock: it may log
}

func (p *pool) dropIdleLocked(worker *process) {
	for i, other := range p.idle {
		if other == worker {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			return
		}
	}
}

// reap ends the processes that have been idle for long: for all of idleAfter, or
// for a tenth of it where there are more processes than processors.
func (p *pool) reap(now time.Time, idleAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	surplus := len(p.processes) - p.growth.processors
	kept := p.idle[:0]
	for _, worker := range p.idle { // the one that was used last comes last
		idle := now.Sub(worker.idleSince)
		if idle > idleAfter || surplus > 0 && idle > idleAfter/10 {
			surplus--
			worker.stop()
			continue
		}
		kept = append(kept, worker)
	}
	clear(p.idle[len(kept):])
	p.idle = kept
}

// retire ends the processes that are idle now, and each of the others when it
// has answered. Callers that wait for a process get errRetired.
func (p *pool) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	for _, worker := range p.idle {
		worker.stop()
	}
	p.idle = nil
	for t := p.queue.pop(); t != nil; t = p.queue.pop() {
		t.giveBack(errRetired)
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	if len(p.processes) > 0 {
		p.host.draining.Store(p, true)
	}
}

// each calls do with every process.
func (p *pool) each(do func(*process)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for worker := range p.processes {
		do(worker)
	}
}
