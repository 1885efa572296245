package control

import (
	"go/token"
	"regexp"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// plainly compares outputs of the SDK without what it adds.
var plainly = cmp.Options{cmpopts.IgnoreTypes(middleware.Metadata{}), cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && !token.IsExported(field.Name())
}, cmp.Ignore())}

// same compares what an operation answered with what it should have.
func same(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, plainly); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func driveAPI(t *testing.T, h *harness) {
	created := must(t, h.CreateApi, &sdk.CreateApiInput{
		Name: new("chat"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action"),
		Description: new("rooms"), Version: new("1"), DisableSchemaValidation: new(true), Tags: map[string]string{"team": "blue"},
	})
	id := *created.ApiId
	if !regexp.MustCompile(`^[a-z0-9]{10}$`).MatchString(id) {
		t.Errorf("id %q (section B.1)", id)
	}
	updated := must(t, h.UpdateApi, &sdk.UpdateApiInput{ApiId: &id, IpAddressType: "dualstack", DisableExecuteApiEndpoint: new(true)})
	got := must(t, h.GetApi, &sdk.GetApiInput{ApiId: &id})
	same(t, sdk.GetApiOutput(*updated), *got)
	if list := must(t, h.GetApis, &sdk.GetApisInput{}); len(list.Items) != 1 || *list.Items[0].ApiId != id {
		t.Errorf("APIs %v", list.Items)
	}
	must(t, h.GetApis, &sdk.GetApisInput{MaxResults: new("1")})
	other := h.api(t)
	if page := must(t, h.GetApis, &sdk.GetApisInput{MaxResults: new("1")}); page.NextToken == nil {
		t.Error("no token for the second page")
	}
	must(t, h.DeleteApi, &sdk.DeleteApiInput{ApiId: &other})
	must(t, h.DeleteApi, &sdk.DeleteApiInput{ApiId: &id})
}

// What a new API looks like: section H.3.
func TestCreateAPI(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	got := must(t, h.CreateApi, &sdk.CreateApiInput{
		Name: new("chat"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action"),
	})
	same(t, &sdk.CreateApiOutput{
		ApiEndpoint:               new("wss://" + *got.ApiId + ".execute-api.us-east-1.amazonaws.com"),
		ApiId:                     got.ApiId,
		ApiKeySelectionExpression: new("$request.header.x-api-key"),
		CreatedDate:               new(testNow.Truncate(time.Second)),
		DisableExecuteApiEndpoint: new(false),
		IpAddressType:             "ipv4",
		Name:                      new("chat"),
		ProtocolType:              types.ProtocolTypeWebsocket,
		RouteSelectionExpression:  new("$request.body.action"),
	}, got)
}

// What is absent stays, what is empty goes: section H.11.
func TestUpdateAPI(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	id := h.api(t)
	must(t, h.UpdateApi, &sdk.UpdateApiInput{ApiId: &id, Description: new("rooms"), Version: new("1")})
	got := must(t, h.UpdateApi, &sdk.UpdateApiInput{ApiId: &id, Name: new("talk")})
	if *got.Name != "talk" || *got.Description != "rooms" || *got.Version != "1" {
		t.Errorf("absent members were changed: %+v", got)
	}
	if response := h.send(t, "PATCH", "/v2/apis/"+id, `{"description":null}`); response.StatusCode != 200 {
		t.Errorf("status %d", response.StatusCode)
	}
	if got := must(t, h.GetApi, &sdk.GetApiInput{ApiId: &id}); got.Description == nil {
		t.Error("null removed the description")
	}
	got = must(t, h.UpdateApi, &sdk.UpdateApiInput{ApiId: &id, Description: new(""), Version: new("")})
	if got.Description != nil || got.Version != nil {
		t.Errorf("empty members are still there: %+v", got)
	}
}

// An API goes with its stages and deployments: section H.3.
func TestDeleteAPI(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	id := h.api(t)
	h.route(t, id, "join")
	must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &id, StageName: new("dev"), AutoDeploy: new(true)})
	must(t, h.DeleteApi, &sdk.DeleteApiInput{ApiId: &id})
	if stages, err := h.store.Stages.IDs(t.Context()); len(stages) > 0 || err != nil {
		t.Errorf("stages %v, %v", stages, err)
	}
	if deployments, err := h.store.Deployments.IDs(t.Context()); len(deployments) > 0 || err != nil {
		t.Errorf("deployments %v, %v", deployments, err)
	}
}
