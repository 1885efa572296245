package control

import (
	"context"
	"errors"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/store"
)

func (s *server) deploymentOperations() []handler {
	return []handler{
		operation(wire.CreateDeployment, s.createDeployment),
		operation(wire.GetDeployment, s.getDeployment),
		operation(wire.GetDeployments, s.getDeployments),
		operation(wire.UpdateDeployment, s.updateDeployment),
		silent(wire.DeleteDeployment, s.deleteDeployment),
	}
}

// Errors of deployments and of stages that point at them (section H.2).
var (
	errNoRoutes = apigw.BadRequest("At least one route is required before deploying the Api")
	errInUse    = apigw.BadRequest("Active stages pointing to this deployment must be moved or deleted")
)

// createDeployment takes a snapshot of the API, and points a stage at it if one
// is named. Where the stage cannot be pointed at it, no deployment stays
// behind.
func (s *server) createDeployment(ctx context.Context, in *wire.CreateDeploymentRequest) (*wire.Deployment, error) {
	api, err := s.readAPI(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	if len(api.Routes) == 0 {
		return nil, errNoRoutes
	}
	if in.StageName != nil {
		stage, _, err := s.loadStage(ctx, in.ApiId, *in.StageName)
		if err != nil {
			return nil, err
		}
		if stage.AutoDeploys() {
			return nil, errAutomatic
		}
	}
	ids, err := s.Store.Deployments.IDs(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	if err := checkQuota(len(ids), s.Quotas.Deployments, "Deployments", "API"); err != nil {
		return nil, err
	}
	deployment := &apigw.Deployment{API: api}
	set(&deployment.Description, in.Description)
	if err := s.putSnapshot(ctx, deployment); err != nil {
		return nil, err
	}
	if in.StageName == nil {
		return deploymentView(deployment), nil
	}
	err = s.changeStage(ctx, in.ApiId, *in.StageName, func(_ *apigw.API, stage *apigw.Stage) error {
		if stage.AutoDeploys() {
			return errAutomatic
		}
		stage.DeploymentId = deployment.DeploymentId
		return nil
	})
	if err != nil {
		s.discard(ctx, in.ApiId, []string{deployment.DeploymentId})
		return nil, err
	}
	return deploymentView(deployment), nil
}

// putSnapshot writes a new deployment under a new id. Nodes do not read it
// before a stage points at it, so there is nothing to wait for.
func (s *server) putSnapshot(ctx context.Context, deployment *apigw.Deployment) error {
	deployment.CreatedDate = s.now()
	for {
		deployment.DeploymentId = apigw.NewChildID()
		_, err := s.Store.Deployments.Put(ctx, deployment, 0)
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

func (s *server) getDeployment(ctx context.Context, in *wire.GetDeploymentRequest) (*wire.Deployment, error) {
	deployment, _, err := s.loadDeployment(ctx, in.ApiId, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	return deploymentView(deployment), nil
}

func (s *server) getDeployments(ctx context.Context, in *wire.GetDeploymentsRequest) (*wire.GetDeploymentsResponse, error) {
	if _, err := s.readAPI(ctx, in.ApiId); err != nil {
		return nil, err
	}
	entries, err := s.Store.Deployments.List(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	id := func(e store.Entry[apigw.Deployment]) string { return e.Value.DeploymentId }
	view := func(e store.Entry[apigw.Deployment]) *wire.Deployment { return deploymentView(e.Value) }
	items, next, err := page(entries, id, view, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetDeploymentsResponse{Items: items, NextToken: next}, nil
}

// updateDeployment changes the description, which is all that may change.
func (s *server) updateDeployment(ctx context.Context, in *wire.UpdateDeploymentRequest) (*wire.Deployment, error) {
	deployment, revision, err := s.loadDeployment(ctx, in.ApiId, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	set(&deployment.Description, in.Description)
	if _, err := s.Store.Deployments.Put(ctx, deployment, revision); err != nil {
		return nil, err
	}
	return deploymentView(deployment), nil
}

func (s *server) deleteDeployment(ctx context.Context, in *wire.DeleteDeploymentRequest) error {
	if _, _, err := s.loadDeployment(ctx, in.ApiId, in.DeploymentId); err != nil {
		return err
	}
	return s.removeDeployment(ctx, in.ApiId, in.DeploymentId)
}

// removeDeployment removes a deployment, unless a stage points at it. It looks
// once more after the removal, and undoes it if a stage was pointed at the
// deployment meanwhile. A stage that is pointed at it even later is set back by
// confirmDeployment.
func (s *server) removeDeployment(ctx context.Context, apiID, id string) error {
	if err := s.checkUnused(ctx, apiID, id); err != nil {
		return err
	}
	deployment, revision, err := s.Store.Deployments.Get(ctx, apiID, id)
	if err != nil {
		return err
	}
	if _, err := s.Store.Deployments.Delete(ctx, revision, apiID, id); err != nil {
		return err
	}
	err = s.checkUnused(ctx, apiID, id)
	if errors.Is(err, errInUse) {
		_, undone := s.Store.Deployments.Put(ctx, deployment, 0)
		return errors.Join(undone, err)
	}
	return err
}

// checkUnused returns errInUse for a deployment that a stage points at.
func (s *server) checkUnused(ctx context.Context, apiID, id string) error {
	stages, err := s.Store.Stages.List(ctx, apiID)
	if err != nil {
		return err
	}
	for _, stage := range stages {
		if stage.Value.DeploymentId == id {
			return errInUse
		}
	}
	return nil
}

// confirmDeployment is called after a stage was pointed at a deployment. Where
// the deployment was removed meanwhile, it points the stage at the one before.
func (s *server) confirmDeployment(ctx context.Context, stage *apigw.Stage, revision uint64, before string) (uint64, error) {
	exists, err := s.Store.Deployments.Has(ctx, stage.ApiId, stage.DeploymentId)
	if exists || err != nil {
		return revision, err
	}
	stage.DeploymentId = before
	if _, err := s.Store.Stages.Put(ctx, stage, revision); err != nil {
		return revision, err
	}
	return revision, errNoDeployment
}

func (s *server) loadDeployment(ctx context.Context, apiID, id string) (*apigw.Deployment, uint64, error) {
	if _, err := s.readAPI(ctx, apiID); err != nil {
		return nil, 0, err
	}
	deployment, revision, err := s.Store.Deployments.Get(ctx, apiID, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, notFound("Deployment", id)
	}
	return deployment, revision, err
}

// deploymentView is what clients see of a deployment. Creating one is done when
// the answer is sent, so its status is always DEPLOYED (section H.9).
func deploymentView(d *apigw.Deployment) *wire.Deployment {
	return &wire.Deployment{
		AutoDeployed:     &d.AutoDeployed,
		CreatedDate:      &wire.Timestamp{Time: d.CreatedDate},
		DeploymentId:     &d.DeploymentId,
		DeploymentStatus: new("DEPLOYED"),
		Description:      optional(d.Description),
	}
}
