package lambda

import (
	"strings"
	"time"
)

// state is where the process is in the conversation of the Runtime API.
type state string

const (
	stateStarting state = "Starting"     // it never asked for work
	stateReady    state = "Ready"        // free for work
	stateRunning  state = "Running"      // an invocation is unanswered
	stateAnswered state = "ResponseSent" // answered, and has not asked for work since
	stateFailed   state = "InitError"    // it reported that it can't be initialized
)

// taker is where an event is written: to the request for work that waits.
type taker interface {
	// deliver writes the task to the process. It does not wait for the process.
	// An error means that the process has not taken the task.
	deliver(*task) error
}

// ask notes that the process asks for work, and makes it available to the pool.
// It returns false, and the state that the process is in, if it may not ask.
func (p *process) ask(to taker) (state, bool) {
	p.mu.Lock()
	from := p.state
	if p.taker != nil || from == stateRunning || from == stateFailed {
		p.mu.Unlock()
		return from, false
	}
	p.state, p.taker, p.due = stateReady, to, time.Time{}
	ended := p.ended
	p.mu.Unlock()
	if !ended { // a process that is ended by a signal waits for that
		p.pool.available(p)
	}
	return from, true
}

// withdraw notes that a request for work has gone without an event. The process
// has to ask again, in the time that it has for its start.
func (p *process) withdraw(from taker) {
	p.mu.Lock()
	mine := p.taker == from
	if mine {
		p.taker = nil
		p.expectLocked(time.Now().Add(p.pool.host.initLimit))
	}
	p.mu.Unlock()
	if mine {
		p.pool.withdrawn(p)
	}
}

// give hands a task to the process. It returns false if the process does not
// wait for work any more.
func (p *process) give(t *task) bool {
	p.mu.Lock()
	to := p.taker
	if to == nil || p.ended {
		p.mu.Unlock()
		return false
	}
	now := time.Now()
	t.deadline = now.Add(p.function.Timeout)
	p.taker, p.state, p.current, p.since = nil, stateRunning, t, now
	p.expectLocked(t.deadline)
	p.mu.Unlock()
	return to.deliver(t) == nil || !p.takeBack(t)
}

// takeBack undoes give after a failed delivery. It returns false if the task
// has ended meanwhile, or will be seen to when the process is gone.
func (p *process) takeBack(t *task) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != stateRunning || p.current != t {
		return false
	}
	p.state, p.current = stateReady, nil
	p.expectLocked(time.Now().Add(p.pool.host.initLimit))
	return true
}

// writeLater delivers a task whose event is too large for the buffers of the
// connection.
func (p *process) writeLater(t *task, write func() error) {
	p.writers.Go(func() {
		if write() != nil && p.takeBack(t) {
			p.pool.requeue(t)
		}
	})
}

// answer ends the invocation with this id. It returns false, and the state that
// the process is in, if the process does not work on it.
func (p *process) answer(id string, result Result) (state, bool) {
	p.mu.Lock()
	t, from := p.current, p.state
	if from != stateRunning || t.requestID != id {
		p.mu.Unlock()
		return from, false
	}
	p.state = stateAnswered
	took := max(time.Since(p.since), 1)
	p.used.events++
	if p.used.shortest == 0 || took < p.used.shortest {
		p.used.shortest = took
	}
	p.mu.Unlock()
	p.pool.answered(p)
	p.output.catchUp()
	t.finish(result)
	return from, true
}

// worksOn reports whether an id is that of the invocation that the process has
// got last, and the state that the process is in.
func (p *process) worksOn(id string) (state, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state, p.current != nil && p.current.requestID == id
}

// failInit notes why the function could not be initialized. It returns false,
// and the state that the process is in, if it is too late for that.
func (p *process) failInit(report Result) (state, bool) {
	p.mu.Lock()
	from := p.state
	if from == stateStarting {
		p.state, p.initError = stateFailed, &report
		// The runtime should exit by itself now; one that doesn't is ended.
		p.expectLocked(time.Now().Add(terminateGrace))
	}
	p.mu.Unlock()
	return from, from == stateStarting
}

// expectLocked gives the process until the given time for what it has to do
// next: to answer, or to ask for work.
func (p *process) expectLocked(due time.Time) {
	p.due = due
	if p.watchedAt.IsZero() || due.Before(p.watchedAt) {
		p.watchedAt = due
		p.watch.Reset(time.Until(due))
	}
}

// checkTime runs when the watch goes off. The watch is not set anew for each
// task, so it may be early.
func (p *process) checkTime() {
	p.mu.Lock()
	left := time.Until(p.due)
	switch {
	case p.due.IsZero() || p.ended:
		p.watchedAt = time.Time{}
		p.mu.Unlock()
		return
	case left > 0:
		p.watchedAt = p.due
		p.watch.Reset(left)
		p.mu.Unlock()
		return
	}
	p.late = !p.cut
	cut := p.cut
	p.mu.Unlock()
	if cut {
		p.pool.host.notice(p.function.Name, "", "the process has closed its connection to the gateway, or written something else to it: it is ended")
	}
	p.kill()
}

// takeUsage returns what the process has used since it was last called. It
// returns false where the system does not tell.
func (p *process) takeUsage() (usage, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pid := p.pidLocked()
	if pid == 0 {
		return usage{}, false
	}
	running, queued, ok := processorUsage(pid)
	if !ok {
		return usage{}, false
	}
	taken := p.used
	taken.running, taken.queued = running-p.ran, queued-p.queued
	if p.state == stateRunning && taken.events == 0 { // all the time with one event
		taken.events, taken.shortest = 1, time.Since(p.since)
	}
	p.used, p.ran, p.queued = usage{}, running, queued
	return taken, true
}

// reported is the failed result that a process reports, as a JSON object or, if
// it has none, by the type of the error alone.
func reported(body []byte, errorType, requestID string) Result {
	if len(body) == 0 {
		if errorType == "" {
			errorType = "Runtime.Unknown"
		}
		return failuref(errorType, "the runtime reported an error without a description").result(requestID)
	}
	return Result{Payload: body, FunctionError: "Unhandled", RequestID: requestID}
}

// responseTooLarge is the failure of an invocation whose answer is over the
// limit.
func responseTooLarge() *failure {
	return failuref("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponseBytes)
}

// oneLine returns a text without what ends a line.
func oneLine(s string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
}
