package dev

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// functionsTemplate is an API with a function that misbehaves as it is told,
// and one that echoes.
const functionsTemplate = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      Name: functions
      StageName: dev
      RouteSelectionExpression: $request.body.action
      Routes:
        $connect: {FunctionArn: !GetAtt Good.Arn}
        echo: {FunctionArn: !GetAtt Good.Arn}
        bad: {FunctionArn: !GetAtt Bad.Arn}
        endless: {FunctionArn: !GetAtt Endless.Arn}
  EchoResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref ApiEchoRoute, RouteResponseKey: $default}
  BadResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref ApiBadRoute, RouteResponseKey: $default}
  EndlessResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref ApiEndlessRoute, RouteResponseKey: $default}
  Good:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 29
      Runtime: nodejs20.x
      Handler: index.handler
      InlineCode: |
        exports.handler = async (event) => ({ statusCode: 200, body: event.body ?? 'connected' })
  Bad:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs20.x, Handler: bad.handler, CodeUri: code/, Timeout: 29}
  Endless:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs20.x, Handler: bad.handler, CodeUri: code/, Timeout: 1}
`

const badFunction = `
exports.handler = async (event) => {
  switch (JSON.parse(event.body).how) {
    case 'crash': process.exit(3)
    case 'throw': throw new Error('on purpose')
    case 'hang': return new Promise(() => setInterval(() => {}, 1000))
    case 'spin': for (;;);
    case 'garbage':
      process.stdout.write(Buffer.from([0, 255, 27, 91, 50, 74, 10]))
      return 'not an object'
    case 'large': return { statusCode: 200, body: 'x'.repeat(10 * 1024 * 1024) }
    case 'fork':
      require('child_process').spawn('sleep', ['1000'], { stdio: 'inherit' })
      return { statusCode: 200, body: 'forked' }
    default: return { statusCode: 200, body: 'fine' }
  }
}
`

func startFunctions(t *testing.T) *app {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no node to run the functions with")
	}
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "code"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"template.yaml": functionsTemplate, "code/bad.js": badFunction} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := start(t, functionsTemplate, func(c *Config) { c.Template = folder })
	a.folder = folder
	return a
}

// What a function does to itself ends in the frame that API Gateway sends, in
// a line that says what happened, and nowhere else.
func TestBadFunctions(t *testing.T) {
	t.Parallel()
	a := startFunctions(t)
	victim, neighbour := a.dial(t, "/dev"), a.dial(t, "/dev")
	const internal = "Internal server error"
	for _, test := range []struct{ action, how, answer, told string }{
		{"bad", "crash", internal, "exit status 3"},
		{"bad", "throw", internal, "on purpose"},
		{"endless", "hang", internal, "timed out after 1.00 seconds"},
		{"endless", "spin", internal, "timed out after 1.00 seconds"},
		{"bad", "garbage", internal, "malformed Lambda proxy response"},
		{"bad", "large", internal, "size"},
		{"bad", "fork", "forked", ""},
		{"bad", "", "fine", ""},
	} {
		if got := gatewaytest.Ask(t, victim, fmt.Sprintf(`{"action":%q,"how":%q}`, test.action, test.how)); !strings.Contains(got, test.answer) {
			t.Errorf("%s: answered %.200q, want %q", test.how, got, test.answer)
		}
		if test.told != "" {
			a.eventually(t, "the reason of "+test.how, func() bool {
				for _, r := range a.records {
					if strings.Contains(r.Error, test.told) {
						return true
					}
				}
				return false
			})
		}
		message := `{"action":"echo","after":"` + test.how + `"}`
		if got := gatewaytest.Ask(t, neighbour, message); got != message {
			t.Errorf("after %s the neighbour received %q", test.how, got)
		}
	}
}

// Saving a function's file: the next message runs the new code, on the same
// connection.
func TestSaveFunction(t *testing.T) {
	t.Parallel()
	a := startFunctions(t)
	c := a.dial(t, "/dev")
	if got := gatewaytest.Ask(t, c, `{"action":"bad"}`); got != "fine" {
		t.Errorf("before: %q", got)
	}
	a.write(t, "code/bad.js", strings.Replace(badFunction, "'fine'", "'finer'", 1))
	gatewaytest.Eventually(t, func() error {
		if got := gatewaytest.Ask(t, c, `{"action":"bad"}`); got != "finer" {
			return fmt.Errorf("answered %q, which is not the new code", got)
		}
		return nil
	})
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

// Both forms of the address, over TLS with the local authority's certificate,
// reach the gateway from outside of a function too.
func TestSecureConnection(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"))
	client := secureClient(t, a)
	for _, host := range []string{"localhost", a.APIs[0].ID + ".execute-api.us-east-1.amazonaws.com"} {
		ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
		defer cancel()
		c, _, err := websocket.Dial(ctx, "wss://"+host+"/dev", &websocket.DialOptions{HTTPClient: client})
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		if got := gatewaytest.Ask(t, c, `{"action":"hello"}`); got != "" {
			t.Errorf("%s: %q", host, got)
		}
		_ = c.Close(websocket.StatusNormalClosure, "")
	}
}
