package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestControlPlane lets real clients create an API, connect to it, change it
// while a connection is open, and delete it.
func TestControlPlane(t *testing.T) {
	t.Parallel()
	backend := newBackend(t)
	for name, start := range controllers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, "functions: {door: "+backend.URL+"/2015-03-31/functions/function/invocations}\n", nil, "--open")
			c := &controlled{t: t, do: start(t, g, keys("any", "any")), gateway: g, backend: backend.URL}
			c.create()
			c.connect()
			c.change()
			c.refuse()
			c.delete()
		})
	}
}

// TestSignedControlPlane: a gateway with credentials takes what they sign, and
// nothing else.
func TestSignedControlPlane(t *testing.T) {
	t.Parallel()
	const configuration = `
credentials:
  - user: deploy
    accessKeyId: AKIADEPLOY
    secretAccessKeyEnv: DEPLOY_SECRET
    policies: [{Version: 2012-10-17, Statement: [{Effect: Allow, Action: "apigateway:*", Resource: "*"}]}]
  - user: reader
    accessKeyId: AKIAREADER
    secretAccessKeyEnv: READER_SECRET
    policies: [{Version: 2012-10-17, Statement: [{Effect: Allow, Action: "apigateway:GET", Resource: "*"}]}]
`
	api := object{"Name": "signed", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
	for name, start := range controllers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, configuration, []string{"DEPLOY_SECRET=deploy's own secret", "READER_SECRET=reader's own secret"})
			deploy := start(t, g, keys("AKIADEPLOY", "deploy's own secret"))
			created := deploy("CreateApi", api)
			id := created.Output.text("ApiId")
			if created.Error != "" || id == "" {
				t.Fatalf("CreateApi with the right key: %+v", created)
			}
			arn := "arn:aws:apigateway:us-east-1::/apis/" + id // is escaped in the path, and signed so
			if got := deploy("TagResource", object{"ResourceArn": arn, "Tags": object{"team": "a b"}}); got.Error != "" {
				t.Errorf("TagResource with the right key: %s", got.Error)
			}
			for who, tt := range map[string]struct {
				variables []string
				want      string
			}{
				"a wrong secret":         {keys("AKIADEPLOY", "a secret of another"), "InvalidSignatureException"},
				"a key that nobody has":  {keys("AKIANOBODY", "deploy's own secret"), "UnrecognizedClientException"},
				"a key that only reads ": {keys("AKIAREADER", "reader's own secret"), "AccessDeniedException"},
			} {
				if got := start(t, g, tt.variables)("CreateApi", api); got.Error != tt.want {
					t.Errorf("CreateApi with %s: %q, want %s", who, got.Error, tt.want)
				}
			}
			if got := start(t, g, keys("AKIAREADER", "reader's own secret"))("GetApis", object{}); len(list(got.Output, "Items")) != 1 {
				t.Errorf("GetApis with a key that reads: %+v", got)
			}
		})
	}
}

// newBackend is what integrations reach: at / it answers with what it gets; the
// rest is an authorizer that lets in who says "sesame".
func newBackend(t *testing.T) *httptest.Server {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/" {
			_, _ = w.Write(body)
			return
		}
		effect := "Deny"
		if strings.Contains(string(body), `"sesame"`) {
			effect = "Allow"
		}
		_, _ = fmt.Fprintf(w, `{"principalId":"ada","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":"execute-api:Invoke","Resource":"*"}]}}`, effect)
	}))
	t.Cleanup(backend.Close)
	return backend
}

// controlled is an API that a client makes and changes, with the ids that it
// got.
type controlled struct {
	t       *testing.T
	do      controller
	gateway *served
	backend string
	client  *client

	api, mock, response, echo string
}

// must does an operation that does not fail, on the API unless the input says
// otherwise, and gives a member of its answer.
func (c *controlled) must(operation string, input object, member string) string {
	c.t.Helper()
	if c.api != "" {
		input["ApiId"] = c.api
	}
	got := c.do(operation, input)
	if got.Error != "" {
		c.t.Fatalf("%s: %s", operation, got.Error)
	}
	if member != "" && got.Output.text(member) == "" {
		c.t.Fatalf("%s answered without %s: %v", operation, member, got.Output)
	}
	return got.Output.text(member)
}

// create makes an API with all that one can have.
func (c *controlled) create() {
	c.t.Helper()
	c.api = c.must("CreateApi", object{
		"Name": "conformance", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action", "Tags": object{"team": "a"},
	}, "ApiId")
	c.must("CreateModel", object{
		"Name": "Greeting", "ContentType": "application/json", "Schema": `{"type":"object","required":["name"]}`,
	}, "ModelId")
	authorizer := c.must("CreateAuthorizer", object{
		"Name": "door", "AuthorizerType": "REQUEST", "IdentitySource": []string{"route.request.querystring.token"},
		"AuthorizerUri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:door/invocations",
	}, "AuthorizerId")
	c.echo = c.must("CreateIntegration", object{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "POST", "IntegrationUri": c.backend + "/"}, "IntegrationId")
	c.mock = c.must("CreateIntegration", object{
		"IntegrationType": "MOCK", "TemplateSelectionExpression": "200", "RequestTemplates": object{"200": `{"statusCode": 200}`},
	}, "IntegrationId")
	c.response = c.must("CreateIntegrationResponse", object{
		"IntegrationId": c.mock, "IntegrationResponseKey": "$default", "TemplateSelectionExpression": "200",
		"ResponseTemplates": object{"200": `{"say":"hello, ${stageVariables.who}"}`},
	}, "IntegrationResponseId")
	c.must("CreateRoute", object{"RouteKey": "$connect", "AuthorizationType": "CUSTOM", "AuthorizerId": authorizer}, "RouteId")
	for key, route := range map[string]object{
		"echo":  {"Target": "integrations/" + c.echo},
		"greet": {"Target": "integrations/" + c.mock, "ModelSelectionExpression": "$request.body.action", "RequestModels": object{"greet": "Greeting"}},
	} {
		route["RouteKey"] = key
		id := c.must("CreateRoute", route, "RouteId")
		c.must("CreateRouteResponse", object{"RouteId": id, "RouteResponseKey": "$default"}, "RouteResponseId")
	}
	deployment := c.must("CreateDeployment", object{"Description": "first"}, "DeploymentId")
	c.must("CreateStage", object{"StageName": "prod", "DeploymentId": deployment, "StageVariables": object{"who": "world"}}, "StageName")
}

// connect opens a connection and talks.
func (c *controlled) connect() {
	c.t.Helper()
	if _, status := c.gateway.dial(c.api, "prod", "?token=wrong"); status != http.StatusForbidden {
		c.t.Errorf("the authorizer denies, and the handshake has status %d", status)
	}
	if _, status := c.gateway.dial(c.api, "prod", ""); status != http.StatusUnauthorized {
		c.t.Errorf("without the identity source the handshake has status %d", status)
	}
	opened, status := c.gateway.dial(c.api, "prod", "?token=sesame")
	if opened == nil {
		c.t.Fatalf("the authorizer allows, and the handshake has status %d", status)
	}
	c.client = opened
	c.talk(`{"action":"echo","text":"wörld"}`, `{"action":"echo","text":"wörld"}`)
	c.talk(`{"action":"greet","name":"Ada"}`, `{"say":"hello, world"}`)
	opened.send(`{"action":"greet"}`)
	if got := opened.receive(); !strings.Contains(got, "Invalid request body") {
		c.t.Errorf("a message that the model refuses: %s", got)
	}
}

// talk sends a message and expects an answer.
func (c *controlled) talk(message, answer string) {
	c.t.Helper()
	c.client.send(message)
	c.client.expect(answer)
}

// change changes the API below the open connection: stage variables are live at
// once, the rest when it is deployed.
func (c *controlled) change() {
	c.t.Helper()
	c.must("UpdateStage", object{"StageName": "prod", "StageVariables": object{"who": "Ada"}}, "")
	c.talk(`{"action":"greet","name":"Ada"}`, `{"say":"hello, Ada"}`)
	c.must("UpdateIntegrationResponse", object{
		"IntegrationId": c.mock, "IntegrationResponseId": c.response, "ResponseTemplates": object{"200": `{"say":"bye, ${stageVariables.who}"}`},
	}, "")
	c.talk(`{"action":"greet","name":"Ada"}`, `{"say":"hello, Ada"}`)
	c.must("CreateDeployment", object{"StageName": "prod"}, "DeploymentId")
	c.talk(`{"action":"greet","name":"Ada"}`, `{"say":"bye, Ada"}`)

	routes := list(c.do("GetRoutes", object{"ApiId": c.api}).Output, "Items")
	if len(routes) != 3 {
		c.t.Errorf("GetRoutes lists %d routes", len(routes))
	}
	for _, route := range routes {
		if route.text("RouteKey") == "echo" {
			c.must("UpdateRoute", object{"RouteId": route.text("RouteId"), "Target": "integrations/" + c.mock}, "RouteId")
		}
	}
	c.must("DeleteIntegration", object{"IntegrationId": c.echo}, "")
	c.must("CreateDeployment", object{"StageName": "prod"}, "DeploymentId")
	c.talk(`{"action":"echo","text":"wörld"}`, `{"say":"bye, Ada"}`)
}

// refuse does what the gateway must refuse in AWS's way.
func (c *controlled) refuse() {
	c.t.Helper()
	for _, tt := range []struct {
		operation string
		input     object
		want      string
	}{
		{"GetApi", object{"ApiId": "nosuchapi0"}, "NotFoundException"},
		{"DeleteIntegration", object{"ApiId": c.api, "IntegrationId": c.mock}, "ConflictException"},
		{"CreateRoute", object{"ApiId": c.api, "RouteKey": "echo"}, "ConflictException"},
		{"CreateRoute", object{"ApiId": c.api, "RouteKey": "$other"}, "BadRequestException"},
		{"CreateModel", object{"ApiId": c.api, "Name": "Bad", "Schema": "{"}, "BadRequestException"},
	} {
		if got := c.do(tt.operation, tt.input); got.Error != tt.want {
			c.t.Errorf("%s %v: %q, want %s", tt.operation, tt.input, got.Error, tt.want)
		}
	}
}

// delete deletes the API, and with it all that is in it.
func (c *controlled) delete() {
	c.t.Helper()
	c.must("DeleteApi", object{}, "")
	if got := c.do("GetApi", object{"ApiId": c.api}); got.Error != "NotFoundException" {
		c.t.Errorf("GetApi after DeleteApi: %+v", got)
	}
	if opened, status := c.gateway.dial(c.api, "prod", "?token=sesame"); opened != nil {
		c.t.Errorf("after DeleteApi the handshake has status %d", status)
	}
}

// list is a member that is a list of structures.
func list(m object, name string) []object {
	var all []object
	items, _ := m[name].([]any)
	for _, item := range items {
		if one, ok := item.(map[string]any); ok {
			all = append(all, one)
		}
	}
	return all
}
