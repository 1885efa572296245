package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	client "github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// slow is a rate of n events at once, and then nothing while a test runs.
func slow(n int) usage.Rate { return usage.Rate{PerSecond: 0.0001, Burst: n} }

func settings(n int) *apigw.RouteSettings {
	return &apigw.RouteSettings{ThrottlingRateLimit: 0.0001, ThrottlingBurstLimit: n}
}

const tooMany = "Too Many Requests"

// Throttles of messages at every level: sections J and M.3. The connection stays,
// and so does whoever is not too much.
func TestMessageThrottles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		account usage.AccountRates
		stage   apigw.Stage
		tags    map[string]string
		// messages are routes' keys and the connection, 1 or 2; those that are
		// too much begin with "!".
		messages []string
	}{
		{name: "none", messages: []string{"a1", "b1", "a1", "b2", "a2"}},
		{name: "account", account: usage.AccountRates{Requests: slow(5)}, messages: []string{"a1", "b1", "b2", "!a1", "!b2"}},
		{name: "stage", stage: apigw.Stage{DefaultRouteSettings: settings(4)}, messages: []string{"a1", "b2", "!b1", "!a2"}},
		{name: "route", stage: apigw.Stage{RouteSettings: map[string]*apigw.RouteSettings{"a": settings(2)}}, messages: []string{"a1", "a2", "!a1", "b1", "!a2", "b1"}},
		{name: "route over the stage's", stage: apigw.Stage{DefaultRouteSettings: settings(3), RouteSettings: map[string]*apigw.RouteSettings{"a": settings(2)}}, messages: []string{"a1", "a1", "!a1", "b1", "!b1"}},
		{name: "connection", tags: map[string]string{"stagedoor:message-rate": "0.0001/2"}, messages: []string{"a1", "b1", "!a1", "!b1", "a2", "b2", "!a2"}},
		{name: "connection, then account", tags: map[string]string{"stagedoor:message-rate": "0.0001/1"}, account: usage.AccountRates{Requests: slow(4)}, messages: []string{"a1", "!a1", "!a1", "!a1", "!a1", "a2"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := NewGuarded(t, websocket.DriverAuto, gateway.Guards{Unsigned: true, Account: usage.NewAccount(test.account)})
			g.Functions.Set("m", Returns(`{"statusCode":200,"body":"done"}`))
			api := API("testapi123", Route{Key: "$connect"}, Route{Key: "$disconnect", Function: "m"},
				Route{Key: "a", Function: "m", TwoWay: true}, Route{Key: "b", Function: "m", TwoWay: true})
			api.Tags = test.tags
			stage := test.stage
			stage.StageName = "dev"
			g.Deploy(api, &stage)
			clients := map[byte]*Client{'1': g.Dial("/dev"), '2': g.Dial("/dev")}
			for i, message := range test.messages {
				key, refused := strings.CutPrefix(message, "!")
				c := clients[key[1]]
				c.Send(fmt.Sprintf(`{"action":%q}`, key[:1]))
				want := "done"
				if refused {
					want = failing(tooMany)
				}
				if got := describe(c.Receive()); got != want {
					t.Errorf("message %d, %s: %s, want %s", i+1, message, got, want)
				}
			}
			// $disconnect is never too much.
			before := len(g.Functions.Events("m"))
			for _, c := range clients {
				_ = c.Close(client.StatusNormalClosure, "")
			}
			g.Records.Wait(t, telemetry.EventDisconnect, 2)
			if n := len(g.Functions.Events("m")) - before; n != 2 {
				t.Errorf("$disconnect ran %d times", n)
			}
		})
	}
}

// Throttles of handshakes: section A.5. The backend is not called.
func TestHandshakeThrottles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		account usage.AccountRates
		stage   apigw.Stage
	}{
		"connects": {account: usage.AccountRates{Connects: slow(2)}},
		"account":  {account: usage.AccountRates{Requests: slow(2)}},
		"stage":    {stage: apigw.Stage{DefaultRouteSettings: settings(2)}},
		"route":    {stage: apigw.Stage{DefaultRouteSettings: settings(100), RouteSettings: map[string]*apigw.RouteSettings{"$connect": settings(2)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewGuarded(t, websocket.DriverAuto, gateway.Guards{Unsigned: true, Account: usage.NewAccount(test.account)})
			g.Functions.Set("c", Returns(ok))
			test.stage.StageName = "dev"
			g.Deploy(API("testapi123", Route{Key: "$connect", Function: "c"}), &test.stage)
			g.Dial("/dev")
			g.Dial("/dev")
			for range 2 {
				_, response, err := g.TryDial("/dev")
				if response == nil || response.StatusCode != http.StatusTooManyRequests {
					t.Fatalf("%v %v", response, err)
				}
				wantError(t, response, tooMany)
			}
			if n := len(g.Functions.Events("c")); n != 2 {
				t.Errorf("$connect ran %d times", n)
			}
			if refused := g.Records.Wait(t, telemetry.EventConnect, 3).Refused; refused == nil || refused.Result != "THROTTLED" {
				t.Errorf("%+v", refused)
			}
		})
	}
}

// Calls of @connections draw on the account's bucket, and are told so as
// sections F.4 and F.6 have it.
func TestConnectionsThrottle(t *testing.T) {
	t.Parallel()
	g := NewGuarded(t, websocket.DriverAuto, gateway.Guards{Unsigned: true, Account: usage.NewAccount(usage.AccountRates{Requests: slow(3)})})
	g.Functions.Set("c", Returns(ok))
	g.DeployRoutes(Route{Key: "$connect", Function: "c"})
	c := g.Dial("/dev")
	url := g.ConnectionURL(g.Functions.Events("c")[0].RequestContext.ConnectionID)
	for i, want := range []int{200, 200, 429, 429} {
		response, body := g.Do("POST", url, []byte("x"))
		if response.StatusCode != want {
			t.Errorf("call %d: %d %s, want %d", i+1, response.StatusCode, body, want)
		}
		if want == 429 && (response.Header.Get("x-amzn-ErrorType") != "LimitExceededException" || response.Header.Get("x-amzn-RequestId") == "") {
			t.Errorf("%v", response.Header)
		}
	}
	for range 2 {
		c.Receive()
	}
}

// Caps on open connections: a place is free again after a connection has ended,
// and after a handshake was refused.
func TestCaps(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		caps usage.OpenLimits
		tags map[string]string
	}{
		"total":              {caps: usage.OpenLimits{Total: 2}},
		"API":                {caps: usage.OpenLimits{API: 2}},
		"source":             {caps: usage.OpenLimits{Source: 2}},
		"tag":                {tags: map[string]string{"stagedoor:max-connections": "2"}},
		"tag over the API's": {caps: usage.OpenLimits{API: 2}, tags: map[string]string{"stagedoor:max-connections": "100"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			EachDriver(t, func(t *testing.T, driver websocket.Driver) {
				g := NewGuarded(t, driver, gateway.Guards{Unsigned: true, Caps: test.caps})
				answers := make(chan string, 1)
				g.Functions.Set("c", func(context.Context, Event) (string, error) {
					switch answer := <-answers; answer {
					case "throw":
						return "", errors.New("no")
					default:
						return answer, nil
					}
				})
				api := API("testapi123", Route{Key: "$connect", Function: "c"})
				api.Tags = test.tags
				g.Deploy(api, &apigw.Stage{StageName: "dev"})
				connect := func(answer string, want int) *Client {
					t.Helper()
					if answer != "" {
						answers <- answer
					}
					c, response, err := g.TryDial("/dev")
					if response == nil || response.StatusCode != want {
						t.Fatalf("%v %v, want %d", response, err, want)
					}
					return c
				}
				first := connect(ok, 101)
				for range 3 { // refused handshakes leave no trace
					connect(`{"statusCode":403}`, 403)
					connect("throw", 502)
				}
				second := connect(ok, 101)
				connect("", 429)
				connect("", 429)
				for _, c := range []*Client{first, second} {
					before := g.Connections()
					_ = c.Close(client.StatusNormalClosure, "")
					Eventually(t, func() error {
						if now := g.Connections(); now >= before {
							return fmt.Errorf("%d connections, of which one was closed: before, there were %d", now, before)
						}
						return nil
					})
				}
				g.Records.Wait(t, telemetry.EventDisconnect, 2)
				connect(ok, 101)
				connect(ok, 101)
				connect("", 429)
			})
		})
	}
}

// A place is free again after a client that went away while it waited.
func TestCapAfterAClientThatLeft(t *testing.T) {
	t.Parallel()
	g := NewGuarded(t, websocket.DriverAuto, gateway.Guards{Unsigned: true, Caps: usage.OpenLimits{Total: 1}})
	called, answer := make(chan struct{}, 1), make(chan struct{})
	g.Functions.Set("c", func(context.Context, Event) (string, error) {
		called <- struct{}{}
		<-answer
		return ok, nil
	})
	g.DeployRoutes(Route{Key: "$connect", Function: "c"})
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, _, err := client.Dial(ctx, "ws://"+g.Address+"/dev", nil)
		gone <- err
	}()
	<-called
	if _, response, err := g.TryDial("/dev"); response == nil || response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("while a handshake is under way: %v %v", response, err)
	}
	leave()
	if err := <-gone; err == nil {
		t.Error("the client got its connection")
	}
	close(answer)
	g.Records.Wait(t, telemetry.EventDisconnect, 1)
	g.Dial("/dev")
}

// A new plan goes on with the buckets of the old one, under its own limits; a
// stage of another API has its own.
func TestBucketsOutliveThePlan(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	deploy := func(apiID, stage string, n int) {
		g.Deploy(API(apiID, Route{Key: "a"}), &apigw.Stage{StageName: stage, RouteSettings: map[string]*apigw.RouteSettings{"a": settings(n)}})
	}
	deploy("testapi123", "dev", 2)
	deploy("anotherapi", "other", 2)
	c, other := g.Dial("/dev"), g.Dial("/other")
	try := func(c *Client, want string) {
		t.Helper()
		c.Send(`{"action":"a"}`)
		if got := describe(c.Receive()); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	try(c, internalFrame) // which is not too much: the route has no integration
	try(c, internalFrame)
	try(c, failing(tooMany))
	deploy("testapi123", "dev", 2)
	try(c, failing(tooMany))
	deploy("testapi123", "dev", 3)
	try(c, internalFrame)
	try(c, failing(tooMany))
	try(other, internalFrame)
}

// Pages of other origins stay out, whatever else is right.
func TestOriginOfHandshake(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("c", Returns(ok))
	api := API("testapi123", Route{Key: "$connect", Function: "c"})
	api.Tags = map[string]string{"stagedoor:allowed-origins": "https://app.example.com"}
	g.Deploy(api, &apigw.Stage{StageName: "dev"}, &apigw.Stage{StageName: "any", Tags: map[string]string{"stagedoor:allowed-origins": "any"}},
		&apigw.Stage{StageName: "broken", Tags: map[string]string{"stagedoor:allowed-origins": "app.example.com"}})
	for _, test := range []struct {
		path, origin string
		status       int
	}{
		{"/dev", "https://app.example.com", 101},
		{"/dev", "https://evil.test", 403},
		{"/dev", "https://evil.test\"} forged=\"1", 403},
		{"/dev", "", 101},
		{"/any", "https://evil.test", 101},
		{"/broken", "https://app.example.com", 403},
		{"/broken", "", 403},
	} {
		var options []dialOption
		if test.origin != "" {
			options = append(options, Header("Origin", test.origin))
		}
		_, response, err := g.TryDial(test.path, options...)
		if response == nil || response.StatusCode != test.status {
			t.Errorf("%s from %q: %v %v, want %d", test.path, test.origin, response, err, test.status)
		}
		if test.status == 403 {
			wantError(t, response, "Forbidden")
		}
	}
	if n := len(g.Functions.Events("c")); n != 3 {
		t.Errorf("$connect ran %d times", n)
	}
}
