package usage

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/failure"
)

// Keys checks API keys against usage plans. Checks are safe for concurrent use,
// also while the records are replaced.
type Keys struct {
	buckets *Buckets
	ledger  *Ledger
	index   atomic.Pointer[map[string]*keyEntry]
}

// keyEntry is a key as checks need it. It is not changed.
type keyEntry struct {
	id      string
	enabled bool
	stages  map[stageName]*membership
}

type stageName struct{ apiID, stage string }

// membership is what a key may do on a stage.
type membership struct {
	planID   string
	throttle Throttle
	routes   map[string]Throttle
	quota    *counter // nil: no quota
}

// NewKeys makes a check that knows no keys. What buckets holds, and the counts
// of the ledger, go on over a replacement of the records.
func NewKeys(buckets *Buckets, ledger *Ledger) *Keys {
	k := &Keys{buckets: buckets, ledger: ledger}
	k.index.Store(&map[string]*keyEntry{})
	return k
}

// Replace puts new records in the place of all before. A record that is not
// valid opens nothing, nor does the second of two keys with one value; the
// errors tell of these. Where a key has several plans of one stage, the plan
// that is listed first is taken. One goroutine at a time may call it.
func (k *Keys) Replace(keys []*apigw.ApiKey, plans []*apigw.UsagePlan) []error {
	var problems []error
	byID := make(map[string]*keyEntry, len(keys))
	index := make(map[string]*keyEntry, len(keys))
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			problems = append(problems, fmt.Errorf("API key %s: %w", key.Id, err))
			continue
		}
		if other := index[key.Value]; other != nil {
			problems = append(problems, fmt.Errorf("API key %s: key %s has the same value", key.Id, other.id))
			continue
		}
		entry := &keyEntry{id: key.Id, enabled: key.Enabled, stages: make(map[stageName]*membership)}
		index[key.Value], byID[key.Id] = entry, entry
	}
	counters := make(map[counterName]*counter)
	for _, plan := range plans {
		if err := CheckPlan(plan); err != nil {
			problems = append(problems, fmt.Errorf("usage plan %s: %w", plan.Id, err))
			continue
		}
		for _, id := range plan.KeyIds {
			// A plan may list a key that is gone: it opens nothing.
			if entry := byID[id]; entry != nil {
				k.join(entry, plan, counters)
			}
		}
	}
	k.ledger.keep(counters)
	k.index.Store(&index)
	return problems
}

// join makes a key a member of a plan.
func (k *Keys) join(entry *keyEntry, plan *apigw.UsagePlan, counters map[counterName]*counter) {
	var quota *counter
	if plan.Quota != nil {
		name := counterName{plan.Id, entry.id}
		quota = k.ledger.counter(name, *plan.Quota)
		counters[name] = quota
	}
	throttle := k.throttle(plan.Throttle, "key", plan.Id, entry.id)
	for _, stage := range plan.ApiStages {
		name := stageName{stage.ApiId, stage.Stage}
		if entry.stages[name] != nil {
			continue
		}
		m := &membership{planID: plan.Id, throttle: throttle, quota: quota}
		for route, own := range stage.Throttle {
			if m.routes == nil {
				m.routes = make(map[string]Throttle, len(stage.Throttle))
			}
			m.routes[route] = k.throttle(own, "key", plan.Id, entry.id, stage.ApiId, stage.Stage, route)
		}
		entry.stages[name] = m
	}
}

func (k *Keys) throttle(t *apigw.Throttle, name ...string) Throttle {
	if t == nil || *t == (apigw.Throttle{}) {
		return Throttle{}
	}
	rate := Rate{t.RateLimit, t.BurstLimit}
	return Throttle{k.buckets.get(name...), rate.limit()}
}

// Check counts a request of a client that shows a key, and gives the key's id
// and its plan's, or a refusal: one of the ErrKey values. What is refused
// counts for nothing. The id is given as soon as it is known, also with a
// refusal.
//
// The value is found by a hash with a random seed, so that the time that it
// takes tells nothing of other values.
func (k *Keys) Check(value, apiID, stage, routeKey string, now time.Time) (Use, *failure.Error) {
	if value == "" {
		return Use{}, ErrKeyMissing
	}
	entry := (*k.index.Load())[value]
	if entry == nil {
		return Use{}, ErrKeyUnknown
	}
	use := Use{KeyID: entry.id}
	if !entry.enabled {
		return use, ErrKeyDisabled
	}
	m := entry.stages[stageName{apiID, stage}]
	if m == nil {
		return use, ErrKeyNotOfStage
	}
	use.PlanID = m.planID
	return use, m.take(routeKey, now)
}

// Use is whose request is counted.
type Use struct{ KeyID, PlanID string }

// take asks the quota first and counts last: a request that the rate refuses
// is none of the quota.
func (m *membership) take(routeKey string, now time.Time) *failure.Error {
	if m.quota != nil && !m.quota.take(now) {
		return ErrKeyQuotaReached
	}
	refusal := m.rate(routeKey, now)
	if refusal != nil && m.quota != nil {
		m.quota.putBack()
	}
	return refusal
}

// rate takes from the route's throttle, where the plan has one, else from the
// key's.
func (m *membership) rate(routeKey string, now time.Time) *failure.Error {
	if own, found := m.routes[routeKey]; found {
		if own.Take(now) != nil {
			return ErrKeyRouteRate
		}
		return nil
	}
	if m.throttle.Take(now) != nil {
		return ErrKeyRate
	}
	return nil
}
