package lambda

import (
	"errors"
	"time"
)

const (
	// returnTime is how long a process that has answered is expected to ask for
	// work again. Functions usually ask at once; AWS counts the time as part of
	// the invocation before.
	returnTime = 100 * time.Millisecond
	// samples is how many processes are looked at to learn what they use.
	samples = 4
	// idlePart of their time with nothing to do makes processors idle.
	idlePart = 0.1
)

// observeLocked tells growth how many tasks wait, and has grow run when a
// process is due.
func (p *pool) observeLocked(now time.Time) {
	p.growth.observe(now, p.queue.Len(), p.starting+p.returning)
	in, ever := p.growth.due()
	if !ever && p.returning > 0 && p.queue.Len() > p.starting {
		in, ever = returnTime, true
	}
	if !ever || p.retired || p.growing || p.timed && (in > 0 || p.urgent) {
		return
	}
	p.timed, p.urgent = true, in == 0
	if p.timer == nil {
		p.timer = time.AfterFunc(in, p.grow)
		return
	}
	p.timer.Reset(in)
}

// replaceLocked starts a process if tasks wait and there is none.
func (p *pool) replaceLocked(now time.Time) {
	if p.queue.Len() > 0 && len(p.processes) == 0 && !p.retired {
		p.addLocked()
	}
	p.observeLocked(now)
}

// addLocked starts a process. Whether processors have nothing to do is not known any
// more then: starting takes them, and waits for files and pipes.
func (p *pool) addLocked() {
	p.growth.idle, p.unsettled = false, true
	worker, prog := newProcess(p), p.preparation.program
	p.processes[worker] = true
	p.starting++
	p.host.background.Go(func() {
		if err := p.launch(worker, prog); err != nil {
			p.failLaunch(worker, err)
		}
	})
}

// failLaunch forgets a process that could not be started.
func (p *pool) failLaunch(worker *process, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetLocked(worker)
	p.failStartLocked(func(t *task) {
		failed := (*failure)(nil)
		switch {
		case t == nil:
		case errors.As(err, &failed):
			t.finish(failed.result(t.requestID))
		default:
			t.giveBack(err)
		}
	})
}

// grow runs when the tasks that wait have lost what a process costs. It starts
// as many as growth says. It does nothing while another goroutine is in it, which
// may still be measuring.
func (p *pool) grow() {
	p.mu.Lock()
	if p.growing {
		p.mu.Unlock()
		return
	}
	p.growing, p.timed, p.urgent = true, false, false
	c := crowd{measured: len(p.processes) >= p.growth.processors}
	p.mu.Unlock()
	short := false
	if c.measured {
		c.unsure = !p.measure()
		short = memoryIsShort()
	}
	now := time.Now()
	p.mu.Lock()
	p.growing = false
	if p.retired {
		p.mu.Unlock()
		return
	}
	p.forgetReturningLocked(now)
	p.growth.observe(now, p.queue.Len(), p.starting+p.returning)
	c.processes, c.starting = len(p.processes), p.starting
	if first := p.queue.first(); first != nil {
		c.oldest = now.Sub(first.queued)
	}
	count := p.growth.starts(now, c)
	if !short {
		for range min(count, p.host.options.MaxProcesses-len(p.processes)) {
			p.addLocked()
		}
	}
	p.observeLocked(now)
	p.mu.Unlock()
	if short && count > 0 {
		p.host.noticeOnce(p.function.Name, "events wait for a process: the machine has too little memory for more")
	}
}

// forgetReturningLocked counts on no process any more that has not come back.
func (p *pool) forgetReturningLocked(now time.Time) {
	if p.returning == 0 {
		return
	}
	for worker := range p.processes {
		if worker.returning && now.Sub(worker.answeredAt) >= returnTime {
			p.returnedLocked(worker)
		}
	}
}

// measureProcesses tells growth whether processors are idle, and for how much of its time
// a handler needs one: on average since it last did, between leastTicks and mostTicks ago.
// It returns false if that is longer ago, or all processes are just starting: only
// another look, in a moment, can tell. Processors do not count as idle for a time in which
// a process was starting.
func (p *pool) measureProcesses() bool {
	times, ok := machineTimes()
	if !ok {
		return true // there is nothing to wait for
	}
	var sample []*process
	p.mu.Lock()
	part, ticks := times.idleSince(p.times)
	if ticks < leastTicks {
		defer p.mu.Unlock()
		return p.looked // what was found then holds
	}
	for worker := range p.processes {
		if !worker.starting && len(sample) < samples {
			sample = append(sample, worker)
		}
	}
	p.times, p.looked = times, ticks <= mostTicks && len(sample) > 0
	// With fewer processors to use than the machine has, it says nothing.
	p.growth.idle = p.looked && !p.unsettled && part > idlePart && times.processors == p.growth.processors
	p.unsettled = p.starting > 0
	p.mu.Unlock()
	total := usage{}
	for _, worker := range sample {
		if used, ok := worker.takeUsage(); ok {
			total = total.plus(used)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if share := total.share(); p.looked && share > 0 {
		p.growth.share = share
	}
	return p.looked
}
