package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// What an API and its stage ask of those who connect. Whatever cannot be
// understood is told, and lets nobody in.
func TestAccess(t *testing.T) {
	t.Parallel()
	connect := func(change func(*apigw.Route)) *apigw.API {
		route := &apigw.Route{RouteKey: "$connect"}
		change(route)
		return &apigw.API{ApiId: "abcdefghij", RouteSelectionExpression: "$request.body.action", Routes: []*apigw.Route{route}}
	}
	plain := func(*apigw.Route) {}
	tagged := func(name, value string) *apigw.API {
		api := connect(plain)
		api.Tags = map[string]string{name: value}
		return api
	}
	none := func(a Access) bool {
		return a.Origins == nil && !a.Signed && a.Authorizer == nil && !a.KeepsKey && a.Connections == 0 && a.MessageRate.IsZero()
	}
	closed := func(a Access) bool { return a.Authorizer != nil }
	const jwt = "issuer=https://login.example.com audience=chat"
	tests := []struct {
		name    string
		api     *apigw.API
		tags    map[string]string // of the stage
		want    func(Access) bool
		problem string
	}{
		{"nothing", connect(plain), nil, none, ""},
		{"NONE", connect(func(r *apigw.Route) { r.AuthorizationType = "NONE" }), nil, none, ""},
		{"AWS_IAM", connect(func(r *apigw.Route) { r.AuthorizationType = "AWS_IAM" }), nil, func(a Access) bool { return a.Signed && a.Authorizer == nil }, ""},
		{"no authorizer", connect(func(r *apigw.Route) { r.AuthorizationType = "CUSTOM" }), nil, closed, "authorization: "},
		{"tokens", tagged("stagedoor:jwt", jwt), nil, closed, ""},
		{"tokens of nobody", tagged("stagedoor:jwt", "audience=chat"), nil, closed, "issuer is missing"},
		{"tokens for a stage", connect(plain), map[string]string{"stagedoor:jwt": jwt}, closed, "the tag stagedoor:jwt is one of APIs"},
		{"origins", tagged("stagedoor:allowed-origins", "https://a.test"), map[string]string{"stagedoor:allowed-origins": "https://b.test"},
			func(a Access) bool {
				return a.Origins.Allows([]string{"https://b.test"}) && !a.Origins.Allows([]string{"https://a.test"})
			}, ""},
		{"no origins", tagged("stagedoor:allowed-origins", "a.test"), nil,
			func(a Access) bool { return !a.Origins.Allows([]string{"https://a.test"}) && !a.Origins.Allows(nil) }, "is not an origin"},
		{"message rate", tagged("stagedoor:message-rate", "0.5/1"), nil, func(a Access) bool {
			var b usage.Bucket
			return b.Take(a.MessageRate, time.Unix(0, 0)) && !b.Take(a.MessageRate, time.Unix(0, 0))
		}, ""},
		{"no message rate", tagged("stagedoor:message-rate", "fast"), nil, none, `tag stagedoor:message-rate: "fast" is not a rate`},
		{"connections", tagged("stagedoor:max-connections", "5"), nil, func(a Access) bool { return a.Connections == 5 }, ""},
		{"no connections", tagged("stagedoor:max-connections", "0"), nil, none, `"0" is not a number of connections`},
		{"a key for messages", &apigw.API{RouteSelectionExpression: "x", Routes: []*apigw.Route{{RouteKey: "$connect"}, {RouteKey: "a", ApiKeyRequired: true}}}, nil, func(a Access) bool { return a.KeepsKey }, ""},
		{"no place for keys", &apigw.API{RouteSelectionExpression: "x", ApiKeySelectionExpression: "$request.body.key"}, nil,
			func(a Access) bool { return a.APIKey(func(string) string { return "key" }, "key") == "" }, "API keys: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := &Compiler{
				Backends: &integration.Builder{}, Region: "us-east-1",
				Authorizers: &authorizer.Builder{Region: "us-east-1", Account: "123456789012"},
			}
			stage, problems, err := c.Compile(&apigw.Deployment{API: test.api}, &apigw.Stage{StageName: "dev", Tags: test.tags})
			if err != nil {
				t.Fatal(err)
			}
			if !test.want(stage.Access) {
				t.Errorf("%+v", stage.Access)
			}
			if test.problem == "" && len(problems) > 0 || test.problem != "" && (len(problems) != 1 || !strings.Contains(problems[0].String(), test.problem)) {
				t.Errorf("problems %v, want %q", problems, test.problem)
			}
			c.Authorizers = nil // and then nobody who would have to be asked gets in
			guarded := stage.Access.Authorizer != nil
			if stage, _, err = c.Compile(&apigw.Deployment{API: test.api}, &apigw.Stage{StageName: "dev", Tags: test.tags}); err != nil || closed(stage.Access) != guarded {
				t.Errorf("without authorizers: %+v %v", stage.Access, err)
			}
		})
	}
}

// The two places of an API key: specification, section C.1.
func TestAPIKeySelection(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"": "of x-api-key", "$request.header.x-api-key": "of x-api-key", "$request.header.X-Client": "of X-Client",
		"$context.authorizer.usageIdentifierKey": "identifier", "${context.authorizer.usageIdentifierKey}": "identifier",
	} {
		c := &Compiler{Backends: &integration.Builder{}}
		stage, problems, err := c.Compile(&apigw.Deployment{API: &apigw.API{RouteSelectionExpression: "x", ApiKeySelectionExpression: source}}, &apigw.Stage{})
		if err != nil || len(problems) > 0 {
			t.Fatal(err, problems)
		}
		if got := stage.Access.APIKey(func(name string) string { return "of " + name }, "identifier"); got != want {
			t.Errorf("%q gives %q, want %q", source, got, want)
		}
	}
}

// Authorization on a route that cannot have it fails the route, for nobody would
// be asked.
func TestMisplacedAuthorization(t *testing.T) {
	t.Parallel()
	c := &Compiler{Backends: &integration.Builder{}}
	api := &apigw.API{RouteSelectionExpression: "$request.body.action", Routes: []*apigw.Route{{RouteKey: "a", AuthorizationType: "AWS_IAM"}}}
	stage, problems, err := c.Compile(&apigw.Deployment{API: api}, &apigw.Stage{})
	if err != nil || len(problems) != 1 || problems[0].String() != "route a: authorization type AWS_IAM: only $connect can have one" {
		t.Errorf("%v %v", problems, err)
	}
	if _, err := stage.routes["a"].Backend.Invoke(t.Context(), new(event.Event)); err == nil {
		t.Error("the route works")
	}
}
