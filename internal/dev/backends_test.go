package dev

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// elsewhere is a server that answers the Invoke operation of Lambda, and tells
// what it was asked for.
func elsewhere(t *testing.T, name string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.Contains(r.URL.Path, "gone") {
			w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"Message":"no such function"}`)
			return
		}
		w.Header().Set("X-Amzn-Requestid", "1")
		path := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/2015-03-31/functions/"), "/invocations")
		_, _ = fmt.Fprintf(w, `{"statusCode":200,"body":"%s ran %s"}`, name, path)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// remoteTemplate is an API whose functions it does not define.
func remoteTemplate(routes map[string]string) string {
	var b strings.Builder
	b.WriteString(`
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: remote, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: dev, AutoDeploy: true}
`)
	n := 0
	for key, arn := range routes {
		n++
		fmt.Fprintf(&b, `
  Integration%[1]d:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationMethod: POST
      IntegrationUri: arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/%[3]s/invocations
  Route%[1]d:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: %[2]s, Target: !Sub "integrations/${Integration%[1]d}"}
  Response%[1]d:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Route%[1]d, RouteResponseKey: $default}
`, n, key, arn)
	}
	return b.String()
}

// A function runs at an endpoint of its own, else where Lambda is said to be,
// and what only a template pretends to be at AWS is not looked for there.
func TestFunctionsElsewhere(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:us-east-1:"
	routes := map[string]string{
		"own": arn + "123456789012:function:own:live", "emulator": arn + "123456789012:function:emulated",
		"any": arn + "210987654321:function:any", "gone": arn + "210987654321:function:gone", "pretended": arn + "123456789012:function:pretended",
	}
	functions := map[string]string{"own": elsewhere(t, "own"), "emulated": elsewhere(t, "emulator") + "/2015-03-31/functions/function/invocations"}
	withLambda := start(t, remoteTemplate(routes), func(c *Config) {
		c.Region, c.FunctionEndpoints, c.Endpoints = "us-east-1", functions, map[string]string{"lambda": elsewhere(t, "Lambda")}
	})
	without := start(t, remoteTemplate(routes), func(c *Config) { c.Region, c.FunctionEndpoints = "us-east-1", functions })
	for _, test := range []struct {
		app    *app
		action string
		want   string
		log    string
	}{
		{withLambda, "own", "own ran " + arn + "123456789012:function:own:live", ""},
		{withLambda, "emulator", "emulator ran function", ""},
		{withLambda, "any", "Lambda ran " + arn + "210987654321:function:any", ""},
		{withLambda, "pretended", "Lambda ran " + arn + "123456789012:function:pretended", ""},
		{withLambda, "gone", "Internal server error", "function " + arn + "210987654321:function:gone does not exist: Lambda answered 404 ResourceNotFoundException: no such function"},
		{without, "own", "own ran " + arn + "123456789012:function:own:live", ""},
		{without, "pretended", "Internal server error", "function " + arn + "123456789012:function:pretended does not exist"},
	} {
		if got := gatewaytest.Ask(t, test.app.dial(t, "/dev"), `{"action":"`+test.action+`"}`); !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.action, got, test.want)
		}
		if test.log == "" {
			continue
		}
		test.app.eventually(t, "the reason of "+test.action, func() bool {
			for _, r := range test.app.records {
				if strings.HasSuffix(r.Error, test.log) {
					return true
				}
			}
			return false
		})
	}
}

// A function of the template that has an endpoint is neither built nor run here,
// by its name or its logical id.
func TestTemplatesFunctionElsewhere(t *testing.T) {
	t.Parallel()
	a := start(t, `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      Name: elsewhere
      StageName: dev
      RouteSelectionExpression: $request.body.action
      Routes:
        $connect: {FunctionArn: !GetAtt Generated.Arn}
        named: {FunctionArn: !GetAtt Named.Arn}
  Generated:
    Type: AWS::Serverless::Function
    Properties: {Runtime: provided.al2023, Handler: none, InlineCode: none}
  Named:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: by-name, Runtime: java21, Handler: none, InlineCode: none}
`, func(c *Config) {
		c.FunctionEndpoints = map[string]string{"Generated": elsewhere(t, "g"), "by-name": elsewhere(t, "n")}
	})
	c := a.dial(t, "/dev")
	gatewaytest.Send(t, c, `{"action":"named"}`)
	a.eventually(t, "the message", func() bool {
		return slices.ContainsFunc(a.records, func(r Record) bool { return r.Event == "message" && r.Status == 200 && r.Error == "" })
	})
}

// Addresses and files that cannot be used are told before anything runs.
func TestBackendConfiguration(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "template.yaml")
	if err := os.WriteFile(file, []byte(mocks("hello=Mock")), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(folder, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{FunctionEndpoints: map[string]string{"f": "localhost:9000"}}, `the endpoint of function f: "localhost:9000" is not an http or https URL`},
		{Config{VPCLinks: map[string]string{"abc": "balancer"}}, `VPC link abc: "balancer" is not an address, host:port`},
		{Config{VPCLinks: map[string]string{"abc": "tcp://balancer"}}, `VPC link abc: "tcp://balancer" is not an address, host:port`},
		{Config{CAFile: empty}, "holds no PEM certificate"},
		{Config{CAFile: empty + ".gone"}, "no such file"},
	} {
		test.config.Template = file
		if _, err := Check(test.config); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
}
