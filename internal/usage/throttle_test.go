package usage

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/failure"
)

func settings(rate float64, burst int) *apigw.RouteSettings {
	return &apigw.RouteSettings{ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst}
}

// admitted counts what a throttle lets through of a hundred thousand requests
// at once.
func admitted(throttle Throttle, now time.Time) (n int) {
	for range 100_000 {
		if refusal := throttle.Take(now); refusal == nil {
			n++
		} else if refusal != ErrRouteRate {
			panic(refusal)
		}
	}
	return n
}

// Stage defaults and the settings of routes, with what a setting leaves open:
// section J.
func TestRouteThrottles(t *testing.T) {
	t.Parallel()
	now := time.Now()
	account := AccountRates{Requests: AWSRequests}
	stage := func(defaults *apigw.RouteSettings, routes map[string]*apigw.RouteSettings) *apigw.Stage {
		return &apigw.Stage{ApiId: "a", StageName: "dev", DefaultRouteSettings: defaults, RouteSettings: routes}
	}
	routes := func(s *apigw.RouteSettings) map[string]*apigw.RouteSettings {
		return map[string]*apigw.RouteSettings{"join": s}
	}
	tests := []struct {
		name    string
		stage   *apigw.Stage
		account AccountRates
		want    int
	}{
		{"nothing set", stage(nil, nil), account, 100_000},
		{"logging only", stage(&apigw.RouteSettings{LoggingLevel: "INFO"}, nil), account, 100_000},
		{"stage", stage(settings(10, 5), nil), account, 5},
		{"route", stage(settings(10, 5), routes(settings(10, 7))), account, 7},
		{"route's burst from the stage", stage(settings(10, 5), routes(settings(1, 0))), account, 5},
		{"route's burst from the account", stage(nil, routes(settings(1, 0))), account, 5000},
		{"stage's burst from the account", stage(settings(10, 0), nil), account, 5000},
		{"burst from nowhere", stage(settings(9.5, 0), nil), AccountRates{}, 10},
		{"rate from nowhere", stage(settings(0, 3), nil), AccountRates{}, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var buckets Buckets
			if got := admitted(buckets.Route(test.stage, "join", test.account), now); got != test.want {
				t.Errorf("admitted %d, want %d", got, test.want)
			}
		})
	}
}

// A new plan of a stage goes on with the buckets of the old one; other stages
// and routes have their own; what no plan has any more is forgotten.
func TestBucketsSurvivePlans(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var buckets Buckets
	stage := &apigw.Stage{ApiId: "a", StageName: "dev", DefaultRouteSettings: settings(1, 10),
		RouteSettings: map[string]*apigw.RouteSettings{"own": settings(1, 10)}}
	old := buckets.Route(stage, "join", AccountRates{})
	if got := admitted(old, now); got != 10 {
		t.Fatalf("admitted %d, want 10", got)
	}
	if got := admitted(buckets.Route(stage, "leave", AccountRates{}), now); got != 0 {
		t.Errorf("routes without settings share the stage's bucket; admitted %d", got)
	}
	if got := admitted(buckets.Route(stage, "own", AccountRates{}), now); got != 10 {
		t.Errorf("a route with settings has its own bucket; admitted %d", got)
	}
	other := &apigw.Stage{ApiId: "a", StageName: "prod", DefaultRouteSettings: settings(1, 10)}
	if got := admitted(buckets.Route(other, "join", AccountRates{}), now); got != 10 {
		t.Errorf("another stage has its own bucket; admitted %d", got)
	}
	stage.DefaultRouteSettings = settings(2, 10)
	redeployed := buckets.Route(stage, "join", AccountRates{})
	for _, want := range []int{0, 2, 2} {
		if got := admitted(redeployed, now); got != want {
			t.Errorf("under the new plan: admitted %d, want %d", got, want)
		}
		now = now.Add(time.Second)
	}
	runtime.KeepAlive(old)

	deadline := time.Now().Add(time.Minute)
	for left := buckets.len(); left > 0; left = buckets.len() {
		if time.Now().After(deadline) {
			t.Fatalf("%d buckets are left", left)
		}
		runtime.GC()
		runtime.Gosched()
	}
}

// len counts the buckets that have a name.
func (b *Buckets) len() int {
	b.registry.mu.Lock()
	defer b.registry.mu.Unlock()
	return len(b.registry.named)
}

func TestAccount(t *testing.T) {
	t.Parallel()
	now := time.Now()
	account := NewAccount(AccountRates{Requests: Rate{1, 3}, Connects: Rate{1, 1}})
	for i, want := range []*failure.Error{nil, ErrConnectRate} {
		if got := account.Connect(now); got != want {
			t.Errorf("connect %d: %v, want %v", i, got, want)
		}
	}
	for i, want := range []*failure.Error{nil, nil, ErrAccountRate} {
		if got := account.Request(now); got != want {
			t.Errorf("request %d: %v, want %v", i, got, want)
		}
	}
	if got := account.Connect(now.Add(900 * time.Millisecond)); got != ErrConnectRate {
		t.Errorf("connect: %v", got)
	}
	none := NewAccount(AccountRates{})
	for range 100_000 {
		if none.Connect(now) != nil || none.Request(now) != nil {
			t.Fatal("an account without limits refuses")
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr
	var open Open
	limits := OpenLimits{Total: 5, API: 4, Source: 2}
	steps := []struct {
		api, source string
		want        *failure.Error
	}{
		{"a", "192.0.2.1", nil},
		{"a", "::ffff:192.0.2.1", nil},
		{"b", "192.0.2.1", ErrOpenOfSource},
		{"a", "2001:db8::1", nil},
		{"a", "2001:db8::2:1%eth0", nil},
		{"b", "2001:db8::3", ErrOpenOfSource},
		{"a", "2001:db8:0:1::1", ErrOpenOfAPI},
		{"b", "2001:db8:0:1::1", nil},
		{"c", "192.0.2.9", ErrOpenTotal},
	}
	for i, step := range steps {
		if got := open.Add(limits, step.api, address(step.source)); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	open.Remove("a", address("192.0.2.1"))
	if got := open.Add(limits, "c", address("192.0.2.1")); got != nil {
		t.Errorf("after a connection ended: %v", got)
	}
	for _, end := range []struct{ api, source string }{
		{"a", "192.0.2.1"}, {"a", "2001:db8::1"}, {"a", "2001:db8::1"}, {"b", "2001:db8:0:1::1"}, {"c", "192.0.2.1"},
	} {
		open.Remove(end.api, address(end.source))
	}
	if open.total != 0 || len(open.apis) != 0 || len(open.sources) != 0 {
		t.Errorf("counters are left: %+v", &open)
	}
	var unknown Open
	for range 2 {
		if refusal := unknown.Add(OpenLimits{Source: 1}, "a", netip.Addr{}); refusal != nil {
			t.Errorf("sources that are not known have a cap: %v", refusal)
		}
	}
}

func BenchmarkThrottles(b *testing.B) {
	// The limits of a message are the connection's, the route's and the gateway's.
	const endless = 1_000_000_000
	for name, rate := range map[string]Rate{"passes": {PerSecond: endless, Burst: endless}, "is refused": {PerSecond: 1, Burst: 1}} {
		account := NewAccount(AccountRates{Requests: Rate{PerSecond: endless, Burst: endless}})
		var buckets Buckets
		route := buckets.Route(&apigw.Stage{DefaultRouteSettings: settings(endless, endless)}, "join", AccountRates{})
		b.Run("message/"+name, func(b *testing.B) {
			var own Bucket
			limit := rate.Limit()
			b.ReportAllocs()
			for b.Loop() {
				now := time.Now()
				_ = own.Take(limit, now) && route.Take(now) == nil && account.Request(now) == nil
			}
		})
	}
	b.Run("open connections", func(b *testing.B) {
		var open Open
		limits := OpenLimits{Total: 10, API: 10, Source: 10}
		source := netip.MustParseAddr("2001:db8::1")
		b.ReportAllocs()
		for b.Loop() {
			if open.Add(limits, "abcdefghij", source) == nil {
				open.Remove("abcdefghij", source)
			}
		}
	})
}

func TestParseRate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Rate{"none": {}, "100": {PerSecond: 100}, "0.5/3": {0.5, 3}, "10000/5000": AWSRequests, "1e3/1": {1000, 1}} {
		if got, err := ParseRate(text); got != want || err != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "x", "1/", "/1", "1/0", "1/-1", "1/1.5", "1/2/3", "NaN", "Inf", "1e400", " 1", "None"} {
		if got, err := ParseRate(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
