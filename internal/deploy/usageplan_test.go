package deploy

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

func TestUsagePlans(t *testing.T) {
	t.Parallel()
	plans := readFile(t, "plans.yaml")
	s := newSite(t)
	want := load(t, "metered", plans)
	created := s.apply(want)
	if diff := cmp.Diff([]string{
		"create ApiKey acme", "create ApiKey made", "create UsagePlan basic", "create UsagePlan metered-" + nameless(want),
		"create UsagePlanKey acme of basic", "create UsagePlanKey made of metered-" + nameless(want),
	}, created[len(created)-6:]); diff != "" {
		t.Errorf("what was done (-want +got):\n%s", diff)
	}
	s.settled(want)
	keys, err := s.store.ApiKeys.List(t.Context())
	if err != nil || len(keys) != 2 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for _, k := range keys {
		if given := k.Value.Value == "0123456789abcdefghij"; given != (k.Value.Name == "acme") || len(k.Value.Value) < 20 {
			t.Errorf("the key %s has the value %s", k.Value.Name, k.Value.Value)
		}
	}
	s.apply(Nothing("metered"))
	s.settled(Nothing("metered"))
	if left, err := s.store.UsagePlans.IDs(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("plans that are left: %v, %v", left, err)
	}
}

// nameless is the id of the plan without a name in the template.
func nameless(want *State) string { return want.plans[1].tags[tagLogical] }

func TestChangesOfUsagePlans(t *testing.T) {
	t.Parallel()
	plans := readFile(t, "plans.yaml")
	for _, tt := range []struct {
		name     string
		old, new string
		want     []string
	}{
		{"description and customer of a key", "Description: for Acme", "CustomerId: c1", []string{"update ApiKey acme: customerId, description"}},
		{"disabled key", "Enabled: true, Value", "Enabled: false, Value", []string{"update ApiKey acme: enabled"}},
		{"value of a key", "0123456789abcdefghij", "abcdefghij0123456789", []string{
			"create ApiKey acme", "delete UsagePlanKey acme of basic", "create UsagePlanKey acme of basic", "delete ApiKey acme",
		}},
		{"quota and rate", "Limit: 1000000, Offset: 2, Period: WEEK}\n      Throttle: {RateLimit: 0.5, BurstLimit: 3}", "Limit: 5, Period: DAY}\n      Throttle: {RateLimit: 2.25}",
			[]string{"update UsagePlan basic: quota, throttle"}},
		{"no quota, no rate", "      Quota: {Limit: 1000000, Offset: 2, Period: WEEK}\n      Throttle: {RateLimit: 0.5, BurstLimit: 3}\n", "", []string{"update UsagePlan basic: quota, throttle"}},
		{"limits of a route", "{$connect: {RateLimit: 1, BurstLimit: 1}}", "{$connect: {RateLimit: 2}}", []string{"update UsagePlan basic: apiStages"}},
		{"another stage", "Stage: !Ref Live", "Stage: !Ref Test", []string{"update UsagePlan basic: apiStages"}},
		{"a key leaves a plan", "KeyId: !Ref Given, UsagePlanId: !Ref Basic", "KeyId: !Ref Given, UsagePlanId: !Ref Nameless", []string{
			"delete UsagePlanKey acme of basic", "create UsagePlanKey acme of NAMELESS",
		}},
		{"name of a plan", "UsagePlanName: basic", "UsagePlanName: advanced", []string{"update UsagePlan advanced: name"}},
		{"no plan", plans[strings.Index(plans, "  Nameless:"):], "", []string{"delete UsagePlan NAMELESS"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(plans, tt.old, tt.new, 1)
			if changed == plans {
				t.Fatalf("the template has no %q", tt.old)
			}
			s := newSite(t)
			first, second := load(t, "metered", plans), load(t, "metered", changed)
			s.apply(first)
			got := s.apply(second)
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], "metered-"+nameless(first), "NAMELESS")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("what was done (-want +got):\n%s", diff)
			}
			s.settled(second)
			s.apply(first) // and back
			s.settled(first)
		})
	}
}

// TestWhatMayNotBeRead: who may change APIs alone deploys those.
func TestWhatMayNotBeRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := load(t, "pair", readFile(t, "pair.yaml"))
	s.client.http.Transport = denying{s.client.http.Transport}
	s.apply(want)
	p := s.plan(want)
	if len(p.Changes) > 0 || len(p.Notes) != 3 || !strings.Contains(p.Notes[0], "does not show its domain names") {
		t.Errorf("changes %v, notes %q", lines(p), p.Notes)
	}
}

// denying answers as a gateway whose policies allow APIs alone.
type denying struct{ http.RoundTripper }

func (d denying) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/v2/apis") {
		return d.RoundTripper.RoundTrip(r)
	}
	refused := apigw.AccessDenied("no")
	return &http.Response{
		StatusCode: refused.Status, Header: http.Header{"X-Amzn-Errortype": {refused.Type}}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"Message":"no"}`)),
	}, nil
}
