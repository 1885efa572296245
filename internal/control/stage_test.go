package control

import (
	"context"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

const logGroupARN = "arn:aws:logs:us-east-1:123456789012:log-group:chat"

func driveStage(t *testing.T, h *harness) {
	h.logRole(t)
	api := h.api(t)
	h.route(t, api, "join")
	deployment := h.deployment(t, api)
	settings := types.RouteSettings{
		DataTraceEnabled: new(true), DetailedMetricsEnabled: new(true), LoggingLevel: types.LoggingLevelInfo,
		ThrottlingBurstLimit: new(int32(5)), ThrottlingRateLimit: new(2.5),
	}
	must(t, h.CreateStage, &sdk.CreateStageInput{
		ApiId: &api, StageName: new("dev"), DeploymentId: &deployment, Description: new("for us"),
		StageVariables: map[string]string{"table": "rooms"}, Tags: map[string]string{"team": "blue"},
		DefaultRouteSettings: &settings, RouteSettings: map[string]types.RouteSettings{"join": settings},
		AccessLogSettings: &types.AccessLogSettings{DestinationArn: new(logGroupARN), Format: new("$context.requestId")},
	})
	updated := must(t, h.UpdateStage, &sdk.UpdateStageInput{ApiId: &api, StageName: new("dev"), Description: new("for all")})
	same(t, sdk.GetStageOutput(*updated), *must(t, h.GetStage, &sdk.GetStageInput{ApiId: &api, StageName: new("dev")}))
	must(t, h.DeleteRouteSettings, &sdk.DeleteRouteSettingsInput{ApiId: &api, StageName: new("dev"), RouteKey: new("join")})
	must(t, h.DeleteAccessLogSettings, &sdk.DeleteAccessLogSettingsInput{ApiId: &api, StageName: new("dev")})
	if got := must(t, h.GetStage, &sdk.GetStageInput{ApiId: &api, StageName: new("dev")}); len(got.RouteSettings) > 0 || got.AccessLogSettings != nil {
		t.Errorf("stage %+v", got)
	}
	must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("auto"), AutoDeploy: new(true)})
	if page := must(t, h.GetStages, &sdk.GetStagesInput{ApiId: &api, MaxResults: new("1")}); page.NextToken == nil {
		t.Error("no token for the second page")
	}
	must(t, h.DeleteStage, &sdk.DeleteStageInput{ApiId: &api, StageName: new("dev")})
}

// What a new stage looks like: section H.8.
func TestCreateStage(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	h.route(t, api, "join")
	deployment := h.deployment(t, api)
	got := must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("dev"), DeploymentId: &deployment})
	now := testNow.Truncate(time.Second)
	same(t, &sdk.CreateStageOutput{
		CreatedDate: &now, LastUpdatedDate: &now, DeploymentId: &deployment, StageName: new("dev"),
		DefaultRouteSettings: &types.RouteSettings{DataTraceEnabled: new(false), DetailedMetricsEnabled: new(false), LoggingLevel: "OFF"},
		RouteSettings:        map[string]types.RouteSettings{}, StageVariables: map[string]string{}, Tags: map[string]string{},
	}, got)
	got = must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("prod"), AutoDeploy: new(false)})
	if got.AutoDeploy == nil || *got.AutoDeploy || got.DeploymentId != nil {
		t.Errorf("stage %+v", got)
	}
}

// A stage may be created with AutoDeploy and a deployment at once, which no
// update takes: what is live is the API as it is. One may be named $default,
// with a warning. Spec H.2, H.8, M.23.
func TestCreateStageCorrections(t *testing.T) {
	t.Parallel()
	var warnings []string
	h := start(t, func(o *Options) { o.Warn = func(_ context.Context, w string) { warnings = append(warnings, w) } })
	api := h.api(t)
	h.route(t, api, "join")
	deployment := h.deployment(t, api)
	got := must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("dev"), AutoDeploy: new(true), DeploymentId: &deployment})
	if got.AutoDeploy == nil || !*got.AutoDeploy || got.DeploymentId == nil || *got.DeploymentId == deployment {
		t.Errorf("stage %+v, want a deployment of its own", got)
	}
	refuse(t, []errorCase{
		{"H.2", call(h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("x"), AutoDeploy: new(true), DeploymentId: new("nothere")}),
			badRequest("Deployment id does not exist")},
		{"H.2", call(h.UpdateStage, &sdk.UpdateStageInput{ApiId: &api, StageName: new("dev"), DeploymentId: &deployment}),
			badRequest("DeploymentId cannot be set on an automatically deployed stage")},
	})
	must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("$default"), AutoDeploy: new(true)})
	must(t, h.UpdateStage, &sdk.UpdateStageInput{ApiId: &api, StageName: new("$default"), Description: new("whatever")})
	refuse(t, []errorCase{ // and warned of no more
		{"H.2", call(h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("$default")}), conflict("Stage already exists")},
	})
	if len(warnings) != 1 || warnings[0] != apigw.WarningDefaultStage {
		t.Errorf("warnings %q", warnings)
	}
	must(t, h.DeleteStage, &sdk.DeleteStageInput{ApiId: &api, StageName: new("$default")})
}

// Maps and settings are merged, an empty variable is removed, and settings of
// routes have what they were given: section H.8.
func TestUpdateStage(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.logRole(t)
	api := h.api(t)
	h.route(t, api, "join")
	h.route(t, api, "chat/leave")
	must(t, h.CreateStage, &sdk.CreateStageInput{
		ApiId: &api, StageName: new("dev"), StageVariables: map[string]string{"a": "1", "b": "2"},
		DefaultRouteSettings: &types.RouteSettings{ThrottlingRateLimit: new(10.0)},
		RouteSettings:        map[string]types.RouteSettings{"join": {DataTraceEnabled: new(false), LoggingLevel: "INFO"}},
	})
	got := must(t, h.UpdateStage, &sdk.UpdateStageInput{
		ApiId: &api, StageName: new("dev"), StageVariables: map[string]string{"a": "", "c": "3"},
		DefaultRouteSettings: &types.RouteSettings{DetailedMetricsEnabled: new(true)},
		RouteSettings:        map[string]types.RouteSettings{"chat/leave": {ThrottlingBurstLimit: new(int32(7))}},
	})
	same(t, map[string]string{"b": "2", "c": "3"}, got.StageVariables)
	same(t, &types.RouteSettings{DataTraceEnabled: new(false), DetailedMetricsEnabled: new(true), LoggingLevel: "OFF", ThrottlingRateLimit: new(10.0)}, got.DefaultRouteSettings)
	same(t, map[string]types.RouteSettings{
		"join": {DataTraceEnabled: new(false), LoggingLevel: "INFO"}, "chat/leave": {ThrottlingBurstLimit: new(int32(7))},
	}, got.RouteSettings)
	must(t, h.DeleteRouteSettings, &sdk.DeleteRouteSettingsInput{ApiId: &api, StageName: new("dev"), RouteKey: new("chat/leave")})
	must(t, h.DeleteAccessLogSettings, &sdk.DeleteAccessLogSettingsInput{ApiId: &api, StageName: new("dev")})
}

func TestStageErrors(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) { o.Quotas.Stages, o.Quotas.StageVariables = 2, 2 })
	api := h.api(t)
	h.route(t, api, "join")
	h.stage(t, api, "dev")
	create := func(name string) func(context.Context) error {
		return call(h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: &name})
	}
	update := func(change func(*sdk.UpdateStageInput)) func(context.Context) error {
		in := &sdk.UpdateStageInput{ApiId: &api, StageName: new("dev")}
		change(in)
		return call(h.UpdateStage, in)
	}
	variables := func(variables map[string]string) func(context.Context) error {
		return update(func(in *sdk.UpdateStageInput) { in.StageVariables = variables })
	}
	accessLog := func(arn, format string) func(context.Context) error {
		return update(func(in *sdk.UpdateStageInput) {
			in.AccessLogSettings = &types.AccessLogSettings{DestinationArn: &arn, Format: &format}
		})
	}
	const automatic = "DeploymentId cannot be set on an automatically deployed stage"
	const noRole = "CloudWatch Logs role ARN must be set in account settings to enable logging"
	const values = "it must have 1 to 512 characters A-Z a-z 0-9 - . _ ~ : / ? # & = ,"
	must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("auto"), AutoDeploy: new(true)})
	refuse(t, []errorCase{
		{"H.2", call(h.GetStage, &sdk.GetStageInput{ApiId: &api, StageName: new("nothere")}), missing("Invalid stage identifier specified")},
		{"H.2", call(h.DeleteStage, &sdk.DeleteStageInput{ApiId: &api, StageName: new("nothere")}), missing("Invalid stage identifier specified")},
		{"H.2", call(h.GetStages, &sdk.GetStagesInput{ApiId: new("nothere")}), missing("Invalid API identifier specified 123456789012:nothere")},
		{"H.8", create("$other"), badRequest("Invalid stage name specified: $other. A name has letters, digits, hyphens and underscores")},
		{"H.8", create("a.b"), badRequest("Invalid stage name specified: a.b. A name has letters, digits, hyphens and underscores")},
		{"H.2", create("dev"), conflict("Stage already exists")},
		{"H.3", create("third"), used("Stages", "API")},
		{"H.2", update(func(in *sdk.UpdateStageInput) { in.DeploymentId = new("nothere") }), badRequest("Deployment id does not exist")},
		{"H.2", update(func(in *sdk.UpdateStageInput) { in.DeploymentId, in.AutoDeploy = new("any"), new(true) }), badRequest(automatic)},
		{"H.2", call(h.UpdateStage, &sdk.UpdateStageInput{ApiId: &api, StageName: new("auto"), DeploymentId: new("any")}), badRequest(automatic)},
		{"H.8", variables(map[string]string{"a-b": "1"}), badRequest(`Invalid stage variable name "a-b": it must have 1 to 64 letters, digits and underscores.`)},
		{"H.8", variables(map[string]string{"a": "two words"}), badRequest("Invalid value for stage variable a: " + values)},
		{"H.8", variables(map[string]string{"a": strings.Repeat("x", 513)}), badRequest("Invalid value for stage variable a: " + values)},
		{"H.8", variables(map[string]string{"a": "1", "b": "2", "c": "3"}), used("StageVariables", "Stage")},
		{"H.8", update(func(in *sdk.UpdateStageInput) { in.RouteSettings = map[string]types.RouteSettings{"leave": {}} }),
			missing("Unable to find Route by key leave within the provided RouteSettings")},
		{"H.8", call(h.DeleteRouteSettings, &sdk.DeleteRouteSettingsInput{ApiId: &api, StageName: new("dev"), RouteKey: new("join")}),
			missing("Invalid RouteSettings identifier specified join")},
		{"J", update(func(in *sdk.UpdateStageInput) {
			in.DefaultRouteSettings = &types.RouteSettings{ThrottlingBurstLimit: new(int32(-1))}
		}), badRequest("Invalid value for defaultRouteSettings.throttlingBurstLimit: it must be at least 0.")},
		{"J", update(func(in *sdk.UpdateStageInput) {
			in.RouteSettings = map[string]types.RouteSettings{"join": {ThrottlingRateLimit: new(-0.5)}}
		}), badRequest("Invalid value for routeSettings[join].throttlingRateLimit: it must be at least 0.")},
		{"H.8", update(func(in *sdk.UpdateStageInput) { in.DefaultRouteSettings = &types.RouteSettings{LoggingLevel: "LOUD"} }),
			badRequest("Invalid defaultRouteSettings.loggingLevel specified. Must be one of [ERROR, INFO, OFF]")},
		{"H.2", update(func(in *sdk.UpdateStageInput) { in.DefaultRouteSettings = &types.RouteSettings{LoggingLevel: "ERROR"} }), badRequest(noRole)},
		{"H.2", update(func(in *sdk.UpdateStageInput) {
			in.RouteSettings = map[string]types.RouteSettings{"join": {LoggingLevel: "INFO"}}
		}), badRequest(noRole)},
		{"H.2", accessLog(logGroupARN, "$context.requestId"), badRequest(noRole)},
		{"H.2", accessLog(logGroupARN, ""), badRequest("Access Log value missing. Expected destinationArn and format.")},
		{"K.1", accessLog("arn:aws:s3:::bucket", "$context.requestId"), badRequest("Invalid ARN specified in the request. The ARN must be a valid CloudWatch Logs log group or " +
			"Kinesis Data Firehose delivery stream ARN. The name of a delivery stream begins with amazon-apigateway-: arn:aws:s3:::bucket")},
		{"K.1", accessLog(logGroupARN, "$context.routeKey"), badRequest("The following errors are found in Access Log Format: Access Log format must include either " +
			"$context.requestId or $context.extendedRequestId : '$context.routeKey'")},
		{"K.1", accessLog(logGroupARN, strings.Repeat("x", 3073)), badRequest("Invalid value for accessLogSettings.format: it must have between 1 and 3072 characters.")},
		{"H.8", update(func(in *sdk.UpdateStageInput) { in.ClientCertificateId = new("abc") }), missing("Invalid ClientCertificate identifier specified abc")},
	})
	// Data traces without a level are no logs: section H.8.
	must(t, h.UpdateStage, &sdk.UpdateStageInput{ApiId: &api, StageName: new("dev"),
		DefaultRouteSettings: &types.RouteSettings{DataTraceEnabled: new(true), LoggingLevel: "OFF"}})
}
