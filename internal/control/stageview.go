package control

import (
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// stageView is what clients see of a stage: its maps and the default settings
// always, the other members only if they are set, autoDeploy also where it was
// set to false (section H.8).
func stageView(s *apigw.Stage) *wire.Stage {
	out := &wire.Stage{
		AutoDeploy:                  s.AutoDeploy,
		ClientCertificateId:         optional(s.ClientCertificateId),
		CreatedDate:                 &wire.Timestamp{Time: s.CreatedDate},
		DefaultRouteSettings:        defaultSettingsView(s.DefaultRouteSettings),
		DeploymentId:                optional(s.DeploymentId),
		Description:                 optional(s.Description),
		LastDeploymentStatusMessage: optional(deploymentMessage(s)),
		LastUpdatedDate:             &wire.Timestamp{Time: s.LastUpdatedDate},
		RouteSettings:               make(map[string]*wire.RouteSettings, len(s.RouteSettings)),
		StageName:                   &s.StageName,
		StageVariables:              orEmpty(s.StageVariables),
		Tags:                        orEmpty(s.Tags),
	}
	for key, settings := range s.RouteSettings {
		out.RouteSettings[key] = routeSettingsView(settings)
	}
	if s.AccessLogSettings != nil {
		out.AccessLogSettings = &wire.AccessLogSettings{DestinationArn: &s.AccessLogSettings.DestinationArn, Format: &s.AccessLogSettings.Format}
	}
	return out
}

// deploymentMessage is the text about how the last automatic deployment went.
func deploymentMessage(s *apigw.Stage) string {
	switch {
	case !s.AutoDeploys():
		return ""
	case s.DeploymentId == "":
		return "Deployment attempt failed: " + errNoRoutes.Message
	}
	return "Successfully deployed stage with deployment ID '" + s.DeploymentId + "'"
}

func defaultSettingsView(s *apigw.RouteSettings) *wire.RouteSettings {
	if s == nil {
		s = new(apigw.RouteSettings)
	}
	out := routeSettingsView(s)
	if out.DataTraceEnabled == nil {
		out.DataTraceEnabled = new(false)
	}
	if out.DetailedMetricsEnabled == nil {
		out.DetailedMetricsEnabled = new(false)
	}
	if out.LoggingLevel == nil {
		out.LoggingLevel = new(loggingOff)
	}
	return out
}

func routeSettingsView(s *apigw.RouteSettings) *wire.RouteSettings {
	out := &wire.RouteSettings{
		DataTraceEnabled:       s.DataTraceEnabled,
		DetailedMetricsEnabled: s.DetailedMetricsEnabled,
		LoggingLevel:           optional(s.LoggingLevel),
	}
	if s.ThrottlingBurstLimit != 0 {
		out.ThrottlingBurstLimit = &s.ThrottlingBurstLimit
	}
	if s.ThrottlingRateLimit != 0 {
		out.ThrottlingRateLimit = &s.ThrottlingRateLimit
	}
	return out
}

// orEmpty returns an empty map for a nil one, for maps that answers always
// have.
func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
