package control

import (
	"context"
	"errors"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// keptDeployments is how many of the deployments that autoDeploy made are kept
// for a stage, the one that it points at included. AWS keeps all; here each is
// a record of its own, and every change makes one.
const keptDeployments = 5

// redeploy deploys an API as it is now on its stages with autoDeploy. It is
// called after a change of the API, with the revision of that write, and
// returns the revision of its own last write, or the one it was given. AWS
// deploys some time after it has answered; here the change is live with the
// answer. As with AWS, a deployment that fails undoes nothing: it is logged,
// and the next change tries again.
//
// Of two changes at the same time the later one stays. The stages are read
// before the API and written with compare-and-set: where that succeeds, nobody
// has deployed a later state of the API on the stage meanwhile; else all is
// tried again.
func (s *server) redeploy(ctx context.Context, apiID string, revision uint64) uint64 {
	last, err := s.deployAutomatically(ctx, apiID)
	if err != nil {
		s.Log.ErrorContext(ctx, "a change was not deployed automatically; the next one will be", "api", apiID, "error", err)
	}
	return max(revision, last)
}

// deployAutomatically does the work of redeploy, and returns its error.
func (s *server) deployAutomatically(ctx context.Context, apiID string) (uint64, error) {
	for {
		last, err := s.tryRedeploy(ctx, apiID)
		if !errors.Is(err, store.ErrConflict) || ctx.Err() != nil {
			return last, err
		}
	}
}

// tryRedeploy tries once. Its error is store.ErrConflict when a stage was
// written meanwhile.
func (s *server) tryRedeploy(ctx context.Context, apiID string) (last uint64, err error) {
	stages, err := s.automaticStages(ctx, apiID)
	if err != nil || len(stages) == 0 {
		return 0, err
	}
	api, err := s.readAPI(ctx, apiID)
	if err != nil || len(api.Routes) == 0 {
		return 0, err
	}
	deployment := &apigw.Deployment{API: api, AutoDeployed: true}
	if err := s.putSnapshot(ctx, deployment); err != nil {
		return 0, err
	}
	var failed error
	for _, stage := range stages {
		revision, err := s.pointAutomatically(ctx, stage, deployment.DeploymentId)
		failed = errors.Join(failed, err)
		last = max(last, revision)
	}
	if last == 0 {
		s.discard(ctx, apiID, []string{deployment.DeploymentId})
	}
	return last, failed
}

func (s *server) automaticStages(ctx context.Context, apiID string) ([]store.Entry[apigw.Stage], error) {
	stages, err := s.Store.Stages.List(ctx, apiID)
	if err != nil {
		return nil, err
	}
	var automatic []store.Entry[apigw.Stage]
	for _, stage := range stages {
		if stage.Value.AutoDeploys() {
			automatic = append(automatic, stage)
		}
	}
	return automatic, nil
}

// pointAutomatically points a stage at an automatic deployment, and removes
// those that are too old.
func (s *server) pointAutomatically(ctx context.Context, e store.Entry[apigw.Stage], id string) (uint64, error) {
	stage := e.Value
	stage.DeploymentId = id
	stage.LastUpdatedDate = s.now()
	kept := append(stage.AutomaticDeployments, id)
	surplus := max(0, len(kept)-keptDeployments)
	stage.AutomaticDeployments = kept[surplus:]
	revision, err := s.Store.Stages.Put(ctx, stage, e.Revision)
	if err != nil {
		return 0, err
	}
	s.discard(ctx, stage.ApiId, kept[:surplus])
	return revision, nil
}

// discard removes deployments, except those that a stage points at. One that
// cannot be removed stays, and is logged.
func (s *server) discard(ctx context.Context, apiID string, ids []string) {
	for _, id := range ids {
		err := s.removeDeployment(ctx, apiID, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, errInUse) {
			s.Log.WarnContext(ctx, "a deployment that is not used stays", "api", apiID, "deployment", id, "error", err)
		}
	}
}
