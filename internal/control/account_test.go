package control

import (
	"testing"

	sdkv1 "github.com/aws/aws-sdk-go-v2/service/apigateway"
	typesv1 "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// What every account has: section J.
func driveAccount(t *testing.T, h *harness) {
	const role = "arn:aws:iam::123456789012:role/logs"
	must(t, h.v1.UpdateAccount, &sdkv1.UpdateAccountInput{PatchOperations: patch("replace", "/cloudwatchRoleArn", role, "add", "/features", "UsagePlans")})
	same(t, &sdkv1.GetAccountOutput{
		ApiKeyVersion: new("4"), CloudwatchRoleArn: new(role), Features: []string{"UsagePlans"},
		ThrottleSettings: &typesv1.ThrottleSettings{RateLimit: 100, BurstLimit: 20},
	}, must(t, h.v1.GetAccount, &sdkv1.GetAccountInput{}))
	if got := must(t, h.v1.UpdateAccount, &sdkv1.UpdateAccountInput{PatchOperations: patch("replace", "/cloudwatchRoleArn", "")}); got.CloudwatchRoleArn != nil {
		t.Errorf("role %s", *got.CloudwatchRoleArn)
	}
}

func TestAccountErrors(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	update := func(texts ...string) *sdkv1.UpdateAccountInput {
		return &sdkv1.UpdateAccountInput{PatchOperations: patch(texts...)}
	}
	refuse(t, []errorCase{
		{"H.8", call(h.v1.UpdateAccount, update("replace", "/cloudwatchRoleArn", "logs")), badRequest("Role ARN is not well formed")},
		{"J", call(h.v1.UpdateAccount, update("replace", "/throttle/rateLimit", "1")),
			badRequest("Invalid patch path  '/throttle/rateLimit' specified for op 'replace'. Must be one of: [/cloudwatchRoleArn]")},
	})
}

// Tags of all that can have some, by both versions of the API: section H.12.
func driveTagsV1(t *testing.T, h *harness) {
	h.domain(t, "tags.example.com")
	plan := *must(t, h.v1.CreateUsagePlan, &sdkv1.CreateUsagePlanInput{Name: new("tagged")}).Id
	for _, path := range []string{"apis/" + h.api(t), "domainnames/tags.example.com", "vpclinks/" + h.link(t), "apikeys/" + h.key(t, "tagged"), "usageplans/" + plan} {
		arn := "arn:aws:apigateway:us-east-1::/" + path
		must(t, h.v1.TagResource, &sdkv1.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"team": "blue", "old": "x"}})
		must(t, h.v1.UntagResource, &sdkv1.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"old", "unknown"}})
		same(t, map[string]string{"team": "blue"}, must(t, h.v1.GetTags, &sdkv1.GetTagsInput{ResourceArn: &arn}).Tags)
	}
	got := must(t, h.v1.GetUsagePlan, &sdkv1.GetUsagePlanInput{UsagePlanId: &plan})
	same(t, map[string]string{"team": "blue"}, got.Tags)
}
