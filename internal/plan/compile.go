package plan

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/accesslog"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/executionlog"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/metrics"
	"github.com/stagedoor/stagedoor/internal/model"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Compiler turns deployments into plans. Its members are set before its first
// use; it is safe for concurrent use.
type Compiler struct {
	Backends *integration.Builder
	Region   string
	// Domain returns the host by which functions and clients know an API, with
	// a path if it has one; nil stands for DefaultDomain.
	Domain func(apiID string) string
	// Authorizers makes the authorizers of stages. With nil, a stage that has
	// one lets nobody in.
	Authorizers *authorizer.Builder
	// ExecutionLogs gives the sink for the execution log of a stage. With nil there are
	// no execution logs.
	ExecutionLogs func(apiID, stage string) logsink.Sink
	// Metrics count the events of stages; nil: nothing does.
	Metrics *metrics.Metrics
	// Rates are the account's, for stages that set only a rate, or only a
	// burst.
	Rates usage.AccountRates
	// AccessLogs returns where the lines of access logs go, by the DestinationArn of a
	// stage. With nil, stages have no access logs.
	AccessLogs func(destinationARN string) logsink.Sink

	limits  atomic.Pointer[usage.ConnectionLimits] // nil: AWS's
	buckets usage.Buckets                          // of all plans: a new plan goes on with the buckets of the one before
	shares  usage.Registry[websocket.Share]        // likewise, by API
	parts   usage.Registry[websocket.Part]         // likewise, by API and backend
	models  modelSets                              // likewise
}

// SetLimits sets the limits of connections for which there is no tag, in plans
// that are compiled from now on. Until it is called these are AWS's.
func (c *Compiler) SetLimits(l usage.ConnectionLimits) { c.limits.Store(&l) }

// connectionLimits returns the limits of connections for which there is no tag.
func (c *Compiler) connectionLimits() usage.ConnectionLimits {
	if l := c.limits.Load(); l != nil {
		return *l
	}
	return usage.AWSConnection
}

// Defect is a part of a stage that cannot work as configured, and why. The
// rest of the stage works.
type Defect struct {
	Where   string // "route join", "tag stagedoor:idle-timeout"
	Message string
}

func (d Defect) String() string { return d.Where + ": " + d.Message }

// Compile makes the plan of a stage that points at a deployment. It returns an
// error for a stage that cannot be served at all. Defects are routes that
// answer every event with an error, and settings that have no effect.
func (c *Compiler) Compile(d *apigw.Deployment, s *apigw.Stage) (*Stage, []Defect, error) {
	selection, err := expression.Parse(d.API.RouteSelectionExpression)
	if err != nil {
		return nil, nil, fmt.Errorf("API %s: %w", d.API.ApiId, err)
	}
	stage := &Stage{
		APIID:                  d.API.ApiId,
		Name:                   s.StageName,
		DomainName:             c.domain(d.API.ApiId),
		DisableDefaultEndpoint: d.API.DisableExecuteApiEndpoint,
		Variables:              s.StageVariables,
		ExecutionLog:           executionlog.New(s, nil, c.ExecutionLogs),
		AccessLog:              c.accessLog(s),
		selection:              selection,
		routes:                 make(map[string]*Route, len(d.API.Routes)),
	}
	stage.models = c.models.compile(d.API.ApiId, d.API.Models)
	var problems []Defect
	for _, r := range d.API.Routes {
		route, err := c.compileRoute(d.API, r, s, stage.models)
		if err != nil {
			problems = append(problems, Defect{"route " + r.RouteKey, err.Error()})
		}
		stage.put(route)
	}
	c.meter(stage, d.API, s)
	var bad []Defect
	stage.Limits, stage.Access, bad = tags(c.connectionLimits(), d.API.Tags, s.Tags)
	stage.Limits.Share = c.shares.Get(d.API.ApiId)
	problems = append(problems, bad...)
	return stage, append(problems, c.access(&stage.Access, d.API, s)...), nil
}

// accessLog returns the access log of a stage; nil where it has none.
func (c *Compiler) accessLog(s *apigw.Stage) *accesslog.Log {
	if c.AccessLogs == nil || s.AccessLogSettings == nil || s.AccessLogSettings.Format == "" {
		return nil
	}
	return accesslog.New(s.AccessLogSettings, c.AccessLogs(s.AccessLogSettings.DestinationArn))
}

func (c *Compiler) domain(apiID string) string {
	if c.Domain != nil {
		return c.Domain(apiID)
	}
	return DefaultDomain(apiID, c.Region)
}

// DefaultDomain is the host of an API's default endpoint.
func DefaultDomain(apiID, region string) string {
	suffix := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		suffix += ".cn"
	}
	return apiID + ".execute-api." + region + "." + suffix
}

func (s *Stage) put(route *Route) {
	if place := s.special(route.Key); place != nil {
		*place = route
		return
	}
	s.routes[route.Key] = route
}

// compileRoute always returns a route. Where it returns an error as well, the
// route answers every event with one.
func (c *Compiler) compileRoute(api *apigw.API, r *apigw.Route, s *apigw.Stage, models *model.Set) (*Route, error) {
	route := &Route{
		Key: r.RouteKey, TwoWay: isTwoWay(r), KeyRequired: r.ApiKeyRequired, ExecutionLog: executionlog.New(s, r, c.ExecutionLogs),
	}
	if r.RouteKey != "$disconnect" {
		route.Throttle = c.buckets.Route(s, r.RouteKey, c.Rates)
	}
	err := misplaced(r)
	if err == nil {
		route.Required, err = required(r)
	}
	if err == nil {
		route.Validator, err = validator(r, models)
	}
	if err == nil && r.Target != "" {
		route.Backend, err = c.backend(api, r, s, route)
	}
	if err != nil {
		route.Backend = integration.Broken(err)
	}
	if route.Validator == nil { // a model may have patterns of the user
		route.Light = integration.Light(route.Backend)
	}
	return route, err
}

// backend makes the backend that a route's target names, and gives the route its
// part of what the API may have in flight.
func (c *Compiler) backend(api *apigw.API, r *apigw.Route, s *apigw.Stage, route *Route) (integration.Backend, error) {
	i := api.Integration(strings.TrimPrefix(r.Target, "integrations/"))
	if i == nil {
		return nil, fmt.Errorf("target %s does not exist", r.Target)
	}
	if i.Type().Calls != apigw.NoBackend {
		route.Part = c.parts.Get(api.ApiId, i.IntegrationType, i.ConnectionId, i.IntegrationUri)
	}
	return c.Backends.Build(i, integration.Place{
		APIID: api.ApiId, Stage: s.StageName, RouteKey: r.RouteKey, Variables: s.StageVariables,
	})
}

// isTwoWay reports whether a route answers its client: the deployment has a
// $default route response for it. The route's selection expression does not
// matter.
func isTwoWay(r *apigw.Route) bool {
	for _, response := range r.RouteResponses {
		if response.RouteResponseKey == "$default" {
			return true
		}
	}
	return false
}

// Limits that no setting changes.
const (
	controlRate = 100
	inFlight    = 16
	queueBytes  = 1 << 20
)
