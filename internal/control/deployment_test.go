package control

import (
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

func driveDeployment(t *testing.T, h *harness) {
	api := h.api(t)
	h.route(t, api, "join")
	created := must(t, h.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: &api})
	same(t, &sdk.CreateDeploymentOutput{ // section H.9
		AutoDeployed: new(false), CreatedDate: new(testNow.Truncate(time.Second)), DeploymentId: created.DeploymentId, DeploymentStatus: "DEPLOYED",
	}, created)
	if len(*created.DeploymentId) != 6 {
		t.Errorf("id %q (section B.1)", *created.DeploymentId)
	}
	id := created.DeploymentId
	must(t, h.UpdateDeployment, &sdk.UpdateDeploymentInput{ApiId: &api, DeploymentId: id, Description: new("first")})
	if got := must(t, h.GetDeployment, &sdk.GetDeploymentInput{ApiId: &api, DeploymentId: id}); *got.Description != "first" {
		t.Errorf("deployment %+v", got)
	}
	h.deployment(t, api)
	if page := must(t, h.GetDeployments, &sdk.GetDeploymentsInput{ApiId: &api, MaxResults: new("1")}); page.NextToken == nil {
		t.Error("no token for the second page")
	}
	if got := must(t, h.UpdateDeployment, &sdk.UpdateDeploymentInput{ApiId: &api, DeploymentId: id, Description: new("")}); got.Description != nil {
		t.Errorf("description %s (section H.11)", *got.Description)
	}
	must(t, h.DeleteDeployment, &sdk.DeleteDeploymentInput{ApiId: &api, DeploymentId: id})
}

// A deployment is a snapshot, and a stage that is named points at it: section H.9.
func TestCreateDeployment(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	h.route(t, api, "join")
	h.stage(t, api, "dev")
	id := must(t, h.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: &api, StageName: new("dev"), Description: new("first")}).DeploymentId
	h.route(t, api, "leave")
	snapshot, _, err := h.store.Deployments.Get(t.Context(), api, *id)
	if err != nil || len(snapshot.API.Routes) != 1 || snapshot.Description != "first" {
		t.Errorf("snapshot %+v, %v", snapshot, err)
	}
	if got := must(t, h.GetStage, &sdk.GetStageInput{ApiId: &api, StageName: new("dev")}); *got.DeploymentId != *id {
		t.Errorf("the stage points at %s, want %s", *got.DeploymentId, *id)
	}
}

func TestDeploymentErrors(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) { o.Quotas.Deployments = 2 })
	api := h.api(t)
	const noRoutes = "At least one route is required before deploying the Api"
	refuse(t, []errorCase{
		{"H.2", call(h.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: &api}), badRequest(noRoutes)},
		{"H.2", call(h.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: new("nothere")}), missing("Invalid API identifier specified 123456789012:nothere")},
		{"H.2", call(h.GetDeployments, &sdk.GetDeploymentsInput{ApiId: new("nothere")}), missing("Invalid API identifier specified 123456789012:nothere")},
		{"H.2", call(h.GetDeployment, &sdk.GetDeploymentInput{ApiId: &api, DeploymentId: new("nothere")}), missing("Invalid Deployment identifier specified nothere")},
		{"H.2", call(h.DeleteDeployment, &sdk.DeleteDeploymentInput{ApiId: &api, DeploymentId: new("nothere")}), missing("Invalid Deployment identifier specified nothere")},
	})
	h.route(t, api, "join")
	h.stage(t, api, "dev")
	must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("auto"), AutoDeploy: new(true)})
	refuse(t, []errorCase{
		{"H.2", call(h.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: &api, StageName: new("nothere")}), missing("Invalid stage identifier specified")},
		{"H.2", call(h.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: &api, StageName: new("auto")}),
			badRequest("DeploymentId cannot be set on an automatically deployed stage")},
	})
	id := must(t, h.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: &api, StageName: new("dev")}).DeploymentId
	refuse(t, []errorCase{
		{"H.2", call(h.DeleteDeployment, &sdk.DeleteDeploymentInput{ApiId: &api, DeploymentId: id}),
			badRequest("Active stages pointing to this deployment must be moved or deleted")},
		{"H.2", call(h.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: &api}), used("Deployments", "API")},
	})
	must(t, h.DeleteStage, &sdk.DeleteStageInput{ApiId: &api, StageName: new("dev")})
	must(t, h.DeleteDeployment, &sdk.DeleteDeploymentInput{ApiId: &api, DeploymentId: id})
}

// deployed returns the route keys of what a stage points at.
func (h *harness) deployed(t *testing.T, api, stage string) []string {
	t.Helper()
	got := must(t, h.GetStage, &sdk.GetStageInput{ApiId: &api, StageName: &stage})
	if got.DeploymentId == nil {
		return nil
	}
	deployment, _, err := h.store.Deployments.Get(t.Context(), api, *got.DeploymentId)
	if err != nil {
		t.Fatal(err)
	}
	if !deployment.AutoDeployed {
		t.Error("the deployment is not automatic")
	}
	var keys []string
	for _, route := range deployment.API.Routes {
		keys = append(keys, route.RouteKey)
	}
	return keys
}

// Every change of an API is deployed on the stages with autoDeploy before it is
// answered: section H.8.
func TestAutoDeploy(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	created := must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("auto"), AutoDeploy: new(true)})
	if want := "Deployment attempt failed: At least one route is required before deploying the Api"; created.DeploymentId != nil || *created.LastDeploymentStatusMessage != want {
		t.Errorf("stage %+v", created)
	}
	h.stage(t, api, "still")
	h.stage(t, api, "later")
	h.route(t, api, "join")
	same(t, []string{"join"}, h.deployed(t, api, "auto"))
	h.route(t, api, "leave")
	same(t, []string{"join", "leave"}, h.deployed(t, api, "auto"))
	same(t, []string(nil), h.deployed(t, api, "still"))
	updated := must(t, h.UpdateStage, &sdk.UpdateStageInput{ApiId: &api, StageName: new("later"), AutoDeploy: new(true)})
	if updated.DeploymentId == nil || *updated.LastDeploymentStatusMessage != "Successfully deployed stage with deployment ID '"+*updated.DeploymentId+"'" {
		t.Errorf("stage %+v", updated)
	}
	same(t, []string{"join", "leave"}, h.deployed(t, api, "later"))
}

// The number of automatic deployments is bounded, others stay, and a stage
// takes its own with it.
func TestAutomaticDeploymentsAreBounded(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	h.route(t, api, "join")
	manual := h.deployment(t, api)
	h.stage(t, api, "pinned")
	must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("auto"), AutoDeploy: new(true)})
	pinned := must(t, h.GetStage, &sdk.GetStageInput{ApiId: &api, StageName: new("auto")}).DeploymentId
	must(t, h.UpdateStage, &sdk.UpdateStageInput{ApiId: &api, StageName: new("pinned"), DeploymentId: pinned})
	for i := range 3 * keptDeployments {
		h.route(t, api, "key"+string(rune('a'+i)))
	}
	ids := func() []string {
		var ids []string
		for _, d := range must(t, h.GetDeployments, &sdk.GetDeploymentsInput{ApiId: &api}).Items {
			ids = append(ids, *d.DeploymentId)
		}
		return ids
	}
	if got := ids(); len(got) != keptDeployments+2 || !slices.Contains(got, manual) || !slices.Contains(got, *pinned) {
		t.Errorf("deployments %v", got)
	}
	must(t, h.DeleteStage, &sdk.DeleteStageInput{ApiId: &api, StageName: new("auto")})
	if got := ids(); len(got) != 2 || !slices.Contains(got, manual) || !slices.Contains(got, *pinned) {
		t.Errorf("deployments %v", got)
	}
}
