package authorizer_test

import (
	"context"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/lambda"
)

// gate is an authorizer as people write them.
const gate = `
def handler(event, context):
    token = event["queryStringParameters"].get("token")
    if token == "nobody":
        raise Exception("Unauthorized")
    if token == "broken":
        raise KeyError("Unauthorized")
    if token == "slow":
        import time
        time.sleep(60)
    effect = "Allow" if token == "secret" else "Deny"
    return {
        "principalId": event["requestContext"]["connectionId"],
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}]},
        "context": {"host": event["headers"]["Host"], "upgrade": event["headers"]["Upgrade"], "level": 7, "stage": event["stageVariables"]["name"]},
        "usageIdentifierKey": "0123456789abcdefghij",
    }
`

// A real function decides, called here and by Lambda's Invoke operation.
func TestRealFunctions(t *testing.T) {
	t.Parallel()
	host := lambda.NewHost(lambda.Options{CacheDir: t.TempDir()})
	t.Cleanup(func() { _ = host.Close(context.WithoutCancel(t.Context())) })
	host.Update([]lambda.Function{{Name: "gate", Runtime: "python3.13", Handler: "index.handler", InlineCode: gate, Timeout: 5 * time.Second}})
	server := httptest.NewServer(host)
	t.Cleanup(server.Close)
	lambdaURL, err := awsservice.ParseEndpoint(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	services := awsservice.New(awsservice.Options{
		Endpoints:   map[string]*url.URL{"lambda": lambdaURL},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Getenv:      func(string) string { return "" },
	})
	t.Cleanup(services.Close)
	api := &apigw.API{
		ApiId:  "abcdefghij",
		Routes: []*apigw.Route{{RouteKey: "$connect", AuthorizationType: "CUSTOM", AuthorizerId: "auth01"}},
		Authorizers: []*apigw.Authorizer{{
			AuthorizerId: "auth01", AuthorizerType: "REQUEST", IdentitySource: []string{"route.request.querystring.token"},
			AuthorizerUri: "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:gate/invocations",
		}},
	}
	stage := &apigw.Stage{ApiId: "abcdefghij", StageName: "dev", StageVariables: map[string]string{"name": "blue"}}
	for name, functions := range map[string]lambda.Invoker{"local": host, "remote": &integration.RemoteLambda{Services: services, Region: "eu-west-1"}} {
		a, err := (&authorizer.Builder{Functions: functions, Region: "eu-west-1", Account: "123456789012"}).Build(api, stage)
		if err != nil {
			t.Fatal(err)
		}
		for token, want := range map[string]string{
			"secret": "", "wrong": "403 User is not authorized to access this resource with an explicit deny in an identity-based policy",
			"nobody": "401 Unauthorized", "broken": "500 Internal server error", "slow": "500 Internal server error", "": "401 Unauthorized",
		} {
			t.Run(strings.TrimSpace(name+" "+token), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				grant, refusal := a.Authorize(ctx, connect(token, stage))
				if refusal != nil {
					if got := statusText(refusal); got != want {
						t.Errorf("got %s: %s; want %s", got, refusal.Reason, want)
					}
					return
				}
				if grant.Latency <= 0 || want != "" {
					t.Errorf("got %+v", grant)
				}
				grant.Latency = 0
				expected := &authorizer.Grant{
					Principal: "gbikqi-vWQAYKEiHxA==", UsageIdentifierKey: "0123456789abcdefghij",
					Context: []event.Parameter{{Name: "host", Value: "example.com"}, {Name: "upgrade", Value: "websocket"}, {Name: "level", Value: "7"}, {Name: "stage", Value: "blue"}},
				}
				if diff := cmp.Diff(expected, grant); diff != "" {
					t.Errorf("grant (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func statusText(r *failure.Error) string {
	return map[int]string{401: "401 ", 403: "403 ", 500: "500 "}[r.Status()] + r.Message()
}

func connect(token string, stage *apigw.Stage) *event.Event {
	now := time.Now()
	e := event.New(&event.Connection{
		ID: "gbikqi-vWQAYKEiHxA==", Endpoint: &event.Endpoint{APIID: stage.ApiId, Stage: stage.StageName}, ConnectedAt: now.UnixMilli(), SourceIP: "203.0.113.7",
	}, event.Connect, now, stage.StageVariables)
	e.RouteKey = "$connect"
	e.Header = []event.Parameter{{Name: "Host", Value: "example.com"}}
	e.Query = url.Values{"token": {token}}
	return &e
}
