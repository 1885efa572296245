package control

import (
	"context"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
)

func (s *server) usagePlanKeyOperations() []handler {
	return []handler{
		operation(wirev1.CreateUsagePlanKey, s.createUsagePlanKey),
		operation(wirev1.GetUsagePlanKey, s.getUsagePlanKey),
		operation(wirev1.GetUsagePlanKeys, s.getUsagePlanKeys),
		silent(wirev1.DeleteUsagePlanKey, s.deleteUsagePlanKey),
	}
}

const keyTypeAPIKey = "API_KEY"

func (s *server) createUsagePlanKey(ctx context.Context, in *wirev1.CreateUsagePlanKeyRequest) (*wirev1.UsagePlanKey, error) {
	if *in.KeyType != keyTypeAPIKey {
		return nil, apigw.BadRequest("Invalid keyType specified. Must be one of [" + keyTypeAPIKey + "]")
	}
	key, _, err := s.loadKey(ctx, *in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := s.addKeyToPlan(ctx, key.Id, in.UsagePlanId); err != nil {
		return nil, err
	}
	return usagePlanKeyView(key), nil
}

// addKeyToPlan makes a key a member of a plan.
func (s *server) addKeyToPlan(ctx context.Context, keyID, planID string) error {
	_, err := s.changePlan(ctx, planID, func(plan *apigw.UsagePlan) error {
		if slices.Contains(plan.KeyIds, keyID) {
			return apigw.Conflict("API Key " + keyID + " is already associated with Usage Plan " + planID)
		}
		plan.KeyIds = append(plan.KeyIds, keyID)
		return s.checkSubscriptions(ctx, plan)
	})
	return err
}

// checkSubscriptions refuses a plan where one of its keys is in another plan
// for the same stage.
func (s *server) checkSubscriptions(ctx context.Context, plan *apigw.UsagePlan) error {
	if len(plan.ApiStages) == 0 || len(plan.KeyIds) == 0 {
		return nil
	}
	plans, err := s.Store.UsagePlans.List(ctx)
	if err != nil {
		return err
	}
	for _, other := range values(plans) {
		if other.Id == plan.Id {
			continue
		}
		stage := slices.IndexFunc(plan.ApiStages, func(s *apigw.PlanStage) bool { return planStage(other, s.ApiId, s.Stage) != nil })
		key := slices.IndexFunc(plan.KeyIds, func(id string) bool { return slices.Contains(other.KeyIds, id) })
		if stage >= 0 && key >= 0 {
			return apigw.Conflict("API Key " + plan.KeyIds[key] + " is already associated with Usage Plan " + other.Id +
				" for API Stage " + plan.ApiStages[stage].ApiId + ":" + plan.ApiStages[stage].Stage)
		}
	}
	return nil
}

func (s *server) getUsagePlanKey(ctx context.Context, in *wirev1.GetUsagePlanKeyRequest) (*wirev1.UsagePlanKey, error) {
	plan, _, err := s.loadPlan(ctx, in.UsagePlanId)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(plan.KeyIds, in.KeyId) {
		return nil, errNoPlanKey
	}
	key, _, err := s.loadKey(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	return usagePlanKeyView(key), nil
}

// getUsagePlanKeys lists a plan's keys, those whose names begin with a text
// where one is given.
func (s *server) getUsagePlanKeys(ctx context.Context, in *wirev1.GetUsagePlanKeysRequest) (*wirev1.UsagePlanKeys, error) {
	plan, _, err := s.loadPlan(ctx, in.UsagePlanId)
	if err != nil {
		return nil, err
	}
	keys, err := s.listKeys(ctx)
	if err != nil {
		return nil, err
	}
	keys = slices.DeleteFunc(keys, func(k *apigw.ApiKey) bool {
		return !slices.Contains(plan.KeyIds, k.Id) || in.NameQuery != nil && !strings.HasPrefix(k.Name, *in.NameQuery)
	})
	items, next, err := pageV1(keys, keyID, usagePlanKeyView, in.Limit, in.Position)
	if err != nil {
		return nil, err
	}
	return &wirev1.UsagePlanKeys{Items: items, Position: next}, nil
}

func (s *server) deleteUsagePlanKey(ctx context.Context, in *wirev1.DeleteUsagePlanKeyRequest) error {
	_, err := s.changePlan(ctx, in.UsagePlanId, func(plan *apigw.UsagePlan) error {
		if !slices.Contains(plan.KeyIds, in.KeyId) {
			return errNoPlanKey
		}
		plan.KeyIds = slices.DeleteFunc(plan.KeyIds, func(id string) bool { return id == in.KeyId })
		return nil
	})
	return err
}

var errNoPlanKey = apigw.NotFound("UsagePlanKey", "Invalid Usage Plan Key identifier specified")

// usagePlanKeyView is what clients see of a plan's key. Its value stays blank,
// as with AWS.
func usagePlanKeyView(key *apigw.ApiKey) *wirev1.UsagePlanKey {
	return &wirev1.UsagePlanKey{Id: &key.Id, Name: optional(key.Name), Type: new(keyTypeAPIKey)}
}
