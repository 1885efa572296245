package usage

import (
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/failure"
)

const (
	valueA = "aaaaaaaaaaaaaaaaaaaaaaaa"
	valueB = "bbbbbbbbbbbbbbbbbbbbbbbb"
	valueC = "cccccccccccccccccccccccc"
)

var noon = time.Date(2026, 9, 25, 12, 0, 0, 0, time.UTC) // a Friday

func newKeys(t *testing.T, keys []*apigw.ApiKey, plans ...*apigw.UsagePlan) *Keys {
	t.Helper()
	k := NewKeys(&Buckets{}, NewLedger(nil))
	for _, problem := range k.Replace(keys, plans) {
		t.Error(problem)
	}
	return k
}

// Which keys open which stages, and what a client sees otherwise: section I.4.
func TestKeys(t *testing.T) {
	t.Parallel()
	k := newKeys(t,
		[]*apigw.ApiKey{{Id: "a", Value: valueA, Enabled: true}, {Id: "b", Value: valueB, Enabled: true}, {Id: "off", Value: valueC}},
		&apigw.UsagePlan{Id: "p", ApiStages: []*apigw.PlanStage{{ApiId: "api", Stage: "dev"}}, KeyIds: []string{"a", "off", "gone"}},
		&apigw.UsagePlan{Id: "q", ApiStages: []*apigw.PlanStage{{ApiId: "api", Stage: "prod"}, {ApiId: "api", Stage: "dev"}}, KeyIds: []string{"a"}},
	)
	tests := []struct {
		name, value, stage string
		use                Use
		want               *failure.Error
		status             int
		message            string
	}{
		{"right", valueA, "dev", Use{"a", "p"}, nil, 0, ""},
		{"second plan", valueA, "prod", Use{"a", "q"}, nil, 0, ""},
		{"missing", "", "dev", Use{}, ErrKeyMissing, 403, "Forbidden"},
		{"unknown", valueA + "x", "dev", Use{}, ErrKeyUnknown, 403, "Forbidden"},
		{"disabled", valueC, "dev", Use{KeyID: "off"}, ErrKeyDisabled, 403, "Forbidden"},
		{"without a plan", valueB, "dev", Use{KeyID: "b"}, ErrKeyNotOfStage, 403, "Forbidden"},
		{"another stage", valueA, "test", Use{KeyID: "a"}, ErrKeyNotOfStage, 403, "Forbidden"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			use, refusal := k.Check(test.value, "api", test.stage, "$connect", noon)
			if use != test.use || refusal != test.want {
				t.Errorf("got %v, %v; want %v, %v", use, refusal, test.use, test.want)
			}
			if refusal != nil && (refusal.Status() != test.status || refusal.Message() != test.message) {
				t.Errorf("refused with %d %s", refusal.Status(), refusal.Message())
			}
		})
	}
}

// tally counts what comes of many checks at once.
func tally(k *Keys, value, stage, route string, times int, now time.Time) map[*failure.Error]int {
	results := make(map[*failure.Error]int)
	for range times {
		_, refusal := k.Check(value, "api", stage, route, now)
		results[refusal]++
	}
	return results
}

func TestKeyThrottles(t *testing.T) {
	t.Parallel()
	keys := []*apigw.ApiKey{{Id: "a", Value: valueA, Enabled: true}, {Id: "b", Value: valueB, Enabled: true}}
	plan := &apigw.UsagePlan{
		Id: "p", KeyIds: []string{"a", "b"},
		Throttle: &apigw.Throttle{RateLimit: 1, BurstLimit: 5},
		ApiStages: []*apigw.PlanStage{
			{ApiId: "api", Stage: "dev", Throttle: map[string]*apigw.Throttle{"join": {RateLimit: 1, BurstLimit: 2}}},
			{ApiId: "api", Stage: "prod"},
		},
		Quota: &apigw.Quota{Limit: 9, Period: "DAY"},
	}
	k := newKeys(t, keys, plan)
	expect := func(what string, got map[*failure.Error]int, refusal *failure.Error, let, refused int) {
		t.Helper()
		if got[nil] != let || got[refusal] != refused {
			t.Errorf("%s: %v; want %d let in, %d refused", what, got, let, refused)
		}
	}
	expect("a route of its own", tally(k, valueA, "dev", "join", 4, noon), ErrKeyRouteRate, 2, 2)
	expect("the plan", tally(k, valueA, "dev", "$connect", 4, noon), ErrKeyRate, 4, 0)
	expect("the plan, over all stages", tally(k, valueA, "prod", "$connect", 4, noon), ErrKeyRate, 1, 3)
	expect("another key", tally(k, valueB, "dev", "$connect", 6, noon), ErrKeyRate, 5, 1)

	// New records go on with what was used, and with the quota's count: 7 of 9.
	plan.Throttle = &apigw.Throttle{RateLimit: 1, BurstLimit: 6}
	for _, problem := range k.Replace(keys, []*apigw.UsagePlan{plan}) {
		t.Error(problem)
	}
	expect("after a change", tally(k, valueA, "prod", "$connect", 4, noon), ErrKeyRate, 1, 3)
	expect("the quota", tally(k, valueA, "prod", "$connect", 4, noon.Add(time.Minute)), ErrKeyQuotaReached, 1, 3)
	if ErrKeyQuotaReached.Status() != 429 || ErrKeyQuotaReached.Message() != "Limit Exceeded" || ErrKeyRate.Message() != "Too Many Requests" {
		t.Error("the texts of section A.5 differ")
	}
	expect("the next day", tally(k, valueA, "prod", "$connect", 10, noon.AddDate(0, 0, 1)), ErrKeyRate, 6, 4)
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	tests := []struct {
		quota    apigw.Quota
		now, ago string
	}{
		{apigw.Quota{Period: "DAY"}, "2026-09-25T23:59:59Z", "2026-09-25"},
		{apigw.Quota{Period: "DAY"}, "2026-09-25T23:00:00-02:00", "2026-09-26"},
		{apigw.Quota{Period: "WEEK"}, "2026-09-25T12:00:00Z", "2026-09-20"},
		{apigw.Quota{Period: "WEEK"}, "2026-09-20T00:00:00Z", "2026-09-20"},
		{apigw.Quota{Period: "WEEK", Offset: 5}, "2026-09-25T12:00:00Z", "2026-09-25"},
		{apigw.Quota{Period: "WEEK", Offset: 6}, "2026-09-25T12:00:00Z", "2026-09-19"},
		{apigw.Quota{Period: "MONTH"}, "2026-09-01T00:00:00Z", "2026-09-01"},
		{apigw.Quota{Period: "MONTH"}, "2026-09-30T12:00:00Z", "2026-09-01"},
		{apigw.Quota{Period: "MONTH", Offset: 27}, "2026-09-28T00:00:00Z", "2026-09-28"},
		{apigw.Quota{Period: "MONTH", Offset: 27}, "2026-01-27T23:00:00Z", "2025-12-28"},
	}
	for _, test := range tests {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := PeriodStart(test.quota, now); got != test.ago {
			t.Errorf("%+v at %s began on %s, want %s", test.quota, test.now, got, test.ago)
		}
	}
}

func TestBadRecords(t *testing.T) {
	t.Parallel()
	stages := []*apigw.PlanStage{{ApiId: "api", Stage: "dev"}}
	plan := func(change func(*apigw.UsagePlan)) *apigw.UsagePlan {
		p := &apigw.UsagePlan{Id: "p", ApiStages: stages, KeyIds: []string{"a"}}
		change(p)
		return p
	}
	tests := []struct {
		name string
		key  *apigw.ApiKey
		plan *apigw.UsagePlan
		want string
	}{
		{"short value", &apigw.ApiKey{Id: "a", Value: "short", Enabled: true}, &apigw.UsagePlan{Id: "p"}, "API key a: the value of an API key has 20 to 128 characters, not 5"},
		{"long value", &apigw.ApiKey{Id: "a", Value: strings.Repeat("x", 129)}, &apigw.UsagePlan{Id: "p"}, "not 129"},
		{"no id", &apigw.ApiKey{Value: valueA}, &apigw.UsagePlan{Id: "p"}, "needs an id"},
		{"same value", &apigw.ApiKey{Id: "a", Value: valueC}, &apigw.UsagePlan{Id: "p"}, "API key a: key c has the same value"},
		{"no plan id", &apigw.ApiKey{Id: "a", Value: valueA}, &apigw.UsagePlan{}, "a usage plan needs an id"},
		{"no stage", &apigw.ApiKey{Id: "a", Value: valueA}, plan(func(p *apigw.UsagePlan) { p.ApiStages = []*apigw.PlanStage{{ApiId: "api"}} }), "needs an apiId and a stage"},
		{"period", &apigw.ApiKey{Id: "a", Value: valueA}, plan(func(p *apigw.UsagePlan) { p.Quota = &apigw.Quota{Period: "YEAR"} }), `DAY, WEEK or MONTH, not "YEAR"`},
		{"day's offset", &apigw.ApiKey{Id: "a", Value: valueA}, plan(func(p *apigw.UsagePlan) { p.Quota = &apigw.Quota{Period: "DAY", Offset: 1} }), "for a DAY is from 0 to 0, not 1"},
		{"week's offset", &apigw.ApiKey{Id: "a", Value: valueA}, plan(func(p *apigw.UsagePlan) { p.Quota = &apigw.Quota{Period: "WEEK", Offset: 7} }), "for a WEEK is from 0 to 6, not 7"},
		{"month's offset", &apigw.ApiKey{Id: "a", Value: valueA}, plan(func(p *apigw.UsagePlan) { p.Quota = &apigw.Quota{Period: "MONTH", Offset: -1} }), "for a MONTH is from 0 to 27, not -1"},
		{"quota", &apigw.ApiKey{Id: "a", Value: valueA}, plan(func(p *apigw.UsagePlan) { p.Quota = &apigw.Quota{Period: "DAY", Limit: -1} }), "cannot be negative"},
		{"throttle", &apigw.ApiKey{Id: "a", Value: valueA}, plan(func(p *apigw.UsagePlan) { p.Throttle = &apigw.Throttle{RateLimit: -1} }), "cannot be negative"},
		{"route's throttle", &apigw.ApiKey{Id: "a", Value: valueA}, plan(func(p *apigw.UsagePlan) {
			p.ApiStages = []*apigw.PlanStage{{ApiId: "api", Stage: "dev", Throttle: map[string]*apigw.Throttle{"join": {BurstLimit: -1}}}}
		}), "stage api:dev, route join: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := NewKeys(&Buckets{}, NewLedger(nil))
			problems := k.Replace([]*apigw.ApiKey{{Id: "c", Value: valueC, Enabled: true}, test.key}, []*apigw.UsagePlan{test.plan})
			if len(problems) != 1 || !strings.Contains(problems[0].Error(), test.want) {
				t.Errorf("problems %v, want %q", problems, test.want)
			}
			if _, refusal := k.Check(test.key.Value, "api", "dev", "$connect", noon); refusal == nil {
				t.Error("a wrong record opens the stage")
			}
		})
	}
}

func BenchmarkKeys(b *testing.B) {
	k := NewKeys(&Buckets{}, NewLedger(nil))
	k.Replace([]*apigw.ApiKey{{Id: "a", Value: valueA, Enabled: true}}, []*apigw.UsagePlan{{
		Id: "p", KeyIds: []string{"a"}, ApiStages: []*apigw.PlanStage{{ApiId: "abcdefghij", Stage: "dev"}},
		Throttle: &apigw.Throttle{RateLimit: 1e9, BurstLimit: 1e9}, Quota: &apigw.Quota{Limit: 1 << 62, Period: "DAY"},
	}})
	b.ReportAllocs()
	for b.Loop() {
		if _, refusal := k.Check(valueA, "abcdefghij", "dev", "$connect", noon); refusal != nil {
			b.Fatal(refusal)
		}
	}
}
