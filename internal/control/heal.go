package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// strayAge is the age from which an automatic deployment that belongs to no
// stage counts as left behind. A younger one may be about to get its stage, on
// another node with another clock.
const strayAge = time.Hour

// Heal finishes automatic deployments that were begun and not ended, because of
// a crash or because the store could not be reached any more. Stages with
// autoDeploy that are behind their API get a new deployment, and deployments
// that belong to no stage are removed. Where nothing is to be done, nothing is
// written. It may run while others write, and again after an error.
func Heal(ctx context.Context, o Options) error {
	s := newServer(o)
	stages, err := s.Store.Stages.List(ctx)
	if err != nil {
		return err
	}
	byAPI := make(map[string][]*apigw.Stage)
	for _, stage := range stages {
		byAPI[stage.Value.ApiId] = append(byAPI[stage.Value.ApiId], stage.Value)
	}
	for id, stages := range byAPI {
		if err := s.heal(ctx, id, stages); err != nil {
			return err
		}
	}
	return nil
}

// heal is Heal for one API. A record that cannot be read is left alone, and so
// is what depends on it: its collection reports it.
func (s *server) heal(ctx context.Context, apiID string, stages []*apigw.Stage) error {
	automatic := false
	behind, err := false, error(nil)
	for _, stage := range stages {
		if err == nil && stage.AutoDeploys() && !behind {
			automatic = true
			behind, err = s.isBehind(ctx, stage)
		}
	}
	if err == nil && behind {
		if _, err = s.deployAutomatically(ctx, apiID); err == nil {
			s.Log.InfoContext(ctx, "a change that was not deployed automatically is deployed now", "api", apiID)
		}
	}
	if err == nil && automatic {
		err = s.discardStrays(ctx, apiID, stages)
	}
	var unreadable *store.RecordError
	if errors.As(err, &unreadable) || errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// isBehind reports whether the API of a stage has changed since it was deployed
// on the stage.
func (s *server) isBehind(ctx context.Context, stage *apigw.Stage) (bool, error) {
	api, _, err := s.Store.APIs.Get(ctx, stage.ApiId)
	if err != nil || len(api.Routes) == 0 { // without a route there is no deployment
		return false, err
	}
	if stage.DeploymentId == "" {
		return true, nil
	}
	deployment, _, err := s.Store.Deployments.Get(ctx, stage.ApiId, stage.DeploymentId)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	now, err := json.Marshal(api)
	if err != nil {
		return false, err
	}
	deployed, err := json.Marshal(deployment.API)
	return !bytes.Equal(now, deployed), err
}

// discardStrays removes automatic deployments that belong to no stage.
func (s *server) discardStrays(ctx context.Context, apiID string, stages []*apigw.Stage) error {
	known := make(map[string]bool)
	for _, stage := range stages {
		known[stage.DeploymentId] = true
		for _, id := range stage.AutomaticDeployments {
			known[id] = true
		}
	}
	ids, err := s.Store.Deployments.IDs(ctx, apiID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if known[id[1]] {
			continue
		}
		deployment, _, err := s.Store.Deployments.Get(ctx, id...)
		if err != nil {
			return err
		}
		if deployment.AutoDeployed && s.now().Sub(deployment.CreatedDate) > strayAge {
			s.discard(ctx, apiID, []string{id[1]})
		}
	}
	return nil
}
