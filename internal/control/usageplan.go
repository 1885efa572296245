package control

import (
	"context"
	"errors"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/usage"
)

func (s *server) usagePlanOperations() []handler {
	return []handler{
		operation(wirev1.CreateUsagePlan, s.createUsagePlan),
		operation(wirev1.GetUsagePlan, s.getUsagePlan),
		operation(wirev1.GetUsagePlans, s.getUsagePlans),
		operation(wirev1.UpdateUsagePlan, s.updateUsagePlan),
		silent(wirev1.DeleteUsagePlan, s.deleteUsagePlan),
	}
}

func (s *server) createUsagePlan(ctx context.Context, in *wirev1.CreateUsagePlanRequest) (*wirev1.UsagePlan, error) {
	ids, err := s.Store.UsagePlans.IDs(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkQuota(len(ids), s.Quotas.UsagePlans, "UsagePlans", "account"); err != nil {
		return nil, err
	}
	plan := &apigw.UsagePlan{
		Id: unusedID(apigw.NewChildID, takenIn(ids)), Name: *in.Name,
		Throttle: throttleOf(in.Throttle), Quota: quotaOf(in.Quota),
	}
	set(&plan.Description, in.Description)
	replace(&plan.Tags, in.Tags)
	for _, requested := range in.ApiStages {
		stage, err := s.planStageOf(ctx, plan, requested)
		if err != nil {
			return nil, err
		}
		plan.ApiStages = append(plan.ApiStages, stage)
	}
	if err := s.checkPlan(plan); err != nil {
		return nil, err
	}
	revision, err := s.Store.UsagePlans.Put(ctx, plan, 0)
	if err := s.written(ctx, revision, err); err != nil {
		return nil, err
	}
	return usagePlanView(plan), nil
}

func (s *server) getUsagePlan(ctx context.Context, in *wirev1.GetUsagePlanRequest) (*wirev1.UsagePlan, error) {
	plan, _, err := s.loadPlan(ctx, in.UsagePlanId)
	if err != nil {
		return nil, err
	}
	return usagePlanView(plan), nil
}

// getUsagePlans lists plans, those of a key where one is named.
func (s *server) getUsagePlans(ctx context.Context, in *wirev1.GetUsagePlansRequest) (*wirev1.UsagePlans, error) {
	entries, err := s.Store.UsagePlans.List(ctx)
	if err != nil {
		return nil, err
	}
	plans := values(entries)
	if in.KeyId != nil {
		plans = slices.DeleteFunc(plans, func(p *apigw.UsagePlan) bool { return !slices.Contains(p.KeyIds, *in.KeyId) })
	}
	items, next, err := pageV1(plans, func(p *apigw.UsagePlan) string { return p.Id }, usagePlanView, in.Limit, in.Position)
	if err != nil {
		return nil, err
	}
	return &wirev1.UsagePlans{Items: items, Position: next}, nil
}

func (s *server) updateUsagePlan(ctx context.Context, in *wirev1.UpdateUsagePlanRequest) (*wirev1.UsagePlan, error) {
	plan, err := s.changePlan(ctx, in.UsagePlanId, func(plan *apigw.UsagePlan) error {
		if err := s.planPatches(ctx, plan).apply(in.PatchOperations); err != nil {
			return err
		}
		return s.checkSubscriptions(ctx, plan)
	})
	if err != nil {
		return nil, err
	}
	return usagePlanView(plan), nil
}

// deleteUsagePlan removes a plan that has no stages any more, and the counts of
// its keys.
func (s *server) deleteUsagePlan(ctx context.Context, in *wirev1.DeleteUsagePlanRequest) error {
	plan, revision, err := s.loadPlan(ctx, in.UsagePlanId)
	if err != nil {
		return err
	}
	if len(plan.ApiStages) > 0 {
		first := plan.ApiStages[0]
		return apigw.BadRequest("Cannot delete Usage Plan " + plan.Id + " because there are API Stages associated with it, including " + first.ApiId + ":" + first.Stage)
	}
	revision, err = s.Store.UsagePlans.Delete(ctx, revision, plan.Id)
	if err := s.written(ctx, revision, err); err != nil {
		return err
	}
	counts, err := s.Store.Usage.List(ctx, plan.Id)
	for _, count := range counts {
		_, failed := s.Store.Usage.Delete(ctx, count.Revision, plan.Id, count.Value.KeyId)
		err = errors.Join(err, failed)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "counts of a usage plan that is gone stay", "plan", plan.Id, "error", err)
	}
	return nil
}

func (s *server) loadPlan(ctx context.Context, id string) (*apigw.UsagePlan, uint64, error) {
	plan, revision, err := s.Store.UsagePlans.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, apigw.NotFound("UsagePlan", "Invalid Usage Plan ID specified")
	}
	return plan, revision, err
}

// plansOf returns the plans of a key.
func (s *server) plansOf(ctx context.Context, keyID string) ([]*apigw.UsagePlan, error) {
	entries, err := s.Store.UsagePlans.List(ctx)
	return slices.DeleteFunc(values(entries), func(p *apigw.UsagePlan) bool { return !slices.Contains(p.KeyIds, keyID) }), err
}

// changePlan loads a plan, lets change work on it, checks it and writes it.
func (s *server) changePlan(ctx context.Context, id string, change func(*apigw.UsagePlan) error) (*apigw.UsagePlan, error) {
	plan, revision, err := s.loadPlan(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := change(plan); err != nil {
		return nil, err
	}
	if err := s.checkPlan(plan); err != nil {
		return nil, err
	}
	revision, err = s.Store.UsagePlans.Put(ctx, plan, revision)
	return plan, s.written(ctx, revision, err)
}

func (s *server) checkPlan(plan *apigw.UsagePlan) error {
	if plan.Name == "" {
		return apigw.BadRequest("Usage Plan name must not be empty")
	}
	if err := s.checkTags(plan.Tags); err != nil {
		return err
	}
	return invalid(usage.CheckPlan(plan))
}

// planStageOf returns a stage that a request adds to a plan. The stage must
// exist, and the plan must not have it already.
func (s *server) planStageOf(ctx context.Context, plan *apigw.UsagePlan, in *wirev1.ApiStage) (*apigw.PlanStage, error) {
	stage := &apigw.PlanStage{}
	set(&stage.ApiId, in.ApiId)
	set(&stage.Stage, in.Stage)
	for route, throttle := range in.Throttle {
		if stage.Throttle == nil {
			stage.Throttle = make(map[string]*apigw.Throttle)
		}
		stage.Throttle[route] = throttleOf(throttle)
	}
	if stage.ApiId == "" || stage.Stage == "" {
		return nil, apigw.BadRequest("Invalid API Stage {api: " + stage.ApiId + ", stage: " + stage.Stage + "} specified for usageplan " + plan.Name)
	}
	return stage, s.checkPlanStage(ctx, plan, stage.ApiId, stage.Stage)
}

func (s *server) checkPlanStage(ctx context.Context, plan *apigw.UsagePlan, apiID, name string) error {
	if planStage(plan, apiID, name) != nil {
		return apigw.Conflict("Usage Plan " + plan.Id + " is already associated with API Stage " + apiID + ":" + name)
	}
	_, err := s.readAPI(ctx, apiID)
	if err == nil {
		_, _, err = s.loadStage(ctx, apiID, name)
	}
	var refused *apigw.Error
	if errors.As(err, &refused) {
		return apigw.NotFound("ApiStage", "API Stage not found: "+apiID+":"+name)
	}
	return err
}

// planStage returns a stage of a plan, or nil.
func planStage(plan *apigw.UsagePlan, apiID, name string) *apigw.PlanStage {
	for _, stage := range plan.ApiStages {
		if stage.ApiId == apiID && stage.Stage == name {
			return stage
		}
	}
	return nil
}

func throttleOf(in *wirev1.ThrottleSettings) *apigw.Throttle {
	if in == nil {
		return nil
	}
	throttle := &apigw.Throttle{}
	set(&throttle.RateLimit, in.RateLimit)
	set(&throttle.BurstLimit, in.BurstLimit)
	return throttle
}

func throttleView(t *apigw.Throttle) *wirev1.ThrottleSettings {
	if t == nil {
		return nil
	}
	return &wirev1.ThrottleSettings{RateLimit: &t.RateLimit, BurstLimit: &t.BurstLimit}
}

func quotaOf(in *wirev1.QuotaSettings) *apigw.Quota {
	if in == nil {
		return nil
	}
	quota := &apigw.Quota{}
	set(&quota.Limit, in.Limit)
	set(&quota.Offset, in.Offset)
	set(&quota.Period, in.Period)
	return quota
}

// usagePlanView is what clients see of a plan.
func usagePlanView(plan *apigw.UsagePlan) *wirev1.UsagePlan {
	out := &wirev1.UsagePlan{
		ApiStages:   []*wirev1.ApiStage{},
		Description: optional(plan.Description),
		Id:          &plan.Id,
		Name:        &plan.Name,
		ProductCode: optional(plan.ProductCode),
		Tags:        plan.Tags,
		Throttle:    throttleView(plan.Throttle),
	}
	if quota := plan.Quota; quota != nil {
		out.Quota = &wirev1.QuotaSettings{Limit: &quota.Limit, Offset: &quota.Offset, Period: &quota.Period}
	}
	for _, stage := range plan.ApiStages {
		view := &wirev1.ApiStage{ApiId: &stage.ApiId, Stage: &stage.Stage}
		for route, throttle := range stage.Throttle {
			if view.Throttle == nil {
				view.Throttle = make(map[string]*wirev1.ThrottleSettings)
			}
			view.Throttle[route] = throttleView(throttle)
		}
		out.ApiStages = append(out.ApiStages, view)
	}
	return out
}
