package plan

import (
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// meter has a stage's events counted. The plan before it may have counted some.
func (c *Compiler) meter(stage *Stage, api *apigw.API, s *apigw.Stage) {
	if c.Metrics == nil {
		return
	}
	stage.Meters = c.Metrics.Stage(api.ApiId, api.Name, s.StageName, func(key string) bool { return detailed(s, key) })
	for _, r := range api.Routes {
		if route := stage.Route(r.RouteKey); route != nil {
			i := api.Integration(strings.TrimPrefix(r.Target, "integrations/"))
			route.Meter = stage.Meters.Route(r.RouteKey, i != nil && callsOutside(i))
		}
	}
}

// detailed reports whether a route of a stage is counted by itself. The stage's default
// goes before a route's own setting, where it is on (section K.3).
func detailed(s *apigw.Stage, routeKey string) bool {
	for _, settings := range [...]*apigw.RouteSettings{s.DefaultRouteSettings, s.RouteSettings[routeKey]} {
		if settings != nil && settings.DetailedMetricsEnabled != nil && *settings.DetailedMetricsEnabled {
			return true
		}
	}
	return false
}

// callsOutside reports whether an integration calls an HTTP endpoint or an AWS service,
// and no function.
func callsOutside(i *apigw.Integration) bool {
	switch i.Type().Calls {
	case apigw.HTTPBackend:
		return true
	case apigw.AWSBackend:
		_, function := apigw.FunctionOfURI(i.IntegrationUri)
		return !function && i.IntegrationType != apigw.IntegrationAWSProxy
	}
	return false
}
