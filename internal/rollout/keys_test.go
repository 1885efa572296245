package rollout

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// API keys and usage plans of the configuration are in effect when Await says
// so, what they used is kept in it, and what is wrong with them is reported once.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := store.NewMemory()
	c := store.NewConfiguration(s, nil)
	records := UsageRecords{c.Usage}
	key := &apigw.ApiKey{Id: "key1", Value: "0123456789abcdefghij", Enabled: true}
	plan := &apigw.UsagePlan{
		Id: "plan1", KeyIds: []string{"key1"}, Quota: &apigw.Quota{Limit: 3, Period: "MONTH"},
		ApiStages: []*apigw.PlanStage{{ApiId: "api1", Stage: "prod"}},
	}
	put(t, c.ApiKeys, key, "key1") // before the start
	run := func() (*node, *usage.Keys, *usage.Ledger) {
		ledger := usage.NewLedger(records)
		if err := ledger.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		keys := usage.NewKeys(new(usage.Buckets), ledger)
		n := &node{configuration: c}
		n.Rollout = New(Options{Configuration: c, Compiler: compiler(), Gateway: n, Keys: keys, Report: n.note})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- n.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		select {
		case <-n.Ready():
		case <-time.After(deadline):
			t.Fatal("the rollout is not ready")
		}
		return n, keys, ledger
	}
	n, keys, ledger := run()
	try := func(keys *usage.Keys, want *failure.Error) {
		t.Helper()
		if _, got := keys.Check(key.Value, "api1", "prod", "$connect", time.Now()); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	try(keys, usage.ErrKeyNotOfStage)
	n.await(t, put(t, c.UsagePlans, plan, "plan1"))
	try(keys, nil)
	try(keys, nil)
	key.Enabled = false
	n.await(t, put(t, c.ApiKeys, key, "key1"))
	try(keys, usage.ErrKeyDisabled)
	key.Enabled = true
	n.await(t, put(t, c.ApiKeys, key, "key1"))
	try(keys, nil)
	try(keys, usage.ErrKeyQuotaReached)
	if err := ledger.Save(t.Context()); err != nil {
		t.Error(err)
	}
	_, again, _ := run() // another node, or the same after a restart
	try(again, usage.ErrKeyQuotaReached)

	twin := *key
	twin.Id = "key2"
	n.await(t, put(t, c.ApiKeys, &twin, "key2"))
	n.await(t, put(t, c.UsagePlans, plan, "plan1"))
	if problems := n.takeProblems(); len(problems) != 1 || !strings.Contains(problems[0], "API keys: API key key2: key key1 has the same value") {
		t.Errorf("%q", problems)
	}
	_, revision, err := c.ApiKeys.Get(t.Context(), "key1")
	if err != nil {
		t.Fatal(err)
	}
	if revision, err = c.ApiKeys.Delete(t.Context(), revision, "key1"); err != nil {
		t.Fatal(err)
	}
	n.await(t, revision)
	try(keys, usage.ErrKeyNotOfStage) // key2's now
}

// UsageRecords say who was first.
func TestUsageRecords(t *testing.T) {
	t.Parallel()
	records := UsageRecords{store.NewConfiguration(store.NewMemory(), nil).Usage}
	if record, revision, err := records.Get(t.Context(), "p", "k"); record != nil || revision != 0 || err != nil {
		t.Errorf("%v %d %v", record, revision, err)
	}
	record := &apigw.Usage{UsagePlanId: "p", KeyId: "k", Used: map[string]int64{"2026-01-02": 3}}
	if err := records.Put(t.Context(), record, 0); err != nil {
		t.Error(err)
	}
	if err := records.Put(t.Context(), record, 0); err != usage.ErrLostRace {
		t.Errorf("%v", err)
	}
	if list, err := records.List(t.Context()); err != nil || len(list) != 1 || list[0].Used["2026-01-02"] != 3 {
		t.Errorf("%v %v", list, err)
	}
}
