package control

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdkv1 "github.com/aws/aws-sdk-go-v2/service/apigateway"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// harness is a control plane behind a socket, with AWS's own clients.
type harness struct {
	*sdk.Client
	v1    *sdkv1.Client
	url   string
	http  *http.Client
	store *store.Configuration
}

// testNow is the clock of the tests.
var testNow = time.Date(2026, 9, 25, 0, 1, 11, 999, time.UTC)

// start starts a control plane on a store in memory; change may set options.
func start(t *testing.T, change func(*Options)) *harness {
	t.Helper()
	o := Options{
		Store:     store.NewConfiguration(store.NewMemory(), nil),
		Region:    "us-east-1",
		AccountID: "123456789012",
		Now:       func() time.Time { return testNow },
		Log:       slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	server := httptest.NewServer(New(o))
	t.Cleanup(server.Close)
	h := &harness{url: server.URL, http: server.Client(), store: o.Store}
	h.use(h.http.Transport)
	return h
}

// use makes SDK clients that do nothing twice.
func (h *harness) use(transport http.RoundTripper) {
	keys := credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")
	client := &http.Client{Transport: transport}
	h.Client = sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &h.url, Credentials: keys, HTTPClient: client, Retryer: aws.NopRetryer{},
	})
	h.v1 = sdkv1.New(sdkv1.Options{
		Region: "us-east-1", BaseEndpoint: &h.url, Credentials: keys, HTTPClient: client, Retryer: aws.NopRetryer{},
	})
}

// api creates an API with a model, Message.
func (h *harness) api(t *testing.T) string {
	t.Helper()
	out := must(t, h.CreateApi, &sdk.CreateApiInput{
		Name: new("chat"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action"),
	})
	must(t, h.CreateModel, &sdk.CreateModelInput{ApiId: out.ApiId, Name: new("Message"), Schema: new(`{"type":"object"}`)})
	return *out.ApiId
}

// authorizer creates a Lambda authorizer.
func (h *harness) authorizer(t *testing.T, apiID string) string {
	t.Helper()
	return *must(t, h.CreateAuthorizer, &sdk.CreateAuthorizerInput{
		ApiId: &apiID, Name: new("door"), AuthorizerType: types.AuthorizerTypeRequest, AuthorizerUri: new(functionURI), IdentitySource: []string{},
	}).AuthorizerId
}

// stage creates a stage.
func (h *harness) stage(t *testing.T, apiID, name string) {
	t.Helper()
	must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &apiID, StageName: &name})
}

// deployment deploys an API, which has a route, on no stage.
func (h *harness) deployment(t *testing.T, apiID string) string {
	t.Helper()
	return *must(t, h.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: &apiID}).DeploymentId
}

// logRole puts the role for logs into the account's settings.
func (h *harness) logRole(t *testing.T) {
	t.Helper()
	must(t, h.v1.UpdateAccount, &sdkv1.UpdateAccountInput{
		PatchOperations: patch("replace", "/cloudwatchRoleArn", "arn:aws:iam::123456789012:role/logs"),
	})
}

// integration creates a MOCK integration.
func (h *harness) integration(t *testing.T, apiID string) string {
	t.Helper()
	out, err := h.CreateIntegration(t.Context(), &sdk.CreateIntegrationInput{ApiId: &apiID, IntegrationType: types.IntegrationTypeMock})
	if err != nil {
		t.Fatal(err)
	}
	return *out.IntegrationId
}

// route creates a route with a key.
func (h *harness) route(t *testing.T, apiID, key string) string {
	t.Helper()
	out, err := h.CreateRoute(t.Context(), &sdk.CreateRouteInput{ApiId: &apiID, RouteKey: &key})
	if err != nil {
		t.Fatal(err)
	}
	return *out.RouteId
}

// send sends a request that no SDK would.
func (h *harness) send(t *testing.T, method, path, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := h.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// failure is an error of the SDK, as a client sees it.
type failure struct {
	Status  int
	Type    string
	Message string
}

// failureOf returns what an operation failed with.
func failureOf(t *testing.T, err error) failure {
	t.Helper()
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		t.Fatalf("error %v is none of the API", err)
	}
	return failure{response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage()}
}

// call makes a function of an operation and its input.
func call[In, Out, Options any](operation func(context.Context, *In, ...func(*Options)) (*Out, error), in *In) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := operation(ctx, in)
		return err
	}
}

// must does an operation that does not fail.
func must[In, Out, Options any](t *testing.T, operation func(context.Context, *In, ...func(*Options)) (*Out, error), in *In) *Out {
	t.Helper()
	out, err := operation(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
