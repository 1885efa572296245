package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deadline is how long what must happen may take on a busy machine.
const deadline = time.Minute

// node is a rollout with a gateway that remembers what is on it.
type node struct {
	*Rollout
	configuration *store.Configuration

	mu       sync.Mutex // guards the following
	plans    map[string]*plan.Stage
	deploys  int
	domains  map[string][]gateway.Mapping
	problems []string

	linkNames []string
}

func (n *node) Deploy(p *plan.Stage) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.plans[p.APIID+"/"+p.Name] = p
	n.deploys++
}

func (n *node) Remove(apiID, stage string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.plans, apiID+"/"+stage)
}

func (n *node) SetDomains(domains map[string][]gateway.Mapping) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.domains = domains
}

func (n *node) note(p Finding) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.problems = append(n.problems, strings.TrimPrefix(fmt.Sprintf("%s/%s %s: %s", p.APIID, p.Stage, p.Where, p.Message), " "))
}

// serving says which stages are on the gateway, with their variables.
func (n *node) serving() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []string
	for name, p := range n.plans {
		list = append(list, fmt.Sprint(name, p.Variables))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func (n *node) takeProblems() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer func() { n.problems = nil }()
	return n.problems
}

func compiler() *plan.Compiler {
	return &plan.Compiler{Region: "us-east-1", Backends: &integration.Builder{Region: "us-east-1", AccountID: "000000000000"}}
}

// start runs a rollout on a store until the test ends, and waits for it.
func start(t testing.TB, s store.Store) *node {
	t.Helper()
	n := &node{configuration: store.NewConfiguration(s, nil), plans: make(map[string]*plan.Stage)}
	n.Rollout = New(Options{Configuration: n.configuration, Compiler: compiler(), Gateway: n, Links: linkList{n}, Report: n.note})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	select {
	case <-n.Ready():
	case <-time.After(deadline):
		t.Fatal("the rollout is not ready")
	}
	return n
}

// await fails the test if a revision is not in effect in time.
func (n *node) await(t testing.TB, revision uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := n.Await(ctx, revision); err != nil {
		t.Fatalf("revision %d: %v", revision, err)
	}
}

// put writes a value, whatever its revision, and returns the new one.
func put[T any](t testing.TB, c *store.Collection[T], value *T, id ...string) uint64 {
	t.Helper()
	_, revision, err := c.Get(t.Context(), id...)
	if err == nil {
		revision, err = c.Put(t.Context(), value, revision)
	} else {
		revision, err = c.Put(t.Context(), value, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

// putAPI writes an API and a deployment of it.
func putAPI(t testing.TB, c *store.Configuration, api *apigw.API, deployment string) {
	t.Helper()
	put(t, c.APIs, api, api.ApiId)
	put(t, c.Deployments, &apigw.Deployment{DeploymentId: deployment, API: api}, api.ApiId, deployment)
}

func putStage(t testing.TB, c *store.Configuration, api, stage, deployment string, variables map[string]string) uint64 {
	t.Helper()
	return put(t, c.Stages, &apigw.Stage{ApiId: api, StageName: stage, DeploymentId: deployment, StageVariables: variables}, api, stage)
}

func mockAPI(id string) *apigw.API {
	return &apigw.API{
		ApiId: id, Name: id, ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action",
		Routes:       []*apigw.Route{{RouteId: "r", RouteKey: "$default", Target: "integrations/i"}},
		Integrations: []*apigw.Integration{{IntegrationId: "i", IntegrationType: apigw.IntegrationMock}},
	}
}
