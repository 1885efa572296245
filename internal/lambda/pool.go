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

// pool has the processes of one revision of a function's code.
type pool struct {
	host     *Host
	function Function

	mu          sync.Mutex
	preparation *preparation // the newest; nil before the first
	lastFailure string       // the failure of a preparation that was reported last
	processes   map[*process]bool
	starting    int        // slots of processes that are being started
	idle        []*process // the one used last at the end
	returning   int        // processes that have answered and will be idle in a moment
	waiters     []chan *process
	retired     bool

	calls chan struct{} // slots of calls of a function in this process
}

// returnTime is how long a caller waits until a process that has just answered
// asks for work again. After that another process is started for the caller.
// Functions usually ask at once; AWS counts the time as part of the invocation
// before.
const returnTime = 100 * time.Millisecond

func newPool(h *Host, f Function) *pool {
	p := &pool{host: h, function: f, processes: map[*process]bool{}}
	if f.InProcess != nil {
		p.calls = make(chan struct{}, maxInProcess)
	}
	return p
}

// invoke runs the task on a process of its own. When ctx ends before there is
// one it returns ctx's error; once a process has the task, the task runs to its
// end, and invoke just stops waiting for it.
func (p *pool) invoke(ctx context.Context, t *task) (Result, error) {
	if p.function.InProcess != nil {
		return p.call(ctx, t)
	}
	prog, err := p.prepare(ctx)
	if failed := (*failure)(nil); errors.As(err, &failed) {
		return failed.result(t.requestID), nil
	}
	if err != nil {
		return Result{}, err
	}
	type outcome struct {
		result Result
		err    error
	}
	for {
		worker, err := p.acquire(ctx, t)
		if err != nil {
			return Result{}, err
		}
		done := make(chan outcome, 1)
		go func() {
			defer p.host.background.Done()
			worker, result, err := p.runOn(worker, prog, t)
			done <- outcome{result, err}
			if worker != nil && err == nil {
				worker.settle(t)
			}
		}()
		select {
		case o := <-done:
			if !errors.Is(o.err, errNotDelivered) {
				return o.result, o.err
			}
		case <-ctx.Done():
			return Result{}, ctx.Err()
		}
	}
}

// acquire returns an idle process, or nil for a slot in which the caller has to
// start one. It waits while the pool is at its limit. If it succeeds the caller
// must call background.Done; the host's Close waits for that.
func (p *pool) acquire(ctx context.Context, t *task) (worker *process, err error) {
	p.mu.Lock()
	if p.retired {
		p.mu.Unlock()
		return nil, errRetired
	}
	p.host.background.Add(1) // before the pool can be retired, and so before Close waits
	defer func() {
		if err != nil {
			p.host.background.Done()
		}
	}()
	if last := len(p.idle) - 1; last >= 0 {
		worker := p.idle[last]
		p.idle = p.idle[:last]
		worker.task = t
		p.mu.Unlock()
		return worker, nil
	}
	expectsOne := p.returning > len(p.waiters)
	if !expectsOne && p.takeSlotLocked() {
		p.mu.Unlock()
		return nil, nil
	}
	turn := make(chan *process, 1)
	p.waiters = append(p.waiters, turn)
	p.mu.Unlock()
	return p.await(ctx, t, turn, expectsOne)
}

func (p *pool) takeSlotLocked() bool {
	if len(p.processes)+p.starting >= p.host.options.MaxProcesses {
		return false
	}
	p.starting++
	return true
}

// await waits for the turn of a caller. One that expects a process to return
// starts its own after returnTime, if there is a slot.
func (p *pool) await(ctx context.Context, t *task, turn chan *process, expectsOne bool) (*process, error) {
	var patience <-chan time.Time
	if expectsOne {
		timer := time.NewTimer(returnTime)
		defer timer.Stop()
		patience = timer.C
	}
	for {
		select {
		case worker, open := <-turn:
			if !open {
				return nil, errRetired
			}
			if worker != nil {
				p.mu.Lock()
				worker.task = t
				p.mu.Unlock()
			}
			return worker, nil
		case <-patience:
			patience = nil
			p.mu.Lock()
			own := p.takeSlotLocked()
			p.mu.Unlock()
			if own {
				p.abandon(turn)
				return nil, nil
			}
		case <-ctx.Done():
			p.abandon(turn)
			return nil, ctx.Err()
		}
	}
}

// abandon takes a waiter out of the queue. If it was given a process or a slot
// meanwhile, that goes to the next one.
func (p *pool) abandon(turn chan *process) {
	p.mu.Lock()
	for i, waiter := range p.waiters {
		if waiter == turn {
			p.waiters = append(p.waiters[:i], p.waiters[i+1:]...)
			p.mu.Unlock()
			return
		}
	}
	p.mu.Unlock()
	worker, open := <-turn
	switch {
	case !open:
	case worker == nil:
		p.mu.Lock()
		p.freeSlotLocked()
		p.mu.Unlock()
	default:
		p.release(worker)
	}
}

// runOn runs the task on the worker, or on a new process when it is nil. It
// returns the process that answered, if one did.
func (p *pool) runOn(worker *process, prog *program, t *task) (*process, Result, error) {
	if worker == nil {
		started, err := p.start(prog, t)
		if failed := (*failure)(nil); errors.As(err, &failed) {
			return nil, failed.result(t.requestID), nil
		}
		if err != nil {
			return nil, Result{}, err
		}
		worker = started
		if result, ok := worker.awaitReady(t.requestID, p.host.initLimit); !ok {
			return nil, result, nil
		}
	}
	result, err := worker.run(t, p.host.initLimit)
	if err == nil {
		p.expect(worker, t)
	}
	return worker, result, err
}

// expect notes that the worker has answered the task and will ask for work
// again.
func (p *pool) expect(worker *process, t *task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if worker.task == t && p.processes[worker] && !worker.returning {
		worker.returning = true
		p.returning++
	}
}

// returnedLocked notes that the worker has asked for work, or has ended.
func (p *pool) returnedLocked(worker *process) {
	worker.task = nil
	if worker.returning {
		worker.returning = false
		p.returning--
	}
}

// start starts a process in a slot that acquire has taken.
func (p *pool) start(prog *program, t *task) (*process, error) {
	worker, err := startProcess(p.function, prog, p.host.starter, p.host.options.Log, p.release)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.freeSlotLocked()
		p.forgetDrainedLocked()
		return nil, err
	}
	p.starting--
	p.processes[worker] = true
	worker.task = t
	p.host.background.Go(func() {
		<-worker.exited
		p.remove(worker)
	})
	if p.host.ctx.Err() != nil {
		worker.stop() // the host was closed meanwhile
	}
	return worker, nil
}

// release takes back a process that asks for work.
func (p *pool) release(worker *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.returnedLocked(worker)
	if p.retired {
		worker.stop()
		return
	}
	if len(p.waiters) > 0 {
		p.waiters[0] <- worker
		p.waiters = p.waiters[1:]
		return
	}
	worker.idleSince = time.Now()
	p.idle = append(p.idle, worker)
}

// remove forgets a process that has ended.
func (p *pool) remove(worker *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.processes, worker)
	p.returnedLocked(worker)
	p.dropIdleLocked(worker)
	p.starting++ // its slot, which freeSlotLocked passes on
	p.freeSlotLocked()
	p.forgetDrainedLocked()
}

// forgetDrainedLocked removes a retired pool from the host when its last
// process is gone.
func (p *pool) forgetDrainedLocked() {
	if p.retired && len(p.processes)+p.starting == 0 {
		p.host.draining.Delete(p)
	}
}

func (p *pool) dropIdleLocked(worker *process) {
	for i, other := range p.idle {
		if other == worker {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			return
		}
	}
}

// freeSlotLocked passes a slot in which nothing runs to the first waiter, or
// frees it.
func (p *pool) freeSlotLocked() {
	if len(p.waiters) > 0 {
		p.waiters[0] <- nil
		p.waiters = p.waiters[1:]
		return
	}
	p.starting--
}

// reap ends the processes that became idle before the given time.
func (p *pool) reap(before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.idle[:0]
	for _, worker := range p.idle {
		if worker.idleSince.Before(before) {
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
	for _, turn := range p.waiters {
		close(turn)
	}
	p.waiters = nil
	if len(p.processes)+p.starting > 0 {
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
