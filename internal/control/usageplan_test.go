package control

import (
	"testing"

	sdkv1 "github.com/aws/aws-sdk-go-v2/service/apigateway"
	typesv1 "github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

func driveUsagePlan(t *testing.T, h *harness) {
	api := h.staged(t, "dev")
	h.stage(t, api, "prod")
	created := must(t, h.v1.CreateUsagePlan, &sdkv1.CreateUsagePlanInput{
		Name: new("gold"), Description: new("all you can"), Tags: map[string]string{"team": "blue"},
		ApiStages: []typesv1.ApiStage{{ApiId: &api, Stage: new("dev"), Throttle: map[string]typesv1.ThrottleSettings{"join": {RateLimit: 1, BurstLimit: 2}}}},
		Throttle:  &typesv1.ThrottleSettings{RateLimit: 2.5, BurstLimit: 5},
		Quota:     &typesv1.QuotaSettings{Limit: 100, Offset: 2, Period: typesv1.QuotaPeriodTypeWeek},
	})
	if len(*created.Id) != 6 {
		t.Errorf("id %s", *created.Id)
	}
	same(t, sdkv1.GetUsagePlanOutput(*created), *must(t, h.v1.GetUsagePlan, &sdkv1.GetUsagePlanInput{UsagePlanId: created.Id}))
	must(t, h.v1.UpdateUsagePlan, &sdkv1.UpdateUsagePlanInput{UsagePlanId: created.Id, PatchOperations: patch("replace", "/productCode", "p1")})
	if page := must(t, h.v1.GetUsagePlans, &sdkv1.GetUsagePlansInput{}); len(page.Items) == 0 {
		t.Error("no plans")
	}
	must(t, h.v1.CreateUsagePlan, &sdkv1.CreateUsagePlanInput{Name: new("more")})
	if page := must(t, h.v1.GetUsagePlans, &sdkv1.GetUsagePlansInput{Limit: new(int32(1))}); page.Position == nil {
		t.Error("no position of the second page")
	}
	driveUsagePlanKey(t, h, created.Id)
	must(t, h.v1.UpdateUsagePlan, &sdkv1.UpdateUsagePlanInput{UsagePlanId: created.Id, PatchOperations: patch("remove", "/apiStages", api+":dev")})
	must(t, h.v1.DeleteUsagePlan, &sdkv1.DeleteUsagePlanInput{UsagePlanId: created.Id})
}

func driveUsagePlanKey(t *testing.T, h *harness, plan *string) {
	id, other := h.key(t, "fay"), h.key(t, "gus")
	got := must(t, h.v1.CreateUsagePlanKey, &sdkv1.CreateUsagePlanKeyInput{UsagePlanId: plan, KeyId: &id, KeyType: new("API_KEY")})
	must(t, h.v1.CreateUsagePlanKey, &sdkv1.CreateUsagePlanKeyInput{UsagePlanId: plan, KeyId: &other, KeyType: new("API_KEY")})
	same(t, &sdkv1.CreateUsagePlanKeyOutput{Id: &id, Name: new("fay"), Type: new("API_KEY")}, got)
	same(t, sdkv1.GetUsagePlanKeyOutput(*got), *must(t, h.v1.GetUsagePlanKey, &sdkv1.GetUsagePlanKeyInput{UsagePlanId: plan, KeyId: &id}))
	if page := must(t, h.v1.GetUsagePlanKeys, &sdkv1.GetUsagePlanKeysInput{UsagePlanId: plan, NameQuery: new("g")}); len(page.Items) != 1 || *page.Items[0].Id != other {
		t.Errorf("keys %+v", page.Items)
	}
	if page := must(t, h.v1.GetUsagePlanKeys, &sdkv1.GetUsagePlanKeysInput{UsagePlanId: plan, Limit: new(int32(1))}); page.Position == nil {
		t.Error("no position of the second page")
	}
	if page := must(t, h.v1.GetUsagePlans, &sdkv1.GetUsagePlansInput{KeyId: &id}); len(page.Items) != 1 || *page.Items[0].Id != *plan {
		t.Errorf("plans %+v", page.Items)
	}
	driveUsage(t, h, plan, id)
	must(t, h.v1.DeleteUsagePlanKey, &sdkv1.DeleteUsagePlanKeyInput{UsagePlanId: plan, KeyId: &id})
	must(t, h.v1.DeleteApiKey, &sdkv1.DeleteApiKeyInput{ApiKey: &other})
	if record, _, err := h.store.UsagePlans.Get(t.Context(), *plan); err != nil || len(record.KeyIds) > 0 {
		t.Errorf("keys of the plan %+v, %v", record, err)
	}
}

// The week of the plan begins on Tuesday; the clock says Friday, 25 September.
func driveUsage(t *testing.T, h *harness, plan *string, id string) {
	_, err := h.store.Usage.Put(t.Context(), &apigw.Usage{UsagePlanId: *plan, KeyId: id, Used: map[string]int64{
		"2026-09-21": 7, "2026-09-22": 10, "2026-09-24": 20,
	}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	ask := &sdkv1.GetUsageInput{UsagePlanId: plan, KeyId: &id, StartDate: new("2026-09-21"), EndDate: new("2026-09-25")}
	got := must(t, h.v1.GetUsage, ask)
	same(t, map[string][][]int64{id: {{7, 93}, {10, 90}, {0, 90}, {20, 70}, {0, 70}}}, got.Items)
	granted := must(t, h.v1.UpdateUsage, &sdkv1.UpdateUsageInput{UsagePlanId: plan, KeyId: &id, PatchOperations: patch("replace", "/remaining", "150")})
	same(t, &sdkv1.UpdateUsageOutput{
		UsagePlanId: plan, StartDate: new("2026-09-25"), EndDate: new("2026-09-25"), Items: map[string][][]int64{id: {{0, 150}}},
	}, granted)
	must(t, h.v1.UpdateUsage, &sdkv1.UpdateUsageInput{UsagePlanId: plan, KeyId: &id, PatchOperations: patch("replace", "/remaining", "5")})
	got = must(t, h.v1.GetUsage, ask)
	same(t, []int64{0, 5}, got.Items[id][4])
	ask.KeyId, ask.Limit = nil, new(int32(1))
	if got := must(t, h.v1.GetUsage, ask); got.Position == nil || len(got.Items) != 1 {
		t.Errorf("usage %+v", got)
	}
}

// Every path of a usage plan that can be changed.
func TestUpdateUsagePlan(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.staged(t, "dev")
	h.stage(t, api, "prod")
	id := must(t, h.v1.CreateUsagePlan, &sdkv1.CreateUsagePlanInput{Name: new("gold"), Description: new("old")}).Id
	update := func(texts ...string) *sdkv1.UpdateUsagePlanOutput {
		t.Helper()
		return must(t, h.v1.UpdateUsagePlan, &sdkv1.UpdateUsagePlanInput{UsagePlanId: id, PatchOperations: patch(texts...)})
	}
	dev, prod := api+":dev", api+":prod"
	got := update(
		"replace", "/name", "silver", "replace", "/description", "", "add", "/productCode", "p1",
		"add", "/quota/limit", "100", "add", "/quota/period", "MONTH", "replace", "/quota/offset", "27",
		"replace", "/throttle/rateLimit", "0.5", "add", "/throttle/burstLimit", "3",
		"add", "/apiStages", dev, "add", "/apiStages", prod,
		"replace", "/apiStages/"+dev+"/throttle/join/rateLimit", "1.5", "add", "/apiStages/"+dev+"/throttle/join/burstLimit", "2",
		"add", "/apiStages/"+dev+"/throttle/a~1b~0/rateLimit", "7",
	)
	same(t, &sdkv1.UpdateUsagePlanOutput{
		Id: id, Name: new("silver"), ProductCode: new("p1"),
		Quota:    &typesv1.QuotaSettings{Limit: 100, Offset: 27, Period: "MONTH"},
		Throttle: &typesv1.ThrottleSettings{RateLimit: 0.5, BurstLimit: 3},
		ApiStages: []typesv1.ApiStage{
			{ApiId: &api, Stage: new("dev"), Throttle: map[string]typesv1.ThrottleSettings{"join": {RateLimit: 1.5, BurstLimit: 2}, "a/b~": {RateLimit: 7}}},
			{ApiId: &api, Stage: new("prod")},
		},
	}, got)
	got = update("remove", "/apiStages/"+dev+"/throttle/a~1b~0", "")
	same(t, map[string]typesv1.ThrottleSettings{"join": {RateLimit: 1.5, BurstLimit: 2}}, got.ApiStages[0].Throttle)
	got = update("remove", "/apiStages/"+dev+"/throttle", "", "remove", "/apiStages", prod, "remove", "/quota", "", "remove", "/throttle", "", "remove", "/productCode", "")
	same(t, &sdkv1.UpdateUsagePlanOutput{Id: id, Name: new("silver"), ApiStages: []typesv1.ApiStage{{ApiId: &api, Stage: new("dev")}}}, got)
}

func TestUsagePlanErrors(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) { o.Quotas.UsagePlans = 2 })
	api := h.staged(t, "dev")
	stages := []typesv1.ApiStage{{ApiId: &api, Stage: new("dev")}}
	plan := must(t, h.v1.CreateUsagePlan, &sdkv1.CreateUsagePlanInput{Name: new("gold"), ApiStages: stages}).Id
	key := h.key(t, "ann")
	subscribe := func(plan *string) *sdkv1.CreateUsagePlanKeyInput {
		return &sdkv1.CreateUsagePlanKeyInput{UsagePlanId: plan, KeyId: &key, KeyType: new("API_KEY")}
	}
	must(t, h.v1.CreateUsagePlanKey, subscribe(plan))
	create := func(in *sdkv1.CreateUsagePlanInput) *sdkv1.CreateUsagePlanInput {
		in.Name = new("silver")
		return in
	}
	update := func(texts ...string) *sdkv1.UpdateUsagePlanInput {
		return &sdkv1.UpdateUsagePlanInput{UsagePlanId: plan, PatchOperations: patch(texts...)}
	}
	usage := func(start, end string) *sdkv1.GetUsageInput {
		return &sdkv1.GetUsageInput{UsagePlanId: plan, StartDate: &start, EndDate: &end}
	}
	noPlan := missing("Invalid Usage Plan ID specified")
	stage := api + ":dev"
	refuse(t, []errorCase{
		{"I.4", call(h.v1.CreateUsagePlan, create(&sdkv1.CreateUsagePlanInput{ApiStages: []typesv1.ApiStage{{ApiId: &api}}})),
			badRequest("Invalid API Stage {api: " + api + ", stage: } specified for usageplan silver")},
		{"I.4", call(h.v1.CreateUsagePlan, create(&sdkv1.CreateUsagePlanInput{ApiStages: []typesv1.ApiStage{{ApiId: &api, Stage: new("prod")}}})),
			missing("API Stage not found: " + api + ":prod")},
		{"I.4", call(h.v1.CreateUsagePlan, create(&sdkv1.CreateUsagePlanInput{Quota: &typesv1.QuotaSettings{Limit: 1, Period: "WEEK", Offset: 7}})),
			badRequest("the offset of a quota for a WEEK is from 0 to 6, not 7")},
		{"I.4", call(h.v1.CreateUsagePlan, create(&sdkv1.CreateUsagePlanInput{Throttle: &typesv1.ThrottleSettings{RateLimit: -1}})),
			badRequest("the limits of a throttle cannot be negative")},
		{"I.4", call(h.v1.GetUsagePlan, &sdkv1.GetUsagePlanInput{UsagePlanId: new("nothere")}), noPlan},
		{"I.4", call(h.v1.DeleteUsagePlan, &sdkv1.DeleteUsagePlanInput{UsagePlanId: new("nothere")}), noPlan},
		{"I.4", call(h.v1.GetUsagePlanKeys, &sdkv1.GetUsagePlanKeysInput{UsagePlanId: new("nothere")}), noPlan},
		{"I.4", call(h.v1.CreateUsagePlanKey, subscribe(new("nothere"))), noPlan},
		{"I.4", call(h.v1.DeleteUsagePlan, &sdkv1.DeleteUsagePlanInput{UsagePlanId: plan}),
			badRequest("Cannot delete Usage Plan " + *plan + " because there are API Stages associated with it, including " + stage)},
		{"I.4", call(h.v1.UpdateUsagePlan, update("replace", "/name", "")), badRequest("Usage Plan name must not be empty")},
		{"I.4", call(h.v1.UpdateUsagePlan, update("add", "/quota/limit", "5")), badRequest(`the period of a quota is DAY, WEEK or MONTH, not ""`)},
		{"I.4", call(h.v1.UpdateUsagePlan, update("add", "/quota/limit", "many")), badRequest("Invalid quota limit specified: many")},
		{"I.4", call(h.v1.UpdateUsagePlan, update("add", "/throttle/rateLimit", "NaN")), badRequest("the limits of a throttle cannot be negative")},
		{"I.4", call(h.v1.UpdateUsagePlan, update("add", "/apiStages", stage)), conflict("Usage Plan " + *plan + " is already associated with API Stage " + stage)},
		{"I.4", call(h.v1.UpdateUsagePlan, update("add", "/apiStages", "nothere:dev")), missing("API Stage not found: nothere:dev")},
		{"I.4", call(h.v1.UpdateUsagePlan, update("remove", "/apiStages", "nothere:dev")), missing("API Stage not found: nothere:dev")},
		{"I.4", call(h.v1.UpdateUsagePlan, update("replace", "/apiStages/nothere:dev/throttle/join/rateLimit", "1")), missing("API Stage not found: nothere:dev")},
		{"I.4", call(h.v1.UpdateUsagePlan, update("remove", "/apiStages/"+stage, "")),
			badRequest("Invalid patch path  '/apiStages/" + stage + "' specified for op 'remove'. Must be one of: [/apiStages, /apiStages/<apiId:stageName>/throttle, " +
				"/apiStages/<apiId:stageName>/throttle/<routeKey>, /productCode, /quota, /throttle]")},
		{"I.4", call(h.v1.CreateUsagePlanKey, subscribe(plan)), conflict("API Key " + key + " is already associated with Usage Plan " + *plan)},
		{"I.4", call(h.v1.CreateUsagePlanKey, &sdkv1.CreateUsagePlanKeyInput{UsagePlanId: plan, KeyId: &key, KeyType: new("OTHER")}),
			badRequest("Invalid keyType specified. Must be one of [API_KEY]")},
		{"I.4", call(h.v1.CreateUsagePlanKey, &sdkv1.CreateUsagePlanKeyInput{UsagePlanId: plan, KeyId: new("nothere"), KeyType: new("API_KEY")}),
			missing("Invalid API Key identifier specified")},
		{"I.4", call(h.v1.GetUsagePlanKey, &sdkv1.GetUsagePlanKeyInput{UsagePlanId: plan, KeyId: new("nothere")}), missing("Invalid Usage Plan Key identifier specified")},
		{"I.4", call(h.v1.DeleteUsagePlanKey, &sdkv1.DeleteUsagePlanKeyInput{UsagePlanId: plan, KeyId: new("nothere")}), missing("Invalid Usage Plan Key identifier specified")},
		{"I.4", call(h.v1.GetUsage, usage("yesterday", "2026-09-25")), badRequest("Invalid startDate specified: yesterday. The format must be YYYY-MM-DD")},
		{"I.4", call(h.v1.GetUsage, usage("2026-09-25", "2026-09-24")), badRequest("Invalid date range specified: endDate must be from 0 to 89 days after startDate")},
		{"I.4", call(h.v1.GetUsage, usage("2026-09-25", "9999-09-24")), badRequest("Invalid date range specified: endDate must be from 0 to 89 days after startDate")},
		{"I.4", call(h.v1.UpdateUsage, &sdkv1.UpdateUsageInput{UsagePlanId: plan, KeyId: &key}), badRequest("Usage Plan " + *plan + " has no quota")},
	})
	if got := must(t, h.v1.GetUsage, usage("2026-09-25", "2026-09-25")); len(got.Items) > 0 {
		t.Errorf("usage without a quota %v", got.Items)
	}
	other := must(t, h.v1.CreateUsagePlan, create(&sdkv1.CreateUsagePlanInput{ApiStages: stages})).Id
	refuse(t, []errorCase{
		{"H.2", call(h.v1.CreateUsagePlan, create(&sdkv1.CreateUsagePlanInput{})), used("UsagePlans", "account")},
		{"I.4", call(h.v1.CreateUsagePlanKey, subscribe(other)), conflict("API Key " + key + " is already associated with Usage Plan " + *plan + " for API Stage " + stage)},
	})
}
