package lambda

import "testing"

// What the processors did long ago, or before a process was ready, says nothing.
func TestMeasureProcesses(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, inlineNode("f", `exports.handler = async () => 1`))
	p, _, err := h.newest("f")
	if err != nil {
		t.Fatal(err)
	}
	// measureAfter measures when the processors were looked at so many ticks ago,
	// and had nothing to do since.
	measureAfter := func(ticks int64) bool {
		now, ok := machineTimes()
		if !ok {
			t.Fatal("/proc/stat can't be read")
		}
		passed := ticks * int64(now.processors)
		p.mu.Lock()
		p.growth.processors = now.processors
		p.times = processorTimes{processors: now.processors, idle: now.idle - passed, all: now.all - passed}
		p.mu.Unlock()
		return p.measureProcesses()
	}
	idle := func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.growth.idle
	}
	if measureAfter(leastTicks) || idle() {
		t.Error("it is known without a process")
	}
	h.call("f", `{}`)
	eventually(t, "idle processors, known a moment later, too", func() bool {
		return measureAfter(leastTicks) && idle() && p.measureProcesses()
	})
	p.mu.Lock()
	p.addLocked()
	p.mu.Unlock()
	if !measureAfter(leastTicks) || idle() {
		t.Error("processors count as idle while a process starts")
	}
	eventually(t, "idle processors when it has started", func() bool { return measureAfter(leastTicks) && idle() })
	if measureAfter(mostTicks+1) || idle() {
		t.Error("processors are idle because they were long ago")
	}
}
