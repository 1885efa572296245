// Package plan compiles a deployment and its stage into what the gateway
// needs to handle an event: routes by key, parsed expressions, compiled models,
// ready backends, limits. A plan is immutable; the gateway swaps whole plans.
package plan

import (
	"maps"
	"slices"

	"github.com/stagedoor/stagedoor/internal/accesslog"
	"github.com/stagedoor/stagedoor/internal/executionlog"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/mapping"
	"github.com/stagedoor/stagedoor/internal/metrics"
	"github.com/stagedoor/stagedoor/internal/model"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Stage is a stage compiled.
type Stage struct {
	APIID string
	Name  string
	// DomainName is the API's default endpoint without a scheme and a stage, by
	// default {apiId}.execute-api.{region}.amazonaws.com.
	DomainName             string
	DisableDefaultEndpoint bool
	Variables              map[string]string
	// Limits are a value of their own, because connections keep theirs for life
	// and must not keep a whole plan alive with them. All stages of an API have
	// one share of what the engine does at a time.
	Limits *websocket.Limits
	Access Access
	// ExecutionLog is for messages that find no route; nil: nothing of them is logged.
	ExecutionLog *executionlog.Log
	// AccessLog takes a line of each event; nil: the stage has none.
	AccessLog *accesslog.Log

	// Meters count the stage's events for which there is no route, and the calls of
	// @connections. Nil: nothing does.
	Meters *metrics.Stage

	Connect    *Route // nil when the API has no $connect
	Disconnect *Route
	Default    *Route

	selection *expression.Expression
	routes    map[string]*Route // custom keys only
	models    *model.Set        // kept so that the next plan of the API finds them
}

// Route is a route compiled.
type Route struct {
	Key string
	// Required is what the handshake must have; nil but on $connect.
	Required *mapping.Required
	// Validator checks messages before the backend gets them; nil lets all pass.
	Validator *Validator
	// Backend is nil for a route without a target.
	Backend integration.Backend
	// Light is the backend where all that happens to a message of the route, up to the
	// start of its call, is bounded by the message's length, and waits for nothing: all of
	// it may happen on an event loop. Otherwise it is nil.
	Light integration.Starter
	// Part counts the messages that are in flight to the backend. nil: they are
	// not counted.
	Part *websocket.Part
	// Meter counts the route's events; nil: nothing does.
	Meter telemetry.Meter
	// TwoWay is set where the backend's answer is sent to the client.
	TwoWay bool
	// Throttle bounds the route's events; $disconnect has none.
	Throttle usage.Throttle
	// ExecutionLog is for the route's events; nil: nothing of them is logged.
	ExecutionLog *executionlog.Log
	// KeyRequired is set where the client must have a valid API key. The event
	// counts towards its quota and throttle.
	KeyRequired bool
}

// SelectionExpression returns the route selection expression.
func (s *Stage) SelectionExpression() *expression.Expression { return s.selection }

// Route returns the route of a key, nil where there is none.
func (s *Stage) Route(key string) *Route {
	if place := s.special(key); place != nil {
		return *place
	}
	return s.routes[key]
}

// special returns where the route of a key is that API Gateway gives a meaning of its own;
// nil for other keys.
func (s *Stage) special(key string) **Route {
	switch key {
	case "$connect":
		return &s.Connect
	case "$disconnect":
		return &s.Disconnect
	case "$default":
		return &s.Default
	}
	return nil
}

// RouteKeys returns the keys of the routes that messages can take, sorted.
func (s *Stage) RouteKeys() []string {
	keys := slices.Collect(maps.Keys(s.routes))
	if s.Default != nil {
		keys = append(keys, s.Default.Key)
	}
	slices.Sort(keys)
	return keys
}

// Select finds the route of a message: the one whose key is exactly what the
// selection expression gives, else $default, else nil.
func (s *Stage) Select(message []byte) *Route {
	var room [64]byte // so that no key is allocated
	key := s.selection.Append(room[:0], expression.Input{Message: message})
	if route, found := s.routes[string(key)]; found {
		return route
	}
	return s.Default
}
