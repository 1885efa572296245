package server

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/store"
)

// Who is let in by `serve`: signatures, caps, quotas that outlive the process.
// Each refusal is one line of the log, whatever else is logged.
func TestServeGuards(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	s.change(func(c *store.Configuration) error {
		guarded := &apigw.API{
			ApiId: "guarded123", Name: "guarded", ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action",
			Routes: []*apigw.Route{{RouteId: "r1", RouteKey: "$connect", AuthorizationType: "AWS_IAM"}},
		}
		counted := *guarded
		counted.ApiId = "counted123"
		counted.Routes = []*apigw.Route{{RouteId: "r1", RouteKey: "$connect", ApiKeyRequired: true}}
		var failures []error
		for stage, api := range map[string]*apigw.API{"signed": guarded, "counted": &counted} {
			_, errAPI := c.APIs.Put(t.Context(), api, 0)
			_, errDeployment := c.Deployments.Put(t.Context(), &apigw.Deployment{DeploymentId: "d1", API: api}, 0)
			_, errStage := c.Stages.Put(t.Context(), &apigw.Stage{ApiId: api.ApiId, StageName: stage, DeploymentId: "d1"}, 0)
			failures = append(failures, errAPI, errDeployment, errStage)
		}
		_, errKey := c.ApiKeys.Put(t.Context(), &apigw.ApiKey{Id: "k1", Value: "0123456789abcdefghij", Enabled: true}, 0)
		_, errPlan := c.UsagePlans.Put(t.Context(), &apigw.UsagePlan{
			Id: "p1", KeyIds: []string{"k1"}, ApiStages: []*apigw.PlanStage{{ApiId: "counted123", Stage: "counted"}}, Quota: &apigw.Quota{Limit: 2, Period: "MONTH"},
		}, 0)
		return errors.Join(append(failures, errKey, errPlan)...)
	})
	s.write("secret", "the user's secret key")
	s.configure(`
credentials:
  - user: ada
    accessKeyId: AKIAADA
    secretAccessKeyFile: secret
    policies:
      - Version: 2012-10-17
        Statement: [{Effect: Allow, Action: "execute-api:Invoke", Resource: "arn:aws:execute-api:us-east-1:123456789012:guarded123/signed/*"}]
  - {user: bob, accessKeyId: AKIABOB, secretAccessKeyFile: secret}
log: {events: none}
limits: {connections: 2}
`)
	g := s.start(Config{})
	ada, bob := &key{"AKIAADA", "the user's secret key"}, &key{"AKIABOB", "the user's secret key"}
	if status := g.connect("/signed", nil, ""); status != http.StatusForbidden {
		t.Errorf("unsigned: %d", status)
	}
	if status := g.connect("/signed", bob, ""); status != http.StatusForbidden {
		t.Errorf("without a permission: %d", status)
	}
	if status := g.connect("/signed", ada, ""); status != http.StatusSwitchingProtocols {
		t.Errorf("ada: %d", status)
	}
	if status := g.connect("/counted", nil, "0123456789abcdefghij"); status != http.StatusSwitchingProtocols {
		t.Errorf("with a key: %d", status)
	}
	if status := g.connect("/signed", ada, ""); status != http.StatusTooManyRequests {
		t.Errorf("the third connection: %d", status)
	}
	for _, want := range []string{
		`msg="access refused" event=connect caller="" source=127.0.0.1 action=execute-api:Invoke resource=arn:aws:execute-api:us-east-1:123456789012:guarded123/signed/$connect apiId=guarded123`,
		`caller=arn:aws:iam::123456789012:user/bob source=127.0.0.1`, `result=MISSING_AUTHENTICATION_TOKEN`, `result=ACCESS_DENIED`,
	} {
		g.logged(want)
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	g = s.start(Config{})
	for i, want := range []int{http.StatusSwitchingProtocols, http.StatusTooManyRequests} {
		if status := g.connect("/counted", nil, "0123456789abcdefghij"); status != want {
			t.Errorf("connection %d of a quota of 2, after a restart: %d, want %d", i+2, status, want)
		}
	}
}

// change writes to the data while no gateway runs.
func (s *site) change(change func(*store.Configuration) error) {
	s.t.Helper()
	opened, err := store.Open(s.t.Context(), store.Options{Dir: s.dir + "/data"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer opened.Close()
	if err := change(store.NewConfiguration(opened, nil)); err != nil {
		s.t.Fatal(err)
	}
}

// connect opens a connection and gives the status of the answer.
func (g *served) connect(path string, signer *key, apiKey string) int {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.Public[0]+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	if signer != nil {
		signer.sign(g.t, r, "execute-api", "")
	}
	if apiKey != "" {
		r.Header.Set("X-Api-Key", apiKey)
	}
	conn, answer, err := websocket.Dial(g.t.Context(), strings.Replace(g.Public[0], "http", "ws", 1)+path, &websocket.DialOptions{HTTPClient: gatewaytest.HTTPClient, HTTPHeader: r.Header})
	if err == nil {
		g.t.Cleanup(func() { _ = conn.CloseNow() })
	}
	if answer == nil {
		g.t.Fatal(err)
	}
	return answer.StatusCode
}
