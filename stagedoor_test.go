package stagedoor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor"

	"github.com/stagedoor/stagedoor/internal/outputtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deadline is how long what must happen may take on a busy machine.
const deadline = time.Minute

// template is an API whose functions have no code that could run here.
const template = `
Resources:
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: dev, AutoDeploy: true}}
  Connect: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: $connect, Target: !Sub "integrations/${Guard}"}}
  Default: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: $default, Target: !Sub "integrations/${Say}"}}
  Answer: {Type: AWS::ApiGatewayV2::RouteResponse, Properties: {ApiId: !Ref Api, RouteId: !Ref Default, RouteResponseKey: $default}}
  Guard:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:doorman/invocations
  Say:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${SayFunction.Arn}/invocations
  SayFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: missing/, Handler: App::Handle, Runtime: dotnet8, Timeout: 1}
`

// event is what handlers read of one.
type event struct {
	Body           string
	RequestContext struct{ ConnectionID, RouteKey, Stage string }
	QueryString    map[string]string `json:"queryStringParameters"`
}

type answer struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body,omitempty"`
}

// run runs a gateway until the test ends, and waits until it is ready.
func run(t *testing.T, config stagedoor.Config) *stagedoor.Gateway {
	t.Helper()
	var log outputtest.Buffer
	config.Log, config.CacheDir = &log, t.TempDir()
	g, err := stagedoor.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", log.String())
		}
	})
	select {
	case <-g.Ready():
	case err := <-ended:
		ended <- nil
		t.Fatalf("the gateway did not start: %v; its log:\n%s", err, log.String())
	case <-time.After(deadline):
		t.Fatalf("the gateway is not ready; its log:\n%s", log.String())
	}
	return g
}

// writeFile writes a file into a folder of its own and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// client is a WebSocket client.
type client struct {
	t    *testing.T
	conn *websocket.Conn
	last string // what it received last
}

// dial connects, or returns the status of the refusal.
func dial(t *testing.T, url string) (*client, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		if response == nil {
			t.Fatalf("dial %s: %v", url, err)
		}
		return nil, response.StatusCode
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{t: t, conn: conn}, http.StatusSwitchingProtocols
}

// says sends a message and returns what the gateway answers.
func (c *client) says(message string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), deadline)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		c.t.Fatalf("send %s: %v", message, err)
	}
	return c.hears()
}

func (c *client) hears() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), deadline)
	defer cancel()
	_, text, err := c.conn.Read(ctx)
	if err != nil {
		c.t.Fatalf("nothing comes: %v; the last message was %q", err, c.last)
	}
	c.last = string(text)
	return c.last
}

// An application of a template runs on functions that are Go code of the test: by
// a logical id, by a name that the template only calls. They push to the
// connection, throw, panic and take too long.
func TestTemplate(t *testing.T) {
	t.Parallel()
	var g *stagedoor.Gateway
	say := func(ctx context.Context, e event) (answer, error) {
		switch e.Body {
		case "throw":
			return answer{}, errors.New("thrown")
		case "panic":
			panic("at the disco")
		case "wait":
			<-ctx.Done()
			return answer{}, ctx.Err()
		case "push":
			url := g.URL() + "/dev/@connections/" + e.RequestContext.ConnectionID
			response, err := http.Post(url, "text/plain", strings.NewReader("pushed"))
			if err != nil {
				return answer{}, err
			}
			defer response.Body.Close()
			return answer{200, response.Status}, nil
		}
		return answer{200, "you said " + e.Body}, nil
	}
	g = run(t, stagedoor.Config{
		Template: writeFile(t, "template.yaml", template),
		Functions: map[string]stagedoor.Handler{
			"SayFunction": stagedoor.HandlerFor(say),
			"doorman": func(_ context.Context, payload json.RawMessage) (json.RawMessage, error) {
				var e event
				if err := json.Unmarshal(payload, &e); err != nil || e.QueryString["name"] == "" {
					return json.RawMessage(`{"statusCode": 403}`), err
				}
				return json.RawMessage(`{"statusCode": 200}`), nil
			},
		},
	})
	ws := strings.Replace(g.URL(), "http", "ws", 1) + "/dev"
	if urls := g.StageURLs(); len(urls) != 1 || urls[0] != ws {
		t.Errorf("the stages are at %q, not at %s", urls, ws)
	}
	if _, status := dial(t, ws); status != http.StatusForbidden {
		t.Errorf("a nameless client: status %d", status)
	}
	c, status := dial(t, ws+"?name=ada")
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("status %d", status)
	}
	const failed = `"message": "Internal server error"`
	for _, test := range []struct{ message, want string }{
		{"hello", "you said hello"}, {"throw", failed}, {"panic", failed}, {"wait", failed}, {"push", "pushed"}, {"again", "you said again"},
	} {
		if got := c.says(test.message); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", test.message, got)
		}
		if test.message == "push" {
			if got := c.hears(); got != "200 OK" {
				t.Errorf("the push was answered with %s", got)
			}
		}
	}
	response, err := http.Post(g.AdminURL()+"/2015-03-31/functions/doorman/invocations", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the Invoke API answers %s", response.Status)
	}
}

// A gateway as stagedoor serve runs it, with a configuration or without, keeps
// its APIs in memory and calls functions in Go. Nothing is written.
func TestServe(t *testing.T) {
	t.Chdir(t.TempDir())
	file := writeFile(t, "stagedoor.yaml", `
apis:
  chat:
    routes:
      price: {function: ./price, runtime: nodejs20.x, timeout: 29s}
`)
	echo := func(_ context.Context, e event) (answer, error) { return answer{200, "echo " + e.Body}, nil }
	functions := map[string]stagedoor.Handler{"chat-price": stagedoor.HandlerFor(echo), "other": stagedoor.HandlerFor(echo)}
	for name, configuration := range map[string]string{"without a file": "", "with a file": file} {
		t.Run(name, func(t *testing.T) {
			g := run(t, stagedoor.Config{Configuration: configuration, InMemory: true, Open: true, Functions: functions, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"})
			ws := strings.Replace(g.URL(), "http", "ws", 1)
			if configuration != "" {
				c, status := dial(t, ws+"/dev")
				if status != http.StatusSwitchingProtocols {
					t.Fatalf("status %d", status)
				}
				if got, want := c.says(`{"action":"price"}`), `echo {"action":"price"}`; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			id := makeAPI(t, g.AdminURL())
			c, status := dial(t, ws+"/_aws/execute-api/"+id+"/prod")
			if status != http.StatusSwitchingProtocols {
				t.Fatalf("status %d", status)
			}
			if got := c.says("hello"); got != "echo hello" {
				t.Errorf("got %s", got)
			}
		})
	}
	found, _ := os.ReadDir(".")
	if len(found) > 0 {
		t.Errorf("%v was written", found)
	}
}

// makeAPI makes an API whose messages go to the function "other", by the AWS SDK.
func makeAPI(t *testing.T, admin string) (id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	control := apigatewayv2.New(apigatewayv2.Options{
		Region: "us-east-1", BaseEndpoint: &admin, Credentials: aws.AnonymousCredentials{},
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	api, err := control.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("other"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: aws.String("$request.body.action")})
	must(err)
	integration, err := control.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api.ApiId, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationMethod: aws.String("POST"),
		IntegrationUri: aws.String("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:other/invocations"),
	})
	must(err)
	route, err := control.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: api.ApiId, RouteKey: aws.String("$default"), Target: aws.String("integrations/" + *integration.IntegrationId)})
	must(err)
	_, err = control.CreateRouteResponse(ctx, &apigatewayv2.CreateRouteResponseInput{ApiId: api.ApiId, RouteId: route.RouteId, RouteResponseKey: aws.String("$default")})
	must(err)
	_, err = control.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api.ApiId, StageName: aws.String("prod"), AutoDeploy: aws.Bool(true)})
	must(err)
	return *api.ApiId
}

// What cannot work is said when the gateway is made, not when it runs.
func TestMistakes(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "template.yaml", template)
	say := func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, nil }
	for name, test := range map[string]struct {
		config stagedoor.Config
		want   string
	}{
		"no file":         {stagedoor.Config{Template: filepath.Join(t.TempDir(), "none.yaml")}, "no such file"},
		"a mistake":       {stagedoor.Config{Template: writeFile(t, "template.yaml", "Resources: {A: {Type: AWS::ApiGatewayV2::Api}}")}, "ProtocolType"},
		"a nil handler":   {stagedoor.Config{Template: file, Functions: map[string]stagedoor.Handler{"SayFunction": nil}}, "function SayFunction has no handler"},
		"a misspelling":   {stagedoor.Config{Template: file, Functions: map[string]stagedoor.Handler{"SayFunction": say, "SayFuntion": say}}, "no function SayFuntion, and calls none; did you mean SayFunction?"},
		"both":            {stagedoor.Config{Template: file, Configuration: file}, "Template or a Configuration"},
		"no such file":    {stagedoor.Config{Configuration: filepath.Join(t.TempDir(), "none.yaml")}, "no such file"},
		"configuration":   {stagedoor.Config{Configuration: writeFile(t, "stagedoor.yaml", "lissen: x\n")}, "lissen"},
		"memory and NATS": {stagedoor.Config{InMemory: true, Configuration: writeFile(t, "stagedoor.yaml", "nats: {url: \"nats://127.0.0.1:1\"}\n")}, "nats.url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.config.CacheDir = t.TempDir()
			if _, err := stagedoor.New(test.config); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, not one with %q", err, test.want)
			}
		})
	}
}

// A gateway runs once, and one that cannot start says why.
func TestRun(t *testing.T) {
	t.Parallel()
	config := stagedoor.Config{InMemory: true, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"}
	g := run(t, config)
	if err := g.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "once") {
		t.Errorf("a second run: %v", err)
	}
	config.Listen = strings.TrimPrefix(g.URL(), "http://")
	second, err := stagedoor.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); err == nil || !strings.Contains(err.Error(), config.Listen) {
		t.Errorf("a gateway on a port that is taken: %v", err)
	}
	select {
	case <-second.Ready():
		t.Error("it was ready")
	default:
	}
	if got := fmt.Sprint(second.URL(), second.AdminURL(), second.StageURLs()); got != "[]" {
		t.Errorf("it has the URLs %s", got)
	}
}
