package gateway_test

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// BenchmarkThrottle sends messages as fast as one client can, through sockets, to
// a gateway that lets few of them through. "passed/allowed" is what came through
// in parts of what the rate and the burst allowed in that time, "sent/allowed"
// how much more was sent.
func BenchmarkThrottle(b *testing.B) {
	const rate, burst = 500, 50
	g := NewGuarded(b, websocket.DriverAuto, gateway.Guards{
		Account: usage.NewAccount(usage.AccountRates{Requests: usage.Rate{PerSecond: rate, Burst: burst}}),
	})
	g.Backends.Functions = instant{}
	g.DeployRoutes(Route{Key: "$default", TwoWay: true, Function: "f"})
	exchange, err := dialRaw(b, g, `{"action":"x"}`)
	if err != nil {
		b.Fatal(err)
	}
	sent, began := 0, time.Now()
	for b.Loop() {
		if err := exchange(); err != nil {
			b.Fatal(err)
		}
		sent++
	}
	allowed := burst + rate*time.Since(began).Seconds()
	passed := 0
	for _, r := range g.Records.All(telemetry.EventMessage) {
		if r.Error == "" {
			passed++
		}
	}
	b.ReportMetric(float64(passed)/allowed, "passed/allowed")
	b.ReportMetric(float64(sent)/allowed, "sent/allowed")
}
