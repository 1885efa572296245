package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/overload"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// As memory runs out, those who send most are not read, then handshakes are
// refused, then those who read slowly are dropped; afterwards all is as before.
// The log tells the beginning and the end of each.
func TestOverloadActions(t *testing.T) {
	t.Parallel()
	g := gatewaytest.New(t, websocket.DriverAuto)
	g.Functions.Set("echo", gatewaytest.Echo)
	g.DeployRoutes(gatewaytest.Route{Key: "$default", Function: "echo", TwoWay: true})
	memory := 0.0
	var log strings.Builder
	manager := overload.New(slog.New(slog.NewTextHandler(&log, nil)),
		[]overload.Pressure{{Name: "memory", Read: func() float64 { return memory }}}, actions(g.Engine, g.Gateway))

	greedy, modest, slow := g.Dial("/dev"), g.Dial("/dev"), g.Dial("/dev")
	ask := func(c *gatewaytest.Client, text string) {
		t.Helper()
		c.Send(text)
		if got := c.Receive(); got != text {
			t.Fatalf("%.20q is answered %.20q", text, got)
		}
	}
	ask(slow, "slow")
	slowID := senderOf(t, g, "slow")
	for range 20 {
		ask(greedy, strings.Repeat("x", 30_000))
	}
	ask(modest, "hello")

	memory = 0.86
	manager.Round()
	greedy.Send("while it is held")
	for n := range 20 {
		ask(modest, fmt.Sprint(n))
	}
	if slices.ContainsFunc(g.Functions.Events("echo"), func(e gatewaytest.Event) bool { return e.Body == "while it is held" }) {
		t.Error("the one who sends most is read")
	}
	g.Dial("/dev")

	memory = 0.91
	manager.Round()
	if _, response, err := g.TryDial("/dev"); err == nil || response == nil || response.StatusCode != 503 || response.Header.Get("Retry-After") == "" {
		t.Errorf("a handshake: %v, %v", response, err)
	}
	if got := greedy.Receive(); got != "while it is held" { // held for one round, and then somebody else is
		t.Errorf("the one who was held gets %q", got)
	}

	payload := []byte(strings.Repeat("x", 100_000))
	gatewaytest.Eventually(t, func() error { // until the sockets are full
		if answer, _ := g.Do("POST", g.ConnectionURL(slowID), payload); answer.StatusCode == 200 {
			return fmt.Errorf("%d bytes wait", g.Engine.Waiting())
		}
		return nil
	})
	memory = 0.96
	manager.Round()
	if record := g.Records.Wait(t, "disconnect", 1); record.Status != websocket.CloseTryAgainLater || record.ConnectionID != slowID {
		t.Errorf("$disconnect of %s with %d", record.ConnectionID, record.Status)
	}

	memory = 0
	manager.Round()
	ask(g.Dial("/dev"), "hello")
	ask(greedy, "hello")
	for _, line := range []string{
		`msg="overloaded: pausing those who send most" pressure=memory percent=86`,
		`msg="overloaded: refusing handshakes" pressure=memory percent=91`,
		`msg="overloaded: dropping slow readers" pressure=memory percent=96`,
		`msg="no longer overloaded: ended: pausing those who send most"`,
		`msg="no longer overloaded: ended: refusing handshakes"`,
		`msg="no longer overloaded: ended: dropping slow readers"`,
	} {
		if strings.Count(log.String(), line) != 1 {
			t.Errorf("the log does not have once: %s\n%s", line, &log)
		}
	}
}

// senderOf is the id of the connection that sent a text.
func senderOf(t *testing.T, g *gatewaytest.Gateway, text string) string {
	t.Helper()
	for _, e := range g.Functions.Events("echo") {
		if e.Body == text {
			return e.RequestContext.ConnectionID
		}
	}
	t.Fatalf("nobody sent %q", text)
	return ""
}

// Messages in flight are a pressure: backends that hang have those who send to
// them paused, until they answer. It makes no difference whether the messages have a
// goroutine each, as those for functions, or are on the event loop, as those for HTTP
// backends.
func TestOverloadInFlight(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"functions", "HTTP backends"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			g := gatewaytest.NewWith(t, websocket.Options{InFlight: 8}, gateway.Guards{Unsigned: true})
			proceed := make(chan struct{})
			g.Functions.Set("hangs", func(context.Context, gatewaytest.Event) (string, error) {
				<-proceed
				return `{"statusCode":200}`, nil
			})
			backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-proceed }))
			t.Cleanup(backend.Close)
			release := sync.OnceFunc(func() { close(proceed) })
			t.Cleanup(release)
			route := gatewaytest.Route{Key: "$default", Function: "hangs"}
			if kind != "functions" {
				route = gatewaytest.Route{Key: "$default", Integration: &apigw.Integration{
					IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: backend.URL,
				}}
			}
			overloadInFlight(t, g, route, release)
		})
	}
}

// overloadInFlight has messages hang until they are released.
func overloadInFlight(t *testing.T, g *gatewaytest.Gateway, route gatewaytest.Route, release func()) {
	t.Helper()
	var log strings.Builder
	inFlight := slices.DeleteFunc(pressures(g.Engine, func(time.Duration) {}), func(p overload.Pressure) bool { return p.Name != "messages in flight" })
	manager := overload.New(slog.New(slog.NewTextHandler(&log, nil)), inFlight, actions(g.Engine, g.Gateway))
	manager.Round()
	if log.Len() > 0 {
		t.Errorf("without a message: %s", &log)
	}
	for n := range 8 { // each has a share, with room for one at least
		id := fmt.Sprintf("hanging%03d", n)
		g.Deploy(gatewaytest.API(id, route), &apigw.Stage{StageName: id})
		g.Dial("/" + id).Send("x")
	}
	gatewaytest.Eventually(t, func() error {
		if running, limit := g.Engine.InFlight(); running < 7 {
			return fmt.Errorf("%d messages of %d are in flight", running, limit)
		}
		return nil
	})
	manager.Round()
	if !strings.Contains(log.String(), `pausing those who send most" pressure="messages in flight"`) {
		t.Errorf("the log: %s", &log)
	}
	release()
	gatewaytest.Eventually(t, func() error {
		if running, _ := g.Engine.InFlight(); running > 0 {
			return fmt.Errorf("%d are in flight", running)
		}
		return nil
	})
	manager.Round()
	if !strings.Contains(log.String(), "ended: pausing those who send most") {
		t.Errorf("the log: %s", &log)
	}
}

// What is done, about which pressure and from where on, is what the table in the
// documentation says; and every pressure that an action is for is one that is
// watched.
func TestOverloadTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/self-host.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| What is done |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	watched := map[string]string{"Memory": "memory", "Descriptors": "descriptors", "Messages in flight": "messages in flight", "Event loops": "lag"}
	var columns []string
	for name := range strings.SplitSeq(strings.Trim(rows[0], " |"), "|") {
		columns = append(columns, watched[strings.TrimSpace(name)])
	}
	g := gatewaytest.New(t, websocket.DriverAuto)
	for _, p := range pressures(g.Engine, func(time.Duration) {}) {
		if !slices.Contains(columns, p.Name) {
			t.Errorf("the pressure %q is in no column of %q", p.Name, rows[0])
		}
	}
	taken := actions(g.Engine, g.Gateway)
	if len(rows) != 2+len(taken) {
		t.Fatalf("%d actions are taken, and the table has the rows\n%s", len(taken), table)
	}
	for i, a := range taken {
		cells := strings.Split(strings.Trim(rows[2+i], "|"), "|")[1:]
		want := make(map[string]float64)
		for c, cell := range cells {
			cell = strings.ReplaceAll(strings.TrimSpace(cell), " ", "")
			if percent, is := strings.CutSuffix(cell, "%"); is {
				n, err := strconv.ParseFloat(percent, 64)
				if err != nil {
					t.Fatal(err)
				}
				want[columns[c]] = n / 100
			} else if cell != "" {
				turn, err := time.ParseDuration(cell)
				if err != nil {
					t.Fatal(err)
				}
				want[columns[c]] = float64(turn) / float64(loopsStandStill)
			}
		}
		if diff := cmp.Diff(want, a.From); diff != "" {
			t.Errorf("%s, in the table %q (-documented +taken):\n%s", a.Name, rows[2+i], diff)
		}
	}
}

// Loops that take long for a turn are a pressure: as they slow down, handshakes
// are refused, until they turn again.
func TestOverloadLag(t *testing.T) {
	t.Parallel()
	g := gatewaytest.New(t, websocket.DriverAuto)
	g.Functions.Set("echo", gatewaytest.Echo)
	g.DeployRoutes(gatewaytest.Route{Key: "$default", Function: "echo", TwoWay: true})
	hang := true
	lag := overload.Lag(func(ctx context.Context) error {
		if hang {
			<-ctx.Done()
			return ctx.Err()
		}
		return g.Engine.Alive(ctx)
	}, time.Second)
	var log strings.Builder
	manager := overload.New(slog.New(slog.NewTextHandler(&log, nil)), []overload.Pressure{lag}, actions(g.Engine, g.Gateway))
	manager.Round()
	if _, response, err := g.TryDial("/dev"); err == nil || response == nil || response.StatusCode != 503 {
		t.Errorf("a handshake while the loops stand still: %v, %v", response, err)
	}
	hang = false
	gatewaytest.Eventually(t, func() error {
		if manager.Round(); !strings.Contains(log.String(), "ended: refusing handshakes") {
			return fmt.Errorf("the log: %s", &log)
		}
		return nil
	})
	c := g.Dial("/dev")
	if c.Send("hello"); c.Receive() != "hello" {
		t.Error("who comes then is not answered")
	}
}
