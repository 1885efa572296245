package usage

import (
	"strings"
	"testing"
	"time"
)

const (
	valueA = "aaaaaaaaaaaaaaaaaaaaaaaa"
	valueB = "bbbbbbbbbbbbbbbbbbbbbbbb"
	valueC = "cccccccccccccccccccccccc"
)

var noon = time.Date(2026, 9, 25, 12, 0, 0, 0, time.UTC) // a Friday

func newKeys(t *testing.T, keys []Key, plans ...Plan) *Keys {
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
		[]Key{{Id: "a", Value: valueA, Enabled: true}, {Id: "b", Value: valueB, Enabled: true}, {Id: "off", Value: valueC}},
		Plan{Id: "p", ApiStages: []PlanStage{{ApiId: "api", Stage: "dev"}}, KeyIds: []string{"a", "off", "gone"}},
		Plan{Id: "q", ApiStages: []PlanStage{{ApiId: "api", Stage: "prod"}, {ApiId: "api", Stage: "dev"}}, KeyIds: []string{"a"}},
	)
	tests := []struct {
		name, value, stage string
		use                Use
		want               *Refusal
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
			if refusal != nil && (refusal.Status != test.status || refusal.Message != test.message) {
				t.Errorf("refused with %d %s", refusal.Status, refusal.Message)
			}
		})
	}
}

// tally counts what comes of many checks at once.
func tally(k *Keys, value, stage, route string, times int, now time.Time) map[*Refusal]int {
	results := make(map[*Refusal]int)
	for range times {
		_, refusal := k.Check(value, "api", stage, route, now)
		results[refusal]++
	}
	return results
}

func TestKeyThrottles(t *testing.T) {
	t.Parallel()
	keys := []Key{{Id: "a", Value: valueA, Enabled: true}, {Id: "b", Value: valueB, Enabled: true}}
	plan := Plan{
		Id: "p", KeyIds: []string{"a", "b"},
		Throttle: &Throttling{RateLimit: 1, BurstLimit: 5},
		ApiStages: []PlanStage{
			{ApiId: "api", Stage: "dev", Throttle: map[string]*Throttling{"join": {RateLimit: 1, BurstLimit: 2}}},
			{ApiId: "api", Stage: "prod"},
		},
		Quota: &Quota{Limit: 9, Period: PeriodDay},
	}
	k := newKeys(t, keys, plan)
	expect := func(what string, got map[*Refusal]int, refusal *Refusal, let, refused int) {
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
	plan.Throttle = &Throttling{RateLimit: 1, BurstLimit: 6}
	for _, problem := range k.Replace(keys, []Plan{plan}) {
		t.Error(problem)
	}
	expect("after a change", tally(k, valueA, "prod", "$connect", 4, noon), ErrKeyRate, 1, 3)
	expect("the quota", tally(k, valueA, "prod", "$connect", 4, noon.Add(time.Minute)), ErrKeyQuotaReached, 1, 3)
	if ErrKeyQuotaReached.Status != 429 || ErrKeyQuotaReached.Message != "Limit Exceeded" || ErrKeyRate.Message != "Too Many Requests" {
		t.Error("the texts of section A.5 differ")
	}
	expect("the next day", tally(k, valueA, "prod", "$connect", 10, noon.AddDate(0, 0, 1)), ErrKeyRate, 6, 4)
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	tests := []struct {
		quota    Quota
		now, ago string
	}{
		{Quota{Period: PeriodDay}, "2026-09-25T23:59:59Z", "2026-09-25"},
		{Quota{Period: PeriodDay}, "2026-09-25T23:00:00-02:00", "2026-09-26"},
		{Quota{Period: PeriodWeek}, "2026-09-25T12:00:00Z", "2026-09-20"},
		{Quota{Period: PeriodWeek}, "2026-09-20T00:00:00Z", "2026-09-20"},
		{Quota{Period: PeriodWeek, Offset: 5}, "2026-09-25T12:00:00Z", "2026-09-25"},
		{Quota{Period: PeriodWeek, Offset: 6}, "2026-09-25T12:00:00Z", "2026-09-19"},
		{Quota{Period: PeriodMonth}, "2026-09-01T00:00:00Z", "2026-09-01"},
		{Quota{Period: PeriodMonth}, "2026-09-30T12:00:00Z", "2026-09-01"},
		{Quota{Period: PeriodMonth, Offset: 27}, "2026-09-28T00:00:00Z", "2026-09-28"},
		{Quota{Period: PeriodMonth, Offset: 27}, "2026-01-27T23:00:00Z", "2025-12-28"},
	}
	for _, test := range tests {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		start := test.quota.at(now).Start
		if got := time.Unix(start, 0).UTC().Format(time.DateOnly); got != test.ago {
			t.Errorf("%+v at %s began on %s, want %s", test.quota, test.now, got, test.ago)
		}
	}
}

func TestBadRecords(t *testing.T) {
	t.Parallel()
	stages := []PlanStage{{ApiId: "api", Stage: "dev"}}
	plan := func(change func(*Plan)) Plan {
		p := Plan{Id: "p", ApiStages: stages, KeyIds: []string{"a"}}
		change(&p)
		return p
	}
	tests := []struct {
		name string
		key  Key
		plan Plan
		want string
	}{
		{"short value", Key{Id: "a", Value: "short", Enabled: true}, Plan{Id: "p"}, "API key a: the value of an API key has 20 to 128 characters, not 5"},
		{"long value", Key{Id: "a", Value: strings.Repeat("x", 129)}, Plan{Id: "p"}, "not 129"},
		{"no id", Key{Value: valueA}, Plan{Id: "p"}, "needs an id"},
		{"same value", Key{Id: "a", Value: valueC}, Plan{Id: "p"}, "API key a: key c has the same value"},
		{"no plan id", Key{Id: "a", Value: valueA}, Plan{}, "a usage plan needs an id"},
		{"no stage", Key{Id: "a", Value: valueA}, plan(func(p *Plan) { p.ApiStages = []PlanStage{{ApiId: "api"}} }), "needs an apiId and a stage"},
		{"period", Key{Id: "a", Value: valueA}, plan(func(p *Plan) { p.Quota = &Quota{Period: "YEAR"} }), `DAY, WEEK or MONTH, not "YEAR"`},
		{"day's offset", Key{Id: "a", Value: valueA}, plan(func(p *Plan) { p.Quota = &Quota{Period: "DAY", Offset: 1} }), "for a DAY is from 0 to 0, not 1"},
		{"week's offset", Key{Id: "a", Value: valueA}, plan(func(p *Plan) { p.Quota = &Quota{Period: "WEEK", Offset: 7} }), "for a WEEK is from 0 to 6, not 7"},
		{"month's offset", Key{Id: "a", Value: valueA}, plan(func(p *Plan) { p.Quota = &Quota{Period: "MONTH", Offset: -1} }), "for a MONTH is from 0 to 27, not -1"},
		{"quota", Key{Id: "a", Value: valueA}, plan(func(p *Plan) { p.Quota = &Quota{Period: "DAY", Limit: -1} }), "cannot be negative"},
		{"throttle", Key{Id: "a", Value: valueA}, plan(func(p *Plan) { p.Throttle = &Throttling{RateLimit: -1} }), "cannot be negative"},
		{"route's throttle", Key{Id: "a", Value: valueA}, plan(func(p *Plan) {
			p.ApiStages = []PlanStage{{"api", "dev", map[string]*Throttling{"join": {BurstLimit: -1}}}}
		}), "stage api:dev, route join: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := NewKeys(&Buckets{}, NewLedger(nil))
			problems := k.Replace([]Key{{Id: "c", Value: valueC, Enabled: true}, test.key}, []Plan{test.plan})
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
	k.Replace([]Key{{Id: "a", Value: valueA, Enabled: true}}, []Plan{{
		Id: "p", KeyIds: []string{"a"}, ApiStages: []PlanStage{{ApiId: "abcdefghij", Stage: "dev"}},
		Throttle: &Throttling{RateLimit: 1e9, BurstLimit: 1e9}, Quota: &Quota{Limit: 1 << 62, Period: PeriodDay},
	}})
	b.ReportAllocs()
	for b.Loop() {
		if _, refusal := k.Check(valueA, "abcdefghij", "dev", "$connect", noon); refusal != nil {
			b.Fatal(refusal)
		}
	}
}
