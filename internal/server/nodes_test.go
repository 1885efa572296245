package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/smithy-go"
	"github.com/coder/websocket"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// natsServers are servers outside of the gateways, that go and come back.
type natsServers struct {
	t       *testing.T
	options *server.Options
	running *server.Server
}

func startNATS(t *testing.T) *natsServers {
	t.Helper()
	n := &natsServers{t: t, options: &server.Options{
		Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	}}
	n.start()
	n.options.Port = n.running.Addr().(*net.TCPAddr).Port
	t.Cleanup(n.stop)
	return n
}

func (n *natsServers) start() {
	n.t.Helper()
	s, err := server.NewServer(n.options.Clone())
	if err != nil {
		n.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(gatewaytest.Timeout) {
		n.t.Fatal("the NATS server does not start")
	}
	n.running = s
}

func (n *natsServers) stop() { n.running.Shutdown(); n.running.WaitForShutdown() }

// node starts a gateway that uses the servers.
func (n *natsServers) node() *served {
	n.t.Helper()
	s := newSite(n.t)
	s.configure("nats: {url: \"" + n.running.ClientURL() + "\", timeout: 1s}\n")
	return s.start(Config{Open: true})
}

// A change that one node answered is live on the other, on connections that are
// open. While the store is gone both go on, and changes are refused; afterwards
// changes of either node are live on both again.
func TestServeNodes(t *testing.T) {
	t.Parallel()
	n := startNATS(t)
	nodes := []*served{n.node(), n.node()}
	clients := []*sdk.Client{newSDK(t, nodes[0].Admin), newSDK(t, nodes[1].Admin)}
	api := answering(t, clients[0])
	setNumber := func(client *sdk.Client, number int) error {
		_, err := client.UpdateStage(t.Context(), &sdk.UpdateStageInput{
			ApiId: &api, StageName: new("prod"), StageVariables: map[string]string{"number": fmt.Sprint(number)},
		})
		return err
	}
	await := func(conn *websocket.Conn, number int) {
		t.Helper()
		gatewaytest.Eventually(t, func() error {
			if got := gatewaytest.Ask(t, conn, "{}"); got != fmt.Sprint(number) {
				return fmt.Errorf("the stage answers %s, its number is %d", got, number)
			}
			return nil
		})
	}
	var conns []*websocket.Conn
	for _, node := range nodes {
		gatewaytest.Eventually(t, func() error {
			if status, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", node.Public[0]+"/prod", ""); status != http.StatusUpgradeRequired {
				return fmt.Errorf("the stage is not there: %d %s", status, body)
			}
			return nil
		})
		conns = append(conns, node.dial())
	}
	var delays []time.Duration
	for number := range 20 {
		here, there := number%2, 1-number%2
		if err := setNumber(clients[here], number); err != nil {
			t.Fatal(err)
		}
		answered := time.Now()
		if got := gatewaytest.Ask(t, conns[here], "{}"); got != fmt.Sprint(number) {
			t.Errorf("the node that answered still has %s, not %d", got, number)
		}
		await(conns[there], number)
		delays = append(delays, time.Since(answered))
	}
	slices.Sort(delays)
	t.Logf("live on the other node %v after the answer, at most %v", delays[len(delays)/2], delays[len(delays)-1])

	n.stop()
	for i, client := range clients {
		err := setNumber(client, 100)
		var refused smithy.APIError
		if !errors.As(err, &refused) || refused.ErrorCode() != "ServiceUnavailableException" ||
			refused.ErrorMessage() != "The configuration store does not answer. Connections go on; please try again later." {
			t.Errorf("without a store: %v", err)
		}
		if got := gatewaytest.Ask(t, conns[i], "{}"); got != "19" {
			t.Errorf("without a store, node %d answers %s", i, got)
		}
	}
	n.start()
	for i, client := range clients {
		gatewaytest.Eventually(t, func() error { return setNumber(client, 200+i) })
		for _, conn := range conns {
			await(conn, 200+i)
		}
	}
}

// Clients that race on one API by way of two nodes: of two changes at a time one
// is done, and the other is refused with 409. Those that are tried again until
// they are done are all there.
func TestServeRace(t *testing.T) {
	t.Parallel()
	n := startNATS(t)
	nodes := []*served{n.node(), n.node()}
	api := answering(t, newSDK(t, nodes[0].Admin))
	const writers, changes = 4, 15
	var conflicts atomic.Int64
	var racing sync.WaitGroup
	for writer := range writers {
		client := newSDK(t, nodes[writer%2].Admin)
		racing.Go(func() {
			for i := range changes {
				in := &sdk.CreateRouteInput{ApiId: &api, RouteKey: new(fmt.Sprintf("%d-%d", writer, i))}
				for {
					_, err := client.CreateRoute(t.Context(), in)
					var conflict *types.ConflictException
					if !errors.As(err, &conflict) {
						if err != nil {
							t.Error(err)
						}
						break
					}
					conflicts.Add(1)
				}
			}
		})
	}
	racing.Wait()
	for _, node := range nodes {
		keys := make(map[string]bool)
		for _, route := range must(t, newSDK(t, node.Admin).GetRoutes, &sdk.GetRoutesInput{ApiId: &api, MaxResults: new("500")}).Items {
			keys[*route.RouteKey] = true
		}
		if len(keys) != writers*changes+1 { // and $default
			t.Errorf("%d routes are there, %d were made", len(keys)-1, writers*changes)
		}
	}
	t.Logf("%d changes, %d refused", writers*changes, conflicts.Load())
}

// answering makes an API whose stage "prod" answers messages with its variable
// "number".
func answering(t *testing.T, client *sdk.Client) string {
	t.Helper()
	api := must(t, client.CreateApi, &sdk.CreateApiInput{
		Name: new("numbers"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action"),
	}).ApiId
	integration := must(t, client.CreateIntegration, &sdk.CreateIntegrationInput{
		ApiId: api, IntegrationType: types.IntegrationTypeMock, TemplateSelectionExpression: new("$default"),
		RequestTemplates: map[string]string{"$default": `{"statusCode": 200}`},
	}).IntegrationId
	must(t, client.CreateIntegrationResponse, &sdk.CreateIntegrationResponseInput{
		ApiId: api, IntegrationId: integration, IntegrationResponseKey: new("$default"), TemplateSelectionExpression: new("$default"),
		ResponseTemplates: map[string]string{"$default": "$stageVariables.number"},
	})
	route := must(t, client.CreateRoute, &sdk.CreateRouteInput{ApiId: api, RouteKey: new("$default"), Target: new("integrations/" + *integration)}).RouteId
	must(t, client.CreateRouteResponse, &sdk.CreateRouteResponseInput{ApiId: api, RouteId: route, RouteResponseKey: new("$default")})
	deployment := must(t, client.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: api}).DeploymentId
	must(t, client.CreateStage, &sdk.CreateStageInput{
		ApiId: api, StageName: new("prod"), DeploymentId: deployment, StageVariables: map[string]string{"number": "0"},
	})
	return *api
}

// A second gateway with a number that is in use does not start, and says who has
// it; gateways without one in their configuration have different ones; a number
// is free when its gateway has stopped.
func TestServeNodeNumbers(t *testing.T) {
	t.Parallel()
	n := startNATS(t)
	numbered := func(node string) *site {
		s := newSite(t)
		s.configure("nats: {url: \"" + n.running.ClientURL() + "\"}\n" + node)
		return s
	}
	first := numbered("node: 7\n").start(Config{})
	first.logged(`msg="the node has a number" node=7`)
	second := numbered("node: 7\n").begin(Config{})
	err := second.wait()
	if err == nil || !strings.Contains(err.Error(), "node number 7 is in use by the gateway on ") || !strings.Contains(err.Error(), fmt.Sprintf("(process %d)", os.Getpid())) {
		t.Errorf("a second gateway of the number: %v; its log:\n%s", err, &second.log)
	}
	if strings.Contains(second.log.String(), "msg=ready") {
		t.Errorf("it was ready:\n%s", &second.log)
	}
	numbers := map[string]bool{}
	for range 3 {
		g := numbered("").start(Config{})
		g.logged("the node has a number")
		_, after, _ := strings.Cut(g.log.String(), "the node has a number\" node=")
		number, _, _ := strings.Cut(after, "\n")
		if numbers[number] || number == "7" {
			t.Errorf("the number %s again", number)
		}
		numbers[number] = true
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	third := numbered("node: 7\n").start(Config{})
	if strings.Contains(third.log.String(), "the start waits") {
		t.Errorf("it waited for a gateway that had stopped:\n%s", &third.log)
	}
}

// Servers whose user may not use the bucket for the numbers are told, and the
// gateway starts.
func TestServeWithoutNodeNumbers(t *testing.T) {
	t.Parallel()
	n := startNATS(t)
	n.stop()
	n.options.Users = []*server.User{{Username: "stagedoor", Password: "x", Permissions: &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{">"}, Deny: []string{"$JS.API.STREAM.*.KV_stagedoor_nodes"}},
	}}}
	n.start()
	s := newSite(t)
	s.write("password", "x")
	s.configure("nats: {url: \"" + n.running.ClientURL() + "\", user: stagedoor, passwordFile: password, timeout: 300ms}\n")
	g := s.start(Config{})
	g.logged("the node's number is not claimed")
}
