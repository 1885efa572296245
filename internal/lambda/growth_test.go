package lambda

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// machine stands for processes and for the processors that they share.
type machine struct {
	pool       *pool
	processors chan struct{}
	start      time.Duration // of a processor, until a process asks for work
	running    time.Duration // of a processor, for each event
	waiting    time.Duration // then, for each event

	mu         sync.Mutex
	handled    int
	concurrent int
	most       int // that were handled at once
}

// newMachine makes a pool whose processes are goroutines on two processors.
// idle is what the pool is told of these.
func newMachine(running, waiting time.Duration, idle bool) *machine {
	m := &machine{processors: make(chan struct{}, 2), start: 40 * time.Millisecond, running: running, waiting: waiting}
	m.pool = barePool()
	m.pool.growth.processors = cap(m.processors)
	m.pool.launch = m.launch
	m.pool.measure = func() bool {
		m.pool.mu.Lock()
		defer m.pool.mu.Unlock()
		m.pool.growth.idle = idle
		m.pool.growth.share = float64(running) / float64(running+waiting)
		return true
	}
	return m
}

// barePool is the pool of a function that is ready to be started, in a host that
// does nothing by itself.
func barePool() *pool {
	h := &Host{options: Options{}.withDefaults(), initLimit: time.Minute}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	p := newPool(h, Function{Name: "f", Timeout: time.Hour})
	p.preparation = &preparation{done: make(chan struct{}), program: &program{}}
	close(p.preparation.done)
	return p
}

func (m *machine) use(d time.Duration) {
	m.processors <- struct{}{}
	time.Sleep(d)
	<-m.processors
}

func (m *machine) launch(p *process, _ *program) error {
	m.use(m.start)
	p.ask(&fakeProcess{m, p})
	return nil
}

// fakeProcess handles the events of a process.
type fakeProcess struct {
	m *machine
	p *process
}

func (f *fakeProcess) deliver(t *task) error {
	go f.handle(t)
	return nil
}

func (f *fakeProcess) handle(t *task) {
	f.m.count(1)
	f.m.use(f.m.running)
	time.Sleep(f.m.waiting)
	f.m.count(-1)
	f.p.answer(t.requestID, Result{})
	f.p.ask(f)
}

func (m *machine) count(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.concurrent += n
	m.most = max(m.most, m.concurrent)
	if n < 0 {
		m.handled++
	}
}

// atMost is how many events were handled at once.
func (m *machine) atMost() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.most
}

// clients call the function, each as often as it can, for a time. It returns how
// many events were handled, and how many processes there are then.
func (m *machine) clients(count int, during time.Duration) (handled, processes int) {
	ctx, cancel := context.WithTimeout(context.Background(), during)
	defer cancel()
	m.mu.Lock()
	before := m.handled
	m.mu.Unlock()
	var clients sync.WaitGroup
	for range count {
		clients.Go(func() {
			for ctx.Err() == nil {
				_, _ = m.pool.invoke(ctx, newTask(Invocation{}, "id"))
			}
		})
	}
	clients.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	return m.handled - before, len(m.pool.processes)
}

// end waits until all events have been handled.
func (m *machine) end() {
	m.pool.retire()
	time.Sleep(2 * time.Hour)
}

// How many processes a function gets, by what its handler does and how many
// clients call it.
func TestGrowth(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name             string
		running, waiting time.Duration
		idle             bool
		clients          int
		least, most      int // processes
	}{
		{"one client, a quick handler", 500 * time.Microsecond, 0, true, 1, 1, 1},
		{"one client, a slow handler", 0, 50 * time.Millisecond, true, 1, 1, 1},
		{"two clients that compute", 5 * time.Millisecond, 0, false, 2, 2, 2},
		{"ten clients, a quick handler", 500 * time.Microsecond, 0, false, 10, 2, 2},
		{"a hundred clients that compute", 5 * time.Millisecond, 0, false, 100, 2, 2},
		{"a hundred clients that wait, on a machine that is busy", 200 * time.Microsecond, 50 * time.Millisecond, false, 100, 90, 100},
		{"a hundred clients that wait, on a machine that is not", 200 * time.Microsecond, 50 * time.Millisecond, true, 100, 90, 100},
		{"ten clients that compute half of the time", 5 * time.Millisecond, 5 * time.Millisecond, false, 10, 4, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(test.running, test.waiting, test.idle)
				_, processes := m.clients(test.clients, 5*time.Second) // it grows
				if processes < test.least || processes > test.most {
					t.Errorf("%d processes, want %d to %d", processes, test.least, test.most)
				}
				handled, _ := m.clients(test.clients, 5*time.Second)
				if most := m.atMost(); test.waiting > 0 && test.clients == 100 && most < test.least {
					t.Errorf("%d events were handled at once, want %d", most, test.least)
				}
				// What one process a core, or one for each client, would do.
				atOnce := min(test.clients, test.most)
				if want := atOnce * int(5*time.Second/(test.running+test.waiting)) * 9 / 10; handled < want {
					t.Errorf("%d events were handled, want %d", handled, want)
				}
				m.end()
			})
		})
	}
}

// An event behind handlers that never leave the processors gets a process, but
// not soon.
func TestGrowthBehindBusyHandlers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(0, time.Hour, false)
		m.pool.measure = func() bool {
			m.pool.mu.Lock()
			defer m.pool.mu.Unlock()
			m.pool.growth.share, m.pool.growth.idle = 1, false
			return true
		}
		_, processes := m.clients(3, time.Second)
		if processes != 2 {
			t.Errorf("%d processes after a second, want 2", processes)
		}
		if _, processes = m.clients(1, busyPatience*m.start+time.Second); processes != 3 {
			t.Errorf("%d processes after that, want 3", processes)
		}
		m.end()
	})
}

// That processors were idle while nobody called starts no process when a hundred
// clients begin to compute: growth looks again first.
func TestGrowthAfterQuietTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(5*time.Millisecond, 0, false)
		known, looks := m.pool.measure, atomic.Int64{}
		m.pool.measure = func() bool {
			n := looks.Add(1)
			if n > 2 {
				return known()
			}
			m.pool.mu.Lock()
			defer m.pool.mu.Unlock()
			m.pool.growth.idle = true
			return false
		}
		if _, processes := m.clients(100, 5*time.Second); processes != 2 || looks.Load() < 3 {
			t.Errorf("%d processes after %d looks, want 2 after 3", processes, looks.Load())
		}
		m.end()
	})
}

// That processors were idle once starts some processes, not more and more of them:
// growth looks again when those have started.
func TestGrowthAfterOneIdleLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(5*time.Millisecond, 0, false)
		looks := atomic.Int64{}
		m.pool.measure = func() bool {
			m.pool.mu.Lock()
			defer m.pool.mu.Unlock()
			m.pool.growth.share = 1
			m.pool.growth.idle = m.pool.growth.idle || looks.Add(1) == 1
			return true
		}
		if _, processes := m.clients(100, 5*time.Second); processes > 6 {
			t.Errorf("%d processes, want 6 at most", processes)
		}
		m.end()
	})
}

// Nothing is decided while the processes are still being looked at, which takes a
// while on a busy machine, however many events come meanwhile.
func TestGrowthWaitsForTheLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(5*time.Millisecond, 0, false)
		known, looking := m.pool.measure, atomic.Int64{}
		m.pool.measure = func() bool {
			defer looking.Add(-1)
			if looking.Add(1) > 1 {
				t.Error("two look at once")
				return true
			}
			time.Sleep(50 * time.Millisecond)
			return known()
		}
		if _, processes := m.clients(100, 5*time.Second); processes != 2 {
			t.Errorf("%d processes, want 2", processes)
		}
		m.end()
	})
}

// The pool starts no process for an event while one that has answered is about
// to ask for work, unless that takes long.
func TestGrowthCountsOnProcessesThatReturn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := growth{processors: 2, cost: minStartCost}
		now := time.Now()
		g.observe(now, 1, 1)
		if _, ever := g.due(); ever {
			t.Error("a process is due for an event that has one")
		}
		g.observe(now, 1, 0)
		if in, ever := g.due(); !ever || in <= 0 || in > 2*minStartCost {
			t.Errorf("due in %v, %v", in, ever)
		}
		g.observe(now.Add(2*minStartCost), 1, 0)
		if n := g.starts(now.Add(2*minStartCost), crowd{processes: 1}); n != 1 {
			t.Errorf("%d starts, want 1", n)
		}
		if n := g.starts(now.Add(2*minStartCost), crowd{processes: 1}); n != 0 {
			t.Errorf("%d starts for nothing, want none", n)
		}
	})
}

func TestUsage(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, test := range []struct {
		usage
		want float64
	}{
		{usage{}, 0},
		{usage{events: 10, shortest: 5 * ms, running: 50 * ms}, 1},
		{usage{events: 10, shortest: 50 * ms, running: 50 * ms}, 0.1},
		{usage{events: 10, shortest: 15 * ms, running: 50 * ms, queued: 100 * ms}, 1},
		{usage{events: 10, shortest: 4 * ms, running: 50 * ms}, 1}, // with what it does between events
		{usage{events: 1, shortest: ms}.plus(usage{events: 1, shortest: 2 * ms, running: ms}), 0.5},
	} {
		if got := test.share(); got != test.want {
			t.Errorf("%+v: %v, want %v", test.usage, got, test.want)
		}
	}
	before := processorTimes{processors: 2, idle: 100, all: 1000}
	if part, ticks := (processorTimes{processors: 2, idle: 125, all: 1100}).idleSince(before); part != 0.25 || ticks != 50 {
		t.Errorf("%v, %v", part, ticks)
	}
	if part, ticks := before.idleSince(before); part != 0 || ticks != 0 {
		t.Errorf("in no time: %v, %v", part, ticks)
	}
}
