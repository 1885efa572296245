package control

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// planPatches are the patch operations on a usage plan.
func (s *server) planPatches(ctx context.Context, plan *apigw.UsagePlan) patches {
	p := patches{
		"replace": {"/name": toText(&plan.Name), "/description": toText(&plan.Description)},
		"add": {"/apiStages": func(value string, _ ...string) error {
			apiID, name, _ := strings.Cut(value, ":")
			if err := s.checkPlanStage(ctx, plan, apiID, name); err != nil {
				return err
			}
			plan.ApiStages = append(plan.ApiStages, &apigw.PlanStage{ApiId: apiID, Stage: name})
			return nil
		}},
		"remove": {
			"/apiStages": func(value string, _ ...string) error {
				stage, err := stageOf(plan, value)
				plan.ApiStages = slices.DeleteFunc(plan.ApiStages, func(s *apigw.PlanStage) bool { return s == stage })
				return err
			},
			"/apiStages/<apiId:stageName>/throttle": func(_ string, segments ...string) error {
				stage, err := stageOf(plan, segments[0])
				if err == nil {
					stage.Throttle = nil
				}
				return err
			},
			"/apiStages/<apiId:stageName>/throttle/<routeKey>": func(_ string, segments ...string) error {
				stage, err := stageOf(plan, segments[0])
				if err == nil {
					delete(stage.Throttle, segments[1])
				}
				return err
			},
			"/productCode": toText(&plan.ProductCode),
			"/quota":       func(string, ...string) error { plan.Quota = nil; return nil },
			"/throttle":    func(string, ...string) error { plan.Throttle = nil; return nil },
		},
	}
	for path, change := range limitPatches(plan) {
		p["add"][path], p["replace"][path] = change, change
	}
	return p
}

// limitPatches are the patches of throttles and quotas, for which add and
// replace do the same.
func limitPatches(plan *apigw.UsagePlan) map[string]func(string, ...string) error {
	quota := func() *apigw.Quota {
		plan.Quota = orMade(plan.Quota)
		return plan.Quota
	}
	throttle := func() *apigw.Throttle {
		plan.Throttle = orMade(plan.Throttle)
		return plan.Throttle
	}
	return map[string]func(string, ...string) error{
		"/productCode":         toText(&plan.ProductCode),
		"/quota/limit":         toNumber("quota limit", strconv.Atoi, func(n int) { quota().Limit = n }),
		"/quota/offset":        toNumber("quota offset", strconv.Atoi, func(n int) { quota().Offset = n }),
		"/quota/period":        func(value string, _ ...string) error { quota().Period = value; return nil },
		"/throttle/burstLimit": toNumber("burst limit", strconv.Atoi, func(n int) { throttle().BurstLimit = n }),
		"/throttle/rateLimit":  toNumber("rate limit", parseRate, func(n float64) { throttle().RateLimit = n }),
		"/apiStages/<apiId:stageName>/throttle/<routeKey>/burstLimit": func(value string, segments ...string) error {
			throttle, err := routeThrottle(plan, segments)
			if err != nil {
				return err
			}
			return toNumber("burst limit", strconv.Atoi, func(n int) { throttle.BurstLimit = n })(value)
		},
		"/apiStages/<apiId:stageName>/throttle/<routeKey>/rateLimit": func(value string, segments ...string) error {
			throttle, err := routeThrottle(plan, segments)
			if err != nil {
				return err
			}
			return toNumber("rate limit", parseRate, func(n float64) { throttle.RateLimit = n })(value)
		},
	}
}

func orMade[T any](value *T) *T {
	if value == nil {
		return new(T)
	}
	return value
}

// stageOf returns the stage of a plan that a patch names, "{apiId}:{stage}".
func stageOf(plan *apigw.UsagePlan, text string) (*apigw.PlanStage, error) {
	apiID, name, _ := strings.Cut(text, ":")
	if stage := planStage(plan, apiID, name); stage != nil {
		return stage, nil
	}
	return nil, apigw.NotFound("ApiStage", "API Stage not found: "+text)
}

// routeThrottle returns the throttle of a route, which a patch names by the
// stage and the route's key, and makes it where there is none.
func routeThrottle(plan *apigw.UsagePlan, segments []string) (*apigw.Throttle, error) {
	stage, err := stageOf(plan, segments[0])
	if err != nil {
		return nil, err
	}
	if stage.Throttle == nil {
		stage.Throttle = make(map[string]*apigw.Throttle)
	}
	stage.Throttle[segments[1]] = orMade(stage.Throttle[segments[1]])
	return stage.Throttle[segments[1]], nil
}
