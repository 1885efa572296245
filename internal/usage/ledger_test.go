package usage

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// stored are Records in a store. Before every third write, somebody else
// writes.
type stored struct {
	usage  *store.Collection[apigw.Usage]
	down   error
	writes int
}

func newStored() *stored {
	return &stored{usage: store.NewConfiguration(store.NewMemory(), nil).Usage}
}

func (s *stored) List(ctx context.Context) ([]*apigw.Usage, error) {
	entries, err := s.usage.List(ctx)
	records := make([]*apigw.Usage, len(entries))
	for i := range entries {
		records[i] = entries[i].Value
	}
	return records, errors.Join(s.down, err)
}

func (s *stored) Get(ctx context.Context, planID, keyID string) (*apigw.Usage, uint64, error) {
	record, revision, err := s.usage.Get(ctx, planID, keyID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, s.down
	}
	return record, revision, errors.Join(s.down, err)
}

func (s *stored) Put(ctx context.Context, record *apigw.Usage, revision uint64) error {
	if s.writes++; s.writes%3 == 0 {
		found, at, err := s.usage.Get(ctx, record.UsagePlanId, record.KeyId)
		if errors.Is(err, store.ErrNotFound) {
			found = &apigw.Usage{UsagePlanId: record.UsagePlanId, KeyId: record.KeyId}
		}
		if _, err := s.usage.Put(ctx, found, at); err != nil {
			return err
		}
	}
	_, err := s.usage.Put(ctx, record, revision)
	if errors.Is(err, store.ErrConflict) {
		return ErrLostRace
	}
	return errors.Join(s.down, err)
}

// node is a gateway with its own ledger over shared records.
type node struct {
	*Keys
	ledger *Ledger
}

var quotaKeys = []*apigw.ApiKey{{Id: "a", Value: valueA, Enabled: true}}

func quotaPlan(q apigw.Quota) []*apigw.UsagePlan {
	return []*apigw.UsagePlan{{Id: "p1", KeyIds: []string{"a"}, ApiStages: []*apigw.PlanStage{{ApiId: "api", Stage: "dev"}}, Quota: &q}}
}

func startNode(t *testing.T, records Records, q apigw.Quota) node {
	t.Helper()
	ledger := NewLedger(records)
	if err := ledger.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := node{NewKeys(&Buckets{}, ledger), ledger}
	n.replace(t, q)
	return n
}

func (n node) replace(t *testing.T, q apigw.Quota) {
	t.Helper()
	for _, problem := range n.Replace(quotaKeys, quotaPlan(q)) {
		t.Error(problem)
	}
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
		records := newStored()
		quota := apigw.Quota{Limit: 100, Period: "DAY"}
		one, two := startNode(t, records, quota), startNode(t, records, quota)
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

		restarted := startNode(t, records, quota)
		restarted.use(t, 1, 0)
		time.Sleep(24 * time.Hour)
		restarted.use(t, 101, 100)
		restarted.save(t)
		one.use(t, 1, 1)
		one.save(t)
		one.use(t, 1, 0)
		startNode(t, records, quota).use(t, 1, 0)

		want := &apigw.Usage{UsagePlanId: "p1", KeyId: "a", Used: map[string]int64{"2000-01-01": 102, "2000-01-02": 101}}
		got, _, err := records.Get(t.Context(), "p1", "a")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		for range daysKept {
			time.Sleep(24 * time.Hour)
			one.use(t, 1, 1)
			one.save(t)
		}
		if got, _, _ = records.Get(t.Context(), "p1", "a"); len(got.Used) != daysKept || got.Used["2000-01-02"] != 0 {
			t.Errorf("old days are kept: %v", got.Used)
		}
	})
}

// A clock that was ahead, and is set right again, counts for the right day again,
// and what was counted meanwhile is of no later period. What was counted before is
// still there.
func TestLedgerOfAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		records := newStored()
		c := startNode(t, records, apigw.Quota{Limit: 10, Period: "MONTH"})
		use := func(at time.Time, want int) {
			t.Helper()
			got := tally(c.Keys, valueA, "dev", "$connect", 20, at)[nil]
			if c.save(t); got != want {
				t.Errorf("on %v: %d requests, want %d", at, got, want)
			}
		}
		now := time.Now()
		use(now, 10)
		use(now.AddDate(2, 0, 0), 10)
		use(now, 0)
		use(now.AddDate(0, 1, 0), 10)
		use(now.AddDate(2, 0, 0), 0)
		got, _, err := records.Get(t.Context(), "p1", "a")
		want := map[string]int64{"2000-01-01": 10, "2000-02-01": 10, "2002-01-01": 10}
		if diff := cmp.Diff(want, got.Used); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// A quota with other limits or periods counts what was used.
func TestLedgerWithANewQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		records := newStored()
		n := startNode(t, records, apigw.Quota{Limit: 10, Period: "DAY"})
		n.use(t, 10, 10)
		n.save(t)
		n.replace(t, apigw.Quota{Limit: 12, Period: "DAY"})
		n.use(t, 10, 2)
		time.Sleep(24 * time.Hour)
		month := apigw.Quota{Limit: 15, Period: "MONTH"}
		n.replace(t, month)
		n.use(t, 10, 3) // the 2 of yesterday are not saved yet, and count
		n.save(t)
		startNode(t, records, month).use(t, 1, 0)
		startNode(t, records, apigw.Quota{Limit: 5, Period: "DAY"}).use(t, 10, 2)
	})
}

// What an operator grants beside a quota is known after the next save, also to
// a node that refuses everything.
func TestLedgerWithAGrant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		records := newStored()
		quota := apigw.Quota{Limit: 10, Period: "WEEK"}
		n := startNode(t, records, quota)
		n.use(t, 11, 10)
		n.save(t)
		record, revision, err := records.Get(t.Context(), "p1", "a")
		if err != nil {
			t.Fatal(err)
		}
		record.Granted = map[string]int64{PeriodStart(quota, time.Now()): 5}
		if err := records.Put(t.Context(), record, revision); err != nil {
			t.Fatal(err)
		}
		n.use(t, 1, 0)
		n.save(t)
		n.use(t, 10, 5)
		n.save(t)
		if record, _, _ = records.Get(t.Context(), "p1", "a"); Used(record, PeriodStart(quota, time.Now()), time.Now().UTC().Format(time.DateOnly)) != 10 {
			t.Errorf("got %+v", record)
		}
		time.Sleep(7 * 24 * time.Hour)
		n.use(t, 20, 10)
	})
}

// While the records do not answer, counting goes on; afterwards nothing is
// missing.
func TestLedgerWithoutItsRecords(t *testing.T) {
	t.Parallel()
	records := newStored()
	quota := apigw.Quota{Limit: 20, Period: "MONTH"}
	n := startNode(t, records, quota)
	n.use(t, 5, 5)
	down := errors.New("out of order")
	records.down = down
	if err := n.ledger.Save(t.Context()); !errors.Is(err, down) || !strings.Contains(err.Error(), "API key a under plan p1") {
		t.Errorf("saving: %v", err)
	}
	if err := NewLedger(records).Load(t.Context()); !errors.Is(err, down) {
		t.Errorf("loading: %v", err)
	}
	n.use(t, 10, 10)
	records.down = nil
	n.save(t)
	startNode(t, records, quota).use(t, 10, 5)
}

// Counts are saved at every interval, and at the end.
func TestLedgerRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		records := newStored()
		quota := apigw.Quota{Limit: 20, Period: "MONTH"}
		n := startNode(t, records, quota)
		ctx, stop := context.WithCancel(t.Context())
		var failures []error
		done := make(chan struct{})
		go func() {
			defer close(done)
			n.ledger.Run(ctx, 2*time.Second, time.Second, func(err error) { failures = append(failures, err) })
		}()
		n.use(t, 5, 5)
		time.Sleep(3 * time.Second)
		startNode(t, records, quota).use(t, 20, 15)
		n.use(t, 5, 5)
		stop()
		<-done
		startNode(t, records, quota).use(t, 20, 10)
		if len(failures) > 0 {
			t.Error(failures)
		}
		records.down = errors.New("out of order")
		n.use(t, 1, 1)
		n.ledger.Run(ctx, time.Second, time.Second, func(err error) { failures = append(failures, err) })
		if len(failures) != 1 {
			t.Errorf("the last save failed %d times", len(failures))
		}
		NewLedger(nil).Run(ctx, time.Second, time.Second, nil)
	})
}
