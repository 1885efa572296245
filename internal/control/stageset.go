package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/stagedoor/stagedoor/internal/accesslog"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/store"
)

// loggingOff is the logging level of stages and routes that do not log.
const loggingOff = "OFF"

// Names and values that AWS takes (section H.8).
var (
	stageName     = lazyregexp.New(`^([A-Za-z0-9_-]{1,128}|\$default)$`)
	variableName  = lazyregexp.New(`^[A-Za-z0-9_]{1,64}$`)
	variableValue = lazyregexp.New(`^[A-Za-z0-9._~:/?#&=,-]{1,512}$`)
)

func checkStageName(name string) error {
	if !stageName.MatchString(name) {
		return apigw.BadRequest("Invalid stage name specified: " + name + ". A name has letters, digits, hyphens and underscores")
	}
	return nil
}

// setStage changes the members that a request has, and checks the stage. Maps
// are merged; a variable with an empty value is removed (sections H.8, H.11).
func (s *server) setStage(ctx context.Context, api *apigw.API, stage *apigw.Stage, in *wire.UpdateStageRequest) error {
	if in.AutoDeploy != nil {
		stage.AutoDeploy = in.AutoDeploy
	}
	set(&stage.DeploymentId, in.DeploymentId)
	set(&stage.Description, in.Description)
	merge(&stage.StageVariables, in.StageVariables)
	setRouteSettings(&stage.DefaultRouteSettings, in.DefaultRouteSettings)
	for key, settings := range in.RouteSettings {
		if stage.RouteSettings == nil {
			stage.RouteSettings = make(map[string]*apigw.RouteSettings)
		}
		ofRoute := stage.RouteSettings[key]
		setRouteSettings(&ofRoute, settings)
		stage.RouteSettings[key] = ofRoute
	}
	if in.AccessLogSettings != nil {
		if stage.AccessLogSettings == nil {
			stage.AccessLogSettings = new(apigw.AccessLogSettings)
		}
		set(&stage.AccessLogSettings.DestinationArn, in.AccessLogSettings.DestinationArn)
		set(&stage.AccessLogSettings.Format, in.AccessLogSettings.Format)
	}
	if id := in.ClientCertificateId; id != nil && *id != "" {
		return notFound("ClientCertificate", *id) // there are none
	}
	return s.checkStage(ctx, api, stage, in)
}

// setRouteSettings changes the members that a request has.
func setRouteSettings(settings **apigw.RouteSettings, in *wire.RouteSettings) {
	if in == nil {
		return
	}
	if *settings == nil {
		*settings = new(apigw.RouteSettings)
	}
	to := *settings
	if in.DataTraceEnabled != nil {
		to.DataTraceEnabled = in.DataTraceEnabled
	}
	if in.DetailedMetricsEnabled != nil {
		to.DetailedMetricsEnabled = in.DetailedMetricsEnabled
	}
	set(&to.LoggingLevel, in.LoggingLevel)
	set(&to.ThrottlingBurstLimit, in.ThrottlingBurstLimit)
	set(&to.ThrottlingRateLimit, in.ThrottlingRateLimit)
}

// checkStage checks the members of a stage that a request changes. The others
// are not checked again, though they may not be possible any more.
func (s *server) checkStage(ctx context.Context, api *apigw.API, stage *apigw.Stage, in *wire.UpdateStageRequest) error {
	if err := s.checkDeploymentID(ctx, stage, in); err != nil {
		return err
	}
	if err := s.checkVariables(stage.StageVariables); err != nil {
		return err
	}
	if err := checkThrottling("defaultRouteSettings", in.DefaultRouteSettings); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(in.RouteSettings)) {
		if !slices.ContainsFunc(api.Routes, func(r *apigw.Route) bool { return r.RouteKey == key }) {
			return apigw.NotFound("Route", "Unable to find Route by key "+key+" within the provided RouteSettings")
		}
		if err := checkThrottling("routeSettings["+key+"]", in.RouteSettings[key]); err != nil {
			return err
		}
	}
	if in.AccessLogSettings != nil {
		if err := accesslog.Check(stage.AccessLogSettings); err != nil {
			return apigw.BadRequest(err.Error())
		}
	}
	return s.checkLogging(ctx, in)
}

func (s *server) checkDeploymentID(ctx context.Context, stage *apigw.Stage, in *wire.UpdateStageRequest) error {
	if in.DeploymentId == nil {
		return nil
	}
	_, _, err := s.Store.Deployments.Get(ctx, stage.ApiId, *in.DeploymentId)
	if errors.Is(err, store.ErrNotFound) {
		return errNoDeployment
	}
	return err
}

var (
	errAutomatic    = apigw.BadRequest("DeploymentId cannot be set on an automatically deployed stage")
	errNoDeployment = apigw.BadRequest("Deployment id does not exist")
)

func (s *server) checkVariables(variables map[string]string) error {
	if err := checkQuota(len(variables)-1, s.Quotas.StageVariables, "StageVariables", "Stage"); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if !variableName.MatchString(name) {
			return apigw.BadRequest(fmt.Sprintf("Invalid stage variable name %q: it must have 1 to 64 letters, digits and underscores.", name))
		}
		if !variableValue.MatchString(variables[name]) {
			return apigw.BadRequest(fmt.Sprintf("Invalid value for stage variable %s: it must have 1 to 512 characters A-Z a-z 0-9 - . _ ~ : / ? # & = ,", name))
		}
	}
	return nil
}

func checkThrottling(path string, settings *wire.RouteSettings) error {
	if settings == nil {
		return nil
	}
	if limit := settings.ThrottlingBurstLimit; limit != nil && *limit < 0 {
		return apigw.BadRequest("Invalid value for " + path + ".throttlingBurstLimit: it must be at least 0.")
	}
	if limit := settings.ThrottlingRateLimit; limit != nil && *limit < 0 {
		return apigw.BadRequest("Invalid value for " + path + ".throttlingRateLimit: it must be at least 0.")
	}
	return nil
}

// checkLogging refuses a request that turns execution logs on while the account
// has no role for them (section H.8).
func (s *server) checkLogging(ctx context.Context, in *wire.UpdateStageRequest) error {
	logs := in.AccessLogSettings != nil || turnsLoggingOn(in.DefaultRouteSettings)
	for _, settings := range in.RouteSettings {
		logs = logs || turnsLoggingOn(settings)
	}
	if !logs {
		return nil
	}
	account, _, err := s.loadAccount(ctx)
	if err != nil {
		return err
	}
	if account.CloudwatchRoleArn == "" {
		return apigw.BadRequest("CloudWatch Logs role ARN must be set in account settings to enable logging")
	}
	return nil
}

func turnsLoggingOn(settings *wire.RouteSettings) bool {
	return settings != nil && settings.LoggingLevel != nil && *settings.LoggingLevel != loggingOff
}
