package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// A minute becomes one call, with API Gateway's names, dimensions and samples: errors
// have a sample for each event. What was sent is not sent again, and a failure is told
// once.
func TestCloudWatch(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	stage := m.Stage("api", "name", "prod", func(key string) bool { return key == "say" })
	say := stage.Route("say", false)
	for range 2 {
		say.Count(&telemetry.Record{
			Event: telemetry.EventMessage, RouteKey: "say", Replied: true, Backend: telemetry.Backend{Latency: 3 * time.Millisecond, Result: 503},
		})
	}
	stage.Connect.Count(&telemetry.Record{Event: telemetry.EventConnect, Failed: &failure.Error{Kind: failure.Denied}})
	var sent []string
	var answer error
	var log strings.Builder
	c := m.NewCloudWatch(func(_ context.Context, form []byte) error {
		sent = append(sent, flat(t, form))
		return answer
	}, slog.New(slog.NewTextHandler(&log, nil)))
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	c.flush(t.Context(), at)
	const want = `PutMetricData AWS/ApiGateway
ConnectCount Count ApiId=api 1x1
MessageCount Count ApiId=api 1x5
ClientError Count ApiId=api 0x2 1x1
ExecutionError Count ApiId=api 0x1 1x2
IntegrationError Count ApiId=api 0x3
IntegrationLatency Milliseconds ApiId=api 2.887x2
ConnectCount Count ApiId=api Stage=prod 1x1
MessageCount Count ApiId=api Stage=prod 1x5
ClientError Count ApiId=api Stage=prod 0x2 1x1
ExecutionError Count ApiId=api Stage=prod 0x1 1x2
IntegrationError Count ApiId=api Stage=prod 0x3
IntegrationLatency Milliseconds ApiId=api Stage=prod 2.887x2
MessageCount Count ApiId=api Stage=prod Route=say 1x4
ClientError Count ApiId=api Stage=prod Route=say 0x2
ExecutionError Count ApiId=api Stage=prod Route=say 1x2
IntegrationError Count ApiId=api Stage=prod Route=say 0x2
IntegrationLatency Milliseconds ApiId=api Stage=prod Route=say 2.887x2
`
	if len(sent) != 1 || sent[0] != want {
		t.Errorf("sent %d:\n%s\nwant\n%s", len(sent), strings.Join(sent, "\n"), want)
	}
	c.flush(t.Context(), at)
	if len(sent) != 1 {
		t.Errorf("sent again:\n%s", sent[1])
	}
	for _, answer = range []error{errors.New("refused"), errors.New("refused"), nil} {
		say.Count(&telemetry.Record{Event: telemetry.EventMessage, RouteKey: "say"})
		c.flush(t.Context(), at)
	}
	if n := strings.Count(log.String(), "cannot be sent"); n != 1 || !strings.Contains(log.String(), "are sent to CloudWatch again") {
		t.Errorf("the log:\n%s", &log)
	}
	runtime.KeepAlive(stage)
}

// What is too much for one call of CloudWatch, in numbers or in bytes, becomes several, which
// have all of it.
func TestCloudWatchCallsAreBounded(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct{ routes, latencies int }{"numbers": {300, 1}, "bytes": {100, 200}} {
		m := New(Options{})
		stage := m.Stage("api", "name", "prod", always)
		var kept []telemetry.Meter
		for n := range of.routes {
			route := stage.Route(fmt.Sprint("route", n), false)
			kept = append(kept, route)
			for i := range of.latencies {
				latency := time.Duration(float64(time.Microsecond) * math.Exp2(float64(i)/perPower))
				route.Count(&telemetry.Record{Event: telemetry.EventMessage, RouteKey: "route", Backend: telemetry.Backend{Latency: latency}})
			}
		}
		calls, routes := 0, map[string]bool{}
		m.NewCloudWatch(func(_ context.Context, form []byte) error {
			calls++
			numbers := 0
			for field := range strings.SplitSeq(string(form), "&") {
				switch key, value, _ := strings.Cut(field, "="); {
				case strings.HasSuffix(key, ".MetricName"):
					numbers++
				case strings.HasSuffix(key, ".Dimensions.member.3.Value"):
					routes[value] = true
				}
			}
			if len(form) > 1_000_000 || numbers > 1000 {
				t.Errorf("%s: a call has %d numbers in %d bytes", name, numbers, len(form))
			}
			return nil
		}, slog.New(slog.DiscardHandler)).flush(t.Context(), time.Now())
		if want := of.routes; calls < 2 || len(routes) != want {
			t.Errorf("%s: %d calls have numbers of %d routes, want %d", name, calls, len(routes), want)
		}
		runtime.KeepAlive(kept)
	}
}

// flat shows a call line by line.
func flat(t *testing.T, form []byte) string {
	t.Helper()
	f, err := url.ParseQuery(string(form))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintln(&text, f.Get("Action"), f.Get("Namespace"))
	for i := 1; f.Has(fmt.Sprintf("MetricData.member.%d.MetricName", i)); i++ {
		at := fmt.Sprintf("MetricData.member.%d.", i)
		if time := f.Get(at + "Timestamp"); time != "2026-11-30T12:00:00Z" {
			t.Errorf("the time is %s", time)
		}
		fmt.Fprint(&text, f.Get(at+"MetricName"), " ", f.Get(at+"Unit"))
		for j := 1; f.Has(fmt.Sprintf("%sDimensions.member.%d.Name", at, j)); j++ {
			fmt.Fprint(&text, " ", f.Get(fmt.Sprintf("%sDimensions.member.%d.Name", at, j)), "=", f.Get(fmt.Sprintf("%sDimensions.member.%d.Value", at, j)))
		}
		for j := 1; f.Has(fmt.Sprintf("%sValues.member.%d", at, j)); j++ {
			fmt.Fprint(&text, " ", f.Get(fmt.Sprintf("%sValues.member.%d", at, j)), "x", f.Get(fmt.Sprintf("%sCounts.member.%d", at, j)))
		}
		fmt.Fprintln(&text)
	}
	return text.String()
}
