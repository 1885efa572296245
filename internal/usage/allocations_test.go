package usage

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/apigw"
)

// The limits of a message, and its API key, are checked without an allocation, whether
// it passes or is refused.
func TestCheckAllocations(t *testing.T) {
	const endless = 1_000_000_000
	account := NewAccount(AccountRates{Requests: Rate{PerSecond: endless, Burst: endless}})
	var buckets Buckets
	route := buckets.Route(&apigw.Stage{DefaultRouteSettings: settings(endless, endless)}, "join", AccountRates{})
	keys := NewKeys(&buckets, NewLedger(nil))
	keys.Replace([]*apigw.ApiKey{{Id: "a", Value: valueA, Enabled: true}}, []*apigw.UsagePlan{{
		Id: "p", KeyIds: []string{"a"}, ApiStages: []*apigw.PlanStage{{ApiId: "abcdefghij", Stage: "dev"}},
		Throttle: &apigw.Throttle{RateLimit: endless, BurstLimit: endless}, Quota: &apigw.Quota{Limit: 1 << 62, Period: "DAY"},
	}})
	var passes, refuses Bucket
	wide, narrow := Rate{PerSecond: endless, Burst: endless}.Limit(), Rate{PerSecond: 1, Burst: 1}.Limit()
	allocations.AtMost(t, 0, func() {
		now := time.Now()
		_ = passes.Take(wide, now) && route.Take(now) == nil && account.Request(now) == nil
		_ = refuses.Take(narrow, now)
		_, _ = keys.Check(valueA, "abcdefghij", "dev", "join", noon)
	})
}
