package plan

import (
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// logging returns what a stage has in its execution log of a route's events, or of
// messages without a route where r is nil; nil where that is nothing. Each setting of
// the route goes before the stage's default.
func logging(apiID string, s *apigw.Stage, r *apigw.Route) *telemetry.Logging {
	level, data := "", false
	settings := []*apigw.RouteSettings{s.DefaultRouteSettings}
	if r != nil {
		settings = append(settings, s.RouteSettings[r.RouteKey])
	}
	for _, own := range settings {
		if own == nil {
			continue
		}
		if own.LoggingLevel != "" {
			level = own.LoggingLevel
		}
		if own.DataTraceEnabled != nil {
			data = *own.DataTraceEnabled
		}
	}
	if level != "INFO" && level != "ERROR" {
		return nil
	}
	return &telemetry.Logging{
		Group:       "/aws/apigateway/" + apiID + "/" + s.StageName,
		Info:        level == "INFO",
		Data:        level == "INFO" && data,
		KeyRequired: r != nil && r.ApiKeyRequired,
	}
}
