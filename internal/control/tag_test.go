package control

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

func driveTags(t *testing.T, h *harness) {
	api := h.api(t)
	h.stage(t, api, "dev")
	for _, arn := range []string{"arn:aws:apigateway:us-east-1::/apis/" + api, "arn:aws:apigateway:us-east-1::/apis/" + api + "/stages/dev"} {
		must(t, h.TagResource, &sdk.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"team": "blue", "cost": "1", "old": "x"}})
		must(t, h.TagResource, &sdk.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"cost": "2"}})
		must(t, h.UntagResource, &sdk.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"old", "unknown"}})
		got := must(t, h.GetTags, &sdk.GetTagsInput{ResourceArn: &arn})
		same(t, map[string]string{"team": "blue", "cost": "2"}, got.Tags)
	}
	same(t, map[string]string{"team": "blue", "cost": "2"}, must(t, h.GetApi, &sdk.GetApiInput{ApiId: &api}).Tags)
	same(t, map[string]string{"team": "blue", "cost": "2"}, must(t, h.GetStage, &sdk.GetStageInput{ApiId: &api, StageName: new("dev")}).Tags)
}

// Tags of stages, and what a resource cannot be tagged with: section H.12.
func TestTagErrors(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	h.stage(t, api, "dev")
	const prefix = "arn:aws:apigateway:us-east-1::"
	arn, stage := prefix+"/apis/"+api, prefix+"/apis/"+api+"/stages/dev"
	many := make(map[string]string)
	for i := range 51 {
		many[fmt.Sprint("key", i)] = "x"
	}
	refuse(t, []errorCase{
		{"H.12", call(h.TagResource, &sdk.TagResourceInput{ResourceArn: &arn, Tags: many}), used("Tags", "resource")},
		{"H.12", call(h.TagResource, &sdk.TagResourceInput{ResourceArn: &stage, Tags: many}), used("Tags", "resource")},
		{"H.12", call(h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("more"), Tags: many}), used("Tags", "resource")},
		{"H.12", call(h.TagResource, &sdk.TagResourceInput{ResourceArn: &stage, Tags: map[string]string{"aws:x": "1"}}),
			badRequest(`Invalid tag key "aws:x": keys that begin with aws: are reserved.`)},
		{"H.12", call(h.GetTags, &sdk.GetTagsInput{ResourceArn: new("arn:aws:apigateway:eu-west-1::/apis/" + api)}),
			badRequest("Invalid resource ARN specified: arn:aws:apigateway:eu-west-1::/apis/" + api +
				". The format must be arn:aws:apigateway:us-east-1::/apis/{apiId} or …/apis/{apiId}/stages/{stageName}")},
		{"H.12", call(h.GetTags, &sdk.GetTagsInput{ResourceArn: new(prefix + "/apis/nothere")}), missing("Invalid API identifier specified 123456789012:nothere")},
		{"H.12", call(h.GetTags, &sdk.GetTagsInput{ResourceArn: new(arn + "/stages/nothere")}), missing("Invalid stage identifier specified")},
		{"H.12", call(h.GetTags, &sdk.GetTagsInput{ResourceArn: new(arn + "/routes/x")}), missing("Invalid resource identifier specified " + arn + "/routes/x")},
		{"H.12", call(h.UntagResource, &sdk.UntagResourceInput{ResourceArn: new(prefix + "/nothing"), TagKeys: []string{"a"}}),
			missing("Invalid resource identifier specified " + prefix + "/nothing")},
	})
	if tags := must(t, h.GetTags, &sdk.GetTagsInput{ResourceArn: &arn}).Tags; len(tags) > 0 {
		t.Errorf("tags %v", tags)
	}
}
