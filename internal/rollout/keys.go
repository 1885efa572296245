package rollout

import (
	"maps"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// Keys takes the API keys and usage plans of the configuration, all at once.
type Keys interface {
	// Replace replaces all keys and plans by these. It returns an error for
	// each that cannot be used; the others are in effect. It is called by one
	// goroutine at a time.
	Replace([]*apigw.ApiKey, []*apigw.UsagePlan) []error
}

// keyRecords are the API keys and usage plans of the configuration.
type keyRecords struct {
	keys  map[string]*apigw.ApiKey
	plans map[string]*apigw.UsagePlan
}

func newKeyRecords() keyRecords {
	return keyRecords{make(map[string]*apigw.ApiKey), make(map[string]*apigw.UsagePlan)}
}

// note records a change, and reports whether it is of an API key or a usage
// plan. One that cannot be read lets nobody in.
func (k keyRecords) note(c *store.Configuration, change store.Change) bool {
	if event, ours := c.ApiKeys.Event(change); ours {
		set(k.keys, event)
		return true
	}
	event, ours := c.UsagePlans.Event(change)
	if ours {
		set(k.plans, event)
	}
	return ours
}

func set[T any](records map[string]*T, event store.Event[T]) {
	if event.Value == nil {
		delete(records, event.ID[0])
	} else {
		records[event.ID[0]] = event.Value
	}
}

// list returns them in an order that is the same on every node: where two
// contradict each other, all nodes take the same one.
func (k keyRecords) list() *keyList {
	l := &keyList{}
	for _, id := range slices.Sorted(maps.Keys(k.keys)) {
		l.keys = append(l.keys, k.keys[id])
	}
	for _, id := range slices.Sorted(maps.Keys(k.plans)) {
		l.plans = append(l.plans, k.plans[id])
	}
	return l
}

// keyList is what is put into effect.
type keyList struct {
	keys  []*apigw.ApiKey
	plans []*apigw.UsagePlan
}

// applyKeys puts API keys into effect, and reports problems that are new.
func (r *Rollout) applyKeys(l *keyList) {
	r.keyProblems = r.tell("API keys", r.keys.Replace(l.keys, l.plans), r.keyProblems)
}
