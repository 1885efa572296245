package metrics

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/usage"
)

func never(string) bool  { return false }
func always(string) bool { return true }

// A new plan of a stage goes on with the numbers of the one before; those of a stage
// that nobody has are gone.
func TestSeriesLiveWithTheirPlans(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	first := m.Stage("api", "name", "prod", always)
	first.Route("say", false).Count(&telemetry.Record{Event: telemetry.EventMessage, RouteKey: "say"})
	second := m.Stage("api", "name", "prod", always)
	counter := second.Route("say", true).(*meter)
	if n := counter.series.messages.Load(); n != 1 {
		t.Errorf("%d messages are counted, want 1", n)
	}
	runtime.KeepAlive(first)
	gone := m.Stage("gone", "gone", "prod", never)
	if n := len(m.stages.all()); n != 8 {
		t.Errorf("%d series, want 8: two stages, and 6 routes of one", n)
	}
	runtime.KeepAlive(gone)
	for deadline := time.Now().Add(time.Minute); ; {
		runtime.GC()
		left := m.stages.all()
		if len(left) == 7 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d series are left, want 7", len(left))
		}
	}
	runtime.KeepAlive(second)
	runtime.KeepAlive(counter)
}

// There are no more series than there may be; what is beyond counts together. Those that are
// gone leave room.
func TestMostSeries(t *testing.T) {
	t.Parallel()
	m := New(Options{MostSeries: 3})
	var kept []*Stage
	for n := range 5 {
		s := m.Stage(fmt.Sprint("api", n), "name", "prod", never)
		s.Unrouted.Count(&telemetry.Record{Event: telemetry.EventMessage, RouteKey: "say"})
		kept = append(kept, s)
	}
	all := m.stages.all()
	if len(all) != 4 {
		t.Fatalf("%d series, want 4", len(all))
	}
	if last := all[3]; last.Labels != overflow || last.messages.Load() != 2 {
		t.Errorf("the series beyond are %+v with %d messages", last.Labels, last.messages.Load())
	}
	kept[0] = nil
	for deadline := time.Now().Add(time.Minute); m.Stage("api3", "name", "prod", never).whole.Labels == overflow; {
		if time.Now().After(deadline) {
			t.Fatal("a series that nobody has leaves no room")
		}
		runtime.GC()
	}
	runtime.KeepAlive(kept)
}

// To count a message takes no allocation, whatever becomes of it.
func TestCountAllocations(t *testing.T) {
	m := New(Options{})
	route := m.Stage("api", "name", "prod", always).Route("say", true)
	good := &telemetry.Record{
		Event: telemetry.EventMessage, RouteKey: "say", Status: 200, Replied: true, Meter: route,
		Backend: telemetry.Backend{Latency: time.Millisecond, Status: 200, Result: 200},
	}
	bad := &telemetry.Record{Event: telemetry.EventMessage, RouteKey: "say", Status: 429, Meter: route, Failed: usage.ErrRouteRate, Error: "over"}
	m.Record(good)
	allocations.AtMost(t, 0, func() { m.Record(good); m.Record(bad) })
}

func BenchmarkRecord(b *testing.B) {
	m := New(Options{})
	r := &telemetry.Record{
		Event: telemetry.EventMessage, RouteKey: "say", Status: 200, Replied: true, Meter: m.Stage("api", "name", "prod", always).Route("say", true),
		Backend: telemetry.Backend{Latency: time.Millisecond, Status: 200, Result: 200},
	}
	for b.Loop() {
		m.Record(r)
	}
}

// Whoever is to blame for a failure, by its kind and by what the backend is.
func TestBlame(t *testing.T) {
	t.Parallel()
	message := func(f *failure.Error, b telemetry.Backend) *telemetry.Record {
		return &telemetry.Record{Event: telemetry.EventMessage, RouteKey: "say", Failed: f, Backend: b}
	}
	failed := func(k failure.Kind) *telemetry.Record { return message(&failure.Error{Kind: k}, telemetry.Backend{}) }
	for _, tt := range []struct {
		name              string
		r                 *telemetry.Record
		function, outside blamed
	}{
		{"nothing", message(nil, telemetry.Backend{Status: 200, Result: 200}), nobody, nobody},
		{"no route", failed(failure.Route), client, client},
		{"a body that fits no model", failed(failure.Body), client, client},
		{"unauthorized", failed(failure.Unauthorized), client, client},
		{"denied", failed(failure.Denied), client, client},
		{"over a limit", failed(failure.Throttled), client, client},
		{"over a quota", failed(failure.Quota), client, client},
		{"a backend that fails", failed(failure.Backend), execution, integration},
		{"a backend that is late", failed(failure.Timeout), execution, integration},
		{"a backend without a place", failed(failure.Unavailable), execution, integration},
		{"a mapping, or an alias that is missing", failed(failure.Configuration), execution, execution},
		{"a defect", failed(failure.Internal), execution, execution},
		{"an authorizer", failed(failure.AuthorizerConfiguration), execution, execution},
		{"a proxy's 503", message(nil, telemetry.Backend{Status: 200, Result: 503}), execution, nobody},
		{"an endpoint's 503, made 200", message(nil, telemetry.Backend{Status: 503, Result: 200}), nobody, integration},
		{"an endpoint's 404", message(nil, telemetry.Backend{Status: 404, Result: 404}), client, integration},
		{"a function's error, made 200", message(nil, telemetry.Backend{Status: 200, Result: 200, Error: "it failed"}), execution, nobody},
		{"a disconnect", &telemetry.Record{Event: telemetry.EventDisconnect, Status: 1006}, nobody, nobody},
		{"a push", &telemetry.Record{Event: telemetry.EventPush, Status: http.StatusOK}, nobody, nobody},
		{"a push to nobody", &telemetry.Record{Event: telemetry.EventPush, Status: http.StatusGone}, client, client},
		{"a call of a stranger", &telemetry.Record{Event: telemetry.EventInfo, Status: http.StatusForbidden}, client, client},
	} {
		if got := (&meter{}).blame(tt.r); got != tt.function {
			t.Errorf("%s, of a function: %v, want %v", tt.name, got, tt.function)
		}
		if got := (&meter{outside: true}).blame(tt.r); got != tt.outside {
			t.Errorf("%s, of an endpoint: %v, want %v", tt.name, got, tt.outside)
		}
	}
}

// Labels of what is not known before: close codes, statuses, results and limits.
func TestBoundedLabels(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	for _, code := range []int{1000, 1000, 1006, 1016, 2999, 3000, 3999, 4000, 4321, 5000, 0, -1} {
		m.Record(&telemetry.Record{Event: telemetry.EventDisconnect, Status: code})
	}
	got := map[string]uint64{}
	m.closes.each(func(code string, n uint64) { got[code] = n })
	if want := (map[string]uint64{"1000": 2, "1006": 1, "3xxx": 2, "4xxx": 2, "other": 5}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("closes %v, want %v", got, want)
	}
	for _, status := range []int{101, 101, 403, 599, 600, 7, -1} {
		m.Record(&telemetry.Record{Event: telemetry.EventConnect, Status: status})
	}
	m.Answered(426)
	got = map[string]uint64{}
	m.handshakes.each(func(status string, n uint64) { got[status] = n })
	if want := (map[string]uint64{"101": 2, "403": 1, "426": 1, "599": 4}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("handshakes %v, want %v", got, want)
	}
	if totals := m.Totals(); totals.Connected != 2 || totals.Refused != 6 || totals.Disconnected != 12 {
		t.Errorf("%+v", totals)
	}
	refused := &telemetry.Access{}
	for want, r := range map[string]*telemetry.Record{
		"delivered": {Status: 200}, "gone": {Status: 410}, "queue_full": {Status: 429}, "throttled": {Status: 429, Refused: refused},
		"denied": {Status: 403, Refused: refused}, "too_large": {Status: 413}, "invalid": {Status: 400}, "failed": {Status: 500},
	} {
		if result := pushResults[pushResult(r)]; result != want {
			t.Errorf("a push with %d is %s, want %s", r.Status, result, want)
		}
	}
	for want, e := range map[string]*failure.Error{
		"account": usage.ErrAccountRate, "connection": usage.ErrConnectionRate, "route": usage.ErrRouteRate, "key": usage.ErrKeyQuotaReached,
		"backend": usage.ErrBackendBusy, "open": usage.ErrOpenOfAPI,
	} {
		if at := throttleLevel(&telemetry.Record{Event: telemetry.EventMessage, Failed: e}); at < 0 || throttleLevels[at] != want {
			t.Errorf("%v is of level %d, want %s", e, at, want)
		}
	}
	if at := throttleLevel(&telemetry.Record{Event: telemetry.EventPush, Status: 429, Refused: refused}); at != 0 {
		t.Errorf("a push over the account's limit is of level %d", at)
	}
}
