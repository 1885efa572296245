package deploy

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/google/go-cmp/cmp"
)

func TestFirstDeployment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := load(t, "chat", readFile(t, "rich.yaml"))
	got := s.apply(want)
	if diff := cmp.Diff([]string{
		"create Api Api", "create Model Base", "create Model AMessage", "create Authorizer door",
		"create Integration MOCK", "create IntegrationResponse $default of MOCK",
	}, got[:6]); diff != "" {
		t.Errorf("the beginning of what was done (-want +got):\n%s", diff)
	}
	client := s.Dial(path(s.only("chat").id, "prod"))
	client.Send(`{"action":"hello"}`)
	if got := client.Receive(); got != `{"say": "hello"}` {
		t.Errorf("the route answers %s", got)
	}
	a := s.only("chat")
	for _, i := range a.integrations {
		if uri, _ := i.properties["integrationUri"].(string); strings.HasPrefix(uri, "http:") && uri != "http://"+a.id+".example.com/hook" {
			t.Errorf("a URI with the API's id is %s", uri)
		}
	}

	before := s.writes.Load()
	s.settled(want)
	if got := s.apply(want); len(got) > 0 || s.writes.Load() != before {
		t.Errorf("the second deployment did %v with %d writes", got, s.writes.Load()-before)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	redeployed := []string{"create Deployment", "update Stage prod: deploymentId"}
	tests := []struct {
		name     string
		old, new string
		want     []string
	}{
		{"template of a response", "Default: hello", "Default: hi", append([]string{"update IntegrationResponse $default of MOCK: responseTemplates"}, redeployed...)},
		{"route key", "RouteKey: hook", "RouteKey: hooked", append([]string{"create Route hooked", "delete Route hook"}, redeployed...)},
		{"target of a route", "RouteKey: $default, Target: !Sub \"integrations/${FnIntegration}\"", "RouteKey: $default, Target: !Sub \"integrations/${Hook}\"",
			append([]string{"update Route $default: target"}, redeployed...)},
		{"route without a target", "RouteKey: $default, Target: !Sub \"integrations/${FnIntegration}\"", "RouteKey: $default",
			append([]string{"update Route $default: target"}, redeployed...)},
		{"required parameter", "Required: false", "Required: true", append([]string{"update Route $connect: requestParameters"}, redeployed...)},
		{"no required parameter", "RequestParameters: {route.request.querystring.room: {Required: false}}", "OperationName: open",
			append([]string{"update Route $connect: operationName, requestParameters"}, redeployed...)},
		{"authorizer on a route", "AuthorizationType: NONE", "AuthorizationType: CUSTOM\n      AuthorizerId: !Ref Auth",
			append([]string{"update Route $connect: authorizationType, authorizerId"}, redeployed...)},
		{"schema of a model", "required: [action]", "required: [action, text]", append([]string{"update Model AMessage: schema"}, redeployed...)},
		{"name of a model", "AMessage", "Message", append([]string{"create Model Message", "update Route hello: requestModels", "delete Model AMessage"}, redeployed...)},
		{"identity source", "[route.request.querystring.token]", "[]", append([]string{"update Authorizer door: identitySource"}, redeployed...)},
		{"parameter of an integration", "integration.request.header.x-who: context.connectionId", "integration.request.header.x-from: context.connectionId",
			append([]string{"update Integration HTTP_PROXY POST http://{api}.example.com/hook: requestParameters"}, redeployed...)},
		{"key of an integration response", "IntegrationResponseKey: $default", "IntegrationResponseKey: /200/",
			append([]string{"delete IntegrationResponse $default of MOCK", "create IntegrationResponse /200/ of MOCK"}, redeployed...)},
		{"no template of a route response", "RouteResponseKey: $default", "RouteResponseKey: $default, ModelSelectionExpression: $default, ResponseModels: {$default: Base}",
			append([]string{"update RouteResponse $default of hello: modelSelectionExpression, responseModels"}, redeployed...)},
		{"expression of the API", "$request.body.action\n      Tags", "$request.body.kind\n      Tags", append([]string{"update Api Api: routeSelectionExpression"}, redeployed...)},
		{"tag of the API", "team: a", "crew: b", append([]string{"update Api Api: tags"}, redeployed...)},
		{"stage variable", "{a: b}", "{a: c, d: e}", []string{"update Stage prod: stageVariables"}},
		{"no stage variable", "StageVariables: {a: b}", "Description: none", []string{"update Stage prod: description, stageVariables"}},
		{"limits of a stage", "{ThrottlingBurstLimit: 10, ThrottlingRateLimit: 5.5}", "{ThrottlingBurstLimit: 11}", []string{"update Stage prod: defaultRouteSettings"}},
		{"limits of a route", "{hello: {ThrottlingBurstLimit: 3}}", "{hello: {ThrottlingRateLimit: 4}, hook: {ThrottlingBurstLimit: 1}}", []string{"update Stage prod: routeSettings"}},
		{"no limits of a route", "RouteSettings: {hello: {ThrottlingBurstLimit: 3}}", "Tags: {x: y}", []string{"update Stage prod: routeSettings, tags"}},
		{"stage that deploys by itself", "StageName: auto, AutoDeploy: true", "StageName: auto, DeploymentId: !Ref Deployment",
			[]string{"create Deployment", "update Stage prod: deploymentId", "update Stage auto: autoDeploy, deploymentId"}},
		{"name of a stage", "StageName: auto, AutoDeploy: true", "StageName: automatic, AutoDeploy: true", []string{"create Stage automatic", "delete Stage auto"}},
		{"key of a mapping", "ApiMappingKey: v1", "ApiMappingKey: v2", []string{"create ApiMapping /v2 of chat.example.com", "delete ApiMapping /v1 of chat.example.com"}},
		{"stage of a mapping", "Stage: !Ref Stage, ApiMappingKey", "Stage: !Ref Auto, ApiMappingKey", []string{"update ApiMapping /v1 of chat.example.com: apiId, stage"}},
		{"domain name", "Chat.Example.com", `"*.example.com"`,
			[]string{"create DomainName *.example.com", "create ApiMapping /v1 of *.example.com", "delete ApiMapping /v1 of chat.example.com", "delete DomainName chat.example.com"}},
	}
	rich := readFile(t, "rich.yaml")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(rich, tt.old, tt.new, 1)
			if tt.name == "name of a model" {
				changed = strings.ReplaceAll(rich, tt.old, tt.new)
			}
			if changed == rich {
				t.Fatalf("the template has no %q", tt.old)
			}
			s := newSite(t)
			first, second := load(t, "chat", rich), load(t, "chat", changed)
			s.apply(first)
			if diff := cmp.Diff(tt.want, neutral(s.apply(second))); diff != "" {
				t.Errorf("what was done (-want +got):\n%s", diff)
			}
			s.settled(second)
			s.apply(first) // and back
			s.settled(first)
		})
	}
}

// neutral takes the ids that templates make up out of names.
func neutral(lines []string) []string {
	for i, line := range lines {
		if before, after, found := strings.Cut(line, "http://"); found {
			_, after, _ = strings.Cut(after, ".")
			lines[i] = before + "http://{api}." + after
		}
	}
	return lines
}

func TestOpenConnectionFollows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rich := readFile(t, "rich.yaml")
	s.apply(load(t, "chat", rich))
	client := s.Dial(path(s.only("chat").id, "prod"))
	client.Send(`{"action":"hello"}`)
	client.Receive()
	s.apply(load(t, "chat", strings.Replace(rich, "Default: hello", "Default: hi", 1)))
	client.Send(`{"action":"hello"}`)
	if got := client.Receive(); got != `{"say": "hi"}` {
		t.Errorf("after the second deployment the connection hears %s", got)
	}
}

func TestDeletionLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.apply(load(t, "chat", readFile(t, "rich.yaml")))
	if diff := cmp.Diff([]string{"delete ApiMapping /v1 of chat.example.com", "delete DomainName chat.example.com", "delete Api Api"}, s.apply(Nothing("chat"))); diff != "" {
		t.Errorf("what was done (-want +got):\n%s", diff)
	}
	for name, list := range map[string]interface{ Prefix() string }{"APIs": s.store.APIs, "stages": s.store.Stages, "domains": s.store.DomainNames, "deployments": s.store.Deployments} {
		entries, err := s.store.Store.List(t.Context(), list.Prefix())
		if err != nil || len(entries) > 0 {
			t.Errorf("%s that are left: %v, %v", name, entries, err)
		}
	}
	s.settled(Nothing("chat"))
}

func TestTwoStacks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rich := readFile(t, "rich.yaml")
	blue := load(t, "blue", rich)
	green := load(t, "green", strings.Replace(rich, "ApiMappingKey: v1", "ApiMappingKey: v2", 1))
	s.apply(blue)
	s.apply(green)
	if s.only("blue").id == s.only("green").id {
		t.Fatal("both stacks have the same API")
	}
	s.settled(blue)
	have, err := Read(t.Context(), s.client, "green")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compare(load(t, "green", rich), have, "us-east-1"); err == nil || !strings.Contains(err.Error(), "not of this stack") {
		t.Errorf("a mapping that another stack has: %v", err)
	}
	p := s.plan(Nothing("blue"))
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "chat.example.com stays") {
		t.Errorf("notes: %q", p.Notes)
	}
	s.apply(Nothing("blue"))
	s.settled(green)
	s.Dial(path(s.only("green").id, "prod"))
}

// TestInterrupted breaks every write of a deployment, before and after it is
// done: the next run goes on, and leaves nothing twice.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	rich := readFile(t, "rich.yaml")
	first, second := load(t, "chat", rich), load(t, "chat", strings.NewReplacer(
		"Default: hello", "Default: hi", "RouteKey: hook", "RouteKey: hooked", "{a: b}", "{c: d}", "ApiMappingKey: v1", "ApiMappingKey: v2",
	).Replace(rich))
	for name, lost := range map[string]bool{"not done": false, "done, and the answer lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, step := range []struct {
				name         string
				before, goal *State
			}{{"first deployment", nil, first}, {"second deployment", first, second}, {"deletion", first, Nothing("chat")}} {
				t.Run(step.name, func(t *testing.T) {
					t.Parallel()
					s := newSite(t)
					s.lost.Store(lost)
					for n := int64(1); ; n++ {
						s.apply(Nothing("chat"))
						if step.before != nil {
							s.apply(step.before)
						}
						s.writes.Store(0)
						s.broken.Store(n)
						err := s.plan(step.goal).Apply(t.Context(), s.client, func(*Change) {})
						s.broken.Store(0)
						if err == nil {
							break // all were broken once
						}
						if stopped := failed(t, err); stopped.Done >= stopped.Total {
							t.Errorf("%d of %d changes are said to be done", stopped.Done, stopped.Total)
						}
						s.apply(step.goal)
						s.settled(step.goal)
						if len(step.goal.apis) > 0 {
							s.complete(step.goal)
						}
					}
				})
			}
		})
	}
}

// complete checks that a stage has all that is wanted, and that the API has
// nothing twice.
func (s *site) complete(want *State) {
	s.t.Helper()
	have, w := s.only(want.stack), want.apis[0]
	if len(have.integrations) != len(w.integrations) || len(have.routes) != len(w.routes) || len(have.models) != len(w.models) {
		s.t.Errorf("%d integrations, %d routes, %d models", len(have.integrations), len(have.routes), len(have.models))
	}
	templates, _ := w.integrations[0].children[0].properties["responseTemplates"].(map[string]any)
	client := s.Dial(path(have.id, "prod"))
	client.Send(`{"action":"hello"}`)
	if got := client.Receive(); got != templates["200"] {
		s.t.Errorf("the stage answers %s, want %s", got, templates["200"])
	}
	_ = client.CloseNow()
}

// TestDrift: what somebody changed by other means is put right.
func TestDrift(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := load(t, "chat", readFile(t, "rich.yaml"))
	s.apply(want)
	a := s.only("chat")
	old := a.stages[1].deployment
	must(t, s.aws.CreateRoute, &sdk.CreateRouteInput{ApiId: &a.id, RouteKey: new("extra")})
	must(t, s.aws.CreateStage, &sdk.CreateStageInput{ApiId: &a.id, StageName: new("mine")})
	must(t, s.aws.CreateIntegration, &sdk.CreateIntegrationInput{ApiId: &a.id, IntegrationType: types.IntegrationTypeMock, ContentHandlingStrategy: types.ContentHandlingStrategyConvertToBinary})
	must(t, s.aws.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: &a.id, StageName: new("prod")})
	p := s.plan(want)
	if diff := cmp.Diff([]string{"delete Route extra", "delete Integration MOCK", "create Deployment", "update Stage prod: deploymentId"}, lines(p)); diff != "" {
		t.Errorf("what is to be done (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"the stage mine of Api is not of this stack, and stays"}, p.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	s.apply(want)
	s.settled(want)
	must(t, s.aws.UpdateStage, &sdk.UpdateStageInput{ApiId: &a.id, StageName: new("prod"), DeploymentId: &old})
	if diff := cmp.Diff([]string{"create Deployment", "update Stage prod: deploymentId"}, s.apply(want)); diff != "" {
		t.Errorf("after a stage was pointed back (-want +got):\n%s", diff)
	}
}

// TestOldDeploymentsGo: five that no stage uses are kept.
func TestOldDeploymentsGo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rich := readFile(t, "rich.yaml")
	for _, word := range strings.Fields("a b c d e f g h i") {
		s.apply(load(t, "chat", strings.Replace(rich, "Default: hello", "Default: "+word, 1)))
	}
	kept := 0
	for _, d := range s.only("chat").deployments {
		if !*d.AutoDeployed {
			kept++
		}
	}
	if kept != keptDeployments+1 {
		t.Errorf("%d deployments are kept, want %d and the one in use", kept, keptDeployments)
	}
}
