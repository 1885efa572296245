package control

import (
	"context"
	"errors"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/store"
)

func (s *server) stageOperations() []handler {
	return []handler{
		operation(wire.CreateStage, s.createStage),
		operation(wire.GetStage, s.getStage),
		operation(wire.GetStages, s.getStages),
		operation(wire.UpdateStage, s.updateStage),
		silent(wire.DeleteStage, s.deleteStage),
		silent(wire.DeleteAccessLogSettings, s.deleteAccessLogSettings),
		silent(wire.DeleteRouteSettings, s.deleteRouteSettings),
	}
}

func (s *server) createStage(ctx context.Context, in *wire.CreateStageRequest) (*wire.Stage, error) {
	api, err := s.readAPI(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	stage := &apigw.Stage{ApiId: api.ApiId, StageName: *in.StageName, CreatedDate: s.now(), LastUpdatedDate: s.now()}
	if err := checkStageName(stage.StageName); err != nil {
		return nil, err
	}
	replace(&stage.Tags, in.Tags)
	if err := s.checkTags(stage.Tags); err != nil {
		return nil, err
	}
	if err := s.setStage(ctx, api, stage, as[wire.UpdateStageRequest](in)); err != nil {
		return nil, err
	}
	if err := s.checkNewStage(ctx, stage); err != nil {
		return nil, err
	}
	revision, err := s.Store.Stages.Put(ctx, stage, 0)
	if errors.Is(err, store.ErrConflict) {
		return nil, errStageExists
	}
	if err == nil && stage.StageName == "$default" {
		s.Warn(ctx, apigw.WarningDefaultStage)
	}
	return s.stageWritten(ctx, stage, revision, err, stage.AutoDeploys())
}

var errStageExists = apigw.Conflict("Stage already exists")

// checkNewStage returns an error unless an API may have one more stage, of this
// name.
func (s *server) checkNewStage(ctx context.Context, stage *apigw.Stage) error {
	ids, err := s.Store.Stages.IDs(ctx, stage.ApiId)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id[1] == stage.StageName {
			return errStageExists
		}
	}
	return checkQuota(len(ids), s.Quotas.Stages, "Stages", "API")
}

func (s *server) getStage(ctx context.Context, in *wire.GetStageRequest) (*wire.Stage, error) {
	if _, err := s.readAPI(ctx, in.ApiId); err != nil {
		return nil, err
	}
	stage, _, err := s.loadStage(ctx, in.ApiId, in.StageName)
	if err != nil {
		return nil, err
	}
	return stageView(stage), nil
}

func (s *server) getStages(ctx context.Context, in *wire.GetStagesRequest) (*wire.GetStagesResponse, error) {
	if _, err := s.readAPI(ctx, in.ApiId); err != nil {
		return nil, err
	}
	entries, err := s.Store.Stages.List(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	name := func(e store.Entry[apigw.Stage]) string { return e.Value.StageName }
	view := func(e store.Entry[apigw.Stage]) *wire.Stage { return stageView(e.Value) }
	items, next, err := page(entries, name, view, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetStagesResponse{Items: items, NextToken: next}, nil
}

func (s *server) updateStage(ctx context.Context, in *wire.UpdateStageRequest) (*wire.Stage, error) {
	stage, revision, err := s.putStage(ctx, in.ApiId, in.StageName, func(api *apigw.API, stage *apigw.Stage) error {
		automatic := stage.AutoDeploys()
		set(&automatic, in.AutoDeploy)
		if automatic && in.DeploymentId != nil {
			return errAutomatic // a stage may be created with both (section H.8)
		}
		return s.setStage(ctx, api, stage, in)
	})
	return s.stageWritten(ctx, stage, revision, err, in.AutoDeploy != nil && *in.AutoDeploy)
}

// deleteStage deletes a stage with its automatic deployments.
func (s *server) deleteStage(ctx context.Context, in *wire.DeleteStageRequest) error {
	if _, err := s.readAPI(ctx, in.ApiId); err != nil {
		return err
	}
	stage, revision, err := s.loadStage(ctx, in.ApiId, in.StageName)
	if err != nil {
		return err
	}
	if err := s.checkUnmapped(ctx, in.ApiId, in.StageName); err != nil {
		return err
	}
	revision, err = s.Store.Stages.Delete(ctx, revision, in.ApiId, in.StageName)
	if err := s.written(ctx, revision, err); err != nil {
		return err
	}
	s.discard(ctx, in.ApiId, stage.AutomaticDeployments)
	return nil
}

func (s *server) deleteAccessLogSettings(ctx context.Context, in *wire.DeleteAccessLogSettingsRequest) error {
	return s.changeStage(ctx, in.ApiId, in.StageName, func(_ *apigw.API, stage *apigw.Stage) error {
		stage.AccessLogSettings = nil
		return nil
	})
}

func (s *server) deleteRouteSettings(ctx context.Context, in *wire.DeleteRouteSettingsRequest) error {
	return s.changeStage(ctx, in.ApiId, in.StageName, func(_ *apigw.API, stage *apigw.Stage) error {
		if stage.RouteSettings[in.RouteKey] == nil {
			return notFound("RouteSettings", in.RouteKey)
		}
		delete(stage.RouteSettings, in.RouteKey)
		return nil
	})
}

// loadStage returns a copy of a stage for the caller to change, with its
// revision.
func (s *server) loadStage(ctx context.Context, apiID, name string) (*apigw.Stage, uint64, error) {
	stage, revision, err := s.Store.Stages.Get(ctx, apiID, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, apigw.NotFound("Stage", "Invalid stage identifier specified")
	}
	return stage, revision, err
}

// changeStage is changeAPI for one of its stages; the API is for reading only.
func (s *server) changeStage(ctx context.Context, apiID, name string, change func(*apigw.API, *apigw.Stage) error) error {
	_, revision, err := s.putStage(ctx, apiID, name, change)
	return s.written(ctx, revision, err)
}

// putStage is changeStage, but does not wait until the change is in effect.
func (s *server) putStage(ctx context.Context, apiID, name string, change func(*apigw.API, *apigw.Stage) error) (*apigw.Stage, uint64, error) {
	api, err := s.readAPI(ctx, apiID)
	if err != nil {
		return nil, 0, err
	}
	stage, revision, err := s.loadStage(ctx, apiID, name)
	if err != nil {
		return nil, 0, err
	}
	before := stage.DeploymentId
	if err := change(api, stage); err != nil {
		return nil, 0, err
	}
	stage.LastUpdatedDate = s.now()
	revision, err = s.Store.Stages.Put(ctx, stage, revision)
	if err == nil && stage.DeploymentId != before {
		revision, err = s.confirmDeployment(ctx, stage, revision, before)
	}
	return stage, revision, err
}

// stageWritten ends a write of a stage, and returns the answer for the client.
// With deploy, the stage is one with autoDeploy from now on: the API is
// deployed on it first.
func (s *server) stageWritten(ctx context.Context, stage *apigw.Stage, revision uint64, err error, deploy bool) (*wire.Stage, error) {
	if err == nil && deploy {
		revision = s.redeploy(ctx, stage.ApiId, revision)
	}
	if err := s.written(ctx, revision, err); err != nil {
		return nil, err
	}
	if deploy {
		if stage, _, err = s.loadStage(ctx, stage.ApiId, stage.StageName); err != nil {
			return nil, err
		}
	}
	return stageView(stage), nil
}
