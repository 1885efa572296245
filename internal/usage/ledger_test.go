package usage

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a Storage. Every so many writes, another one is ahead.
type memory struct {
	mu      sync.Mutex
	records map[string]StoredRecord
	down    error
	writes  int
}

func newMemory() *memory { return &memory{records: make(map[string]StoredRecord)} }

func (m *memory) List(_ context.Context, prefix string) (found []StoredRecord, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, record := range m.records {
		if strings.HasPrefix(key, prefix) {
			found = append(found, record)
		}
	}
	return found, m.down
}

func (m *memory) Get(_ context.Context, key string) (StoredRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[key], m.down
}

func (m *memory) Put(ctx context.Context, record StoredRecord) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return m.down
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if m.writes++; m.writes%3 == 0 {
		raced := m.records[record.Key]
		raced.Key = record.Key
		if raced.Revision == 0 {
			raced.Value = []byte(`{"kind":"DAY+0","start":0,"used":5}`)
		}
		raced.Revision++
		m.records[record.Key] = raced
	}
	if m.records[record.Key].Revision != record.Revision {
		return ErrLostRace
	}
	record.Revision++
	m.records[record.Key] = record
	return nil
}

func (m *memory) setDown(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = err
}

// node is a gateway with its own ledger over a shared storage.
type node struct {
	*Keys
	ledger *Ledger
}

var quotaKeys = []Key{{Id: "a", Value: valueA, Enabled: true}}

func quotaPlan(q Quota) []Plan {
	return []Plan{{Id: "p.1", KeyIds: []string{"a"}, ApiStages: []PlanStage{{ApiId: "api", Stage: "dev"}}, Quota: &q}}
}

func startNode(t *testing.T, storage Storage, q Quota) node {
	t.Helper()
	ledger := NewLedger(storage)
	if err := ledger.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := node{NewKeys(&Buckets{}, ledger), ledger}
	for _, problem := range n.Replace(quotaKeys, quotaPlan(q)) {
		t.Error(problem)
	}
	return n
}

func (n node) use(t *testing.T, times, wantAdmitted int) {
	t.Helper()
	if got := tally(n.Keys, valueA, "dev", "$connect", times, time.Now()); got[nil] != wantAdmitted || got[ErrKeyQuotaReached] != times-wantAdmitted {
		t.Errorf("%d of %d let in, want %d", got[nil], times, wantAdmitted)
	}
}

func (n node) save(t *testing.T) {
	t.Helper()
	if err := n.ledger.Save(t.Context()); err != nil {
		t.Error(err)
	}
}

// Counts outlive the process and add up over nodes.
func TestLedger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		storage := newMemory()
		quota := Quota{Limit: 100, Period: PeriodDay}
		one, two := startNode(t, storage, quota), startNode(t, storage, quota)
		one.use(t, 30, 30)
		two.use(t, 40, 40)
		one.save(t)
		two.save(t)
		two.use(t, 50, 30) // two knows of the 30 of one
		one.use(t, 1, 1)   // one learns of two's with its own next save
		one.save(t)
		two.save(t)
		one.use(t, 1, 1)
		one.save(t)
		one.use(t, 1, 0)

		restarted := startNode(t, storage, quota)
		restarted.use(t, 1, 0)
		time.Sleep(24 * time.Hour)
		restarted.use(t, 101, 100)
		restarted.save(t)
		one.use(t, 1, 1)
		one.save(t)
		one.use(t, 1, 0)
		startNode(t, storage, quota).use(t, 1, 0)
	})
}

// A quota with other periods begins anew, and its counts are kept.
func TestLedgerWithANewQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		storage := newMemory()
		n := startNode(t, storage, Quota{Limit: 10, Period: PeriodDay})
		n.use(t, 10, 10)
		n.save(t)
		n.Replace(quotaKeys, quotaPlan(Quota{Limit: 12, Period: PeriodDay}))
		n.use(t, 10, 2)
		month := Quota{Limit: 5, Period: PeriodMonth}
		n.Replace(quotaKeys, quotaPlan(month))
		n.use(t, 3, 3)
		n.save(t)
		startNode(t, storage, month).use(t, 10, 2)
	})
}

// While the storage does not answer, counting goes on; afterwards nothing is
// missing.
func TestLedgerWithoutItsStorage(t *testing.T) {
	t.Parallel()
	storage := newMemory()
	quota := Quota{Limit: 20, Period: PeriodMonth}
	n := startNode(t, storage, quota)
	n.use(t, 5, 5)
	down := errors.New("out of order")
	storage.setDown(down)
	if err := n.ledger.Save(t.Context()); !errors.Is(err, down) || !strings.Contains(err.Error(), "API key a under plan p.1") {
		t.Errorf("saving: %v", err)
	}
	if err := NewLedger(storage).Load(t.Context()); !errors.Is(err, down) {
		t.Errorf("loading: %v", err)
	}
	n.use(t, 10, 10)
	storage.setDown(nil)
	n.save(t)
	startNode(t, storage, quota).use(t, 10, 5)

	for _, record := range storage.records {
		record.Value = []byte("not a count")
		storage.records[record.Key] = record
	}
	n.use(t, 1, 1)
	if err := n.ledger.Save(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("saving over a broken count: %v", err)
	}
}

// Counts are saved at every interval, and at the end.
func TestLedgerRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		storage := newMemory()
		quota := Quota{Limit: 20, Period: PeriodMonth}
		n := startNode(t, storage, quota)
		ctx, stop := context.WithCancel(t.Context())
		var failures []error
		done := make(chan struct{})
		go func() {
			defer close(done)
			n.ledger.Run(ctx, 2*time.Second, time.Second, func(err error) { failures = append(failures, err) })
		}()
		n.use(t, 5, 5)
		time.Sleep(3 * time.Second)
		startNode(t, storage, quota).use(t, 20, 15)
		n.use(t, 5, 5)
		stop()
		<-done
		startNode(t, storage, quota).use(t, 20, 10)
		if len(failures) > 0 {
			t.Error(failures)
		}

		ctx, stop = context.WithCancel(t.Context())
		stop()
		storage.setDown(errors.New("out of order"))
		n.use(t, 1, 1)
		n.ledger.Run(ctx, time.Second, time.Second, func(err error) { failures = append(failures, err) })
		if len(failures) != 1 {
			t.Errorf("the last save failed %d times", len(failures))
		}
		NewLedger(nil).Run(ctx, time.Second, time.Second, nil)
	})
}
