// Package control is the AWS control-plane API: the operations of API Gateway
// that create, read, change and delete WebSocket APIs, over HTTP as the AWS
// SDKs, the AWS CLI, CloudFormation and Terraform speak it. It writes the
// configuration; the gateway follows what is written.
//
// A resource has a file, with its operations as methods of server:
//
//	func (s *server) createRoute(ctx context.Context, in *wire.CreateRouteRequest) (*wire.Route, error)
//
// A request is checked against the service's model before a method is called. A
// method loads the aggregate, changes its copy, checks the result and writes it
// with compare-and-set, so a request is done whole or not at all.
//
// A file reads from top to bottom: the table of the resource's operations, the
// operations, how its aggregate is read and changed (readRoute, changeRoute),
// what a request changes (setRoute, for create and update alike), and what
// clients see (routeView). What a resource must fulfil has a file of its own
// where that is long (checkRoute).
package control

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// Options are what the control plane is made with. Store and Region must be set.
type Options struct {
	Store     *store.Configuration
	Region    string // stands in ARNs and endpoints
	AccountID string // stands in error messages and ARNs
	Quotas    Quotas

	// Requests is the rate of requests that GetAccount tells; the zero rate stands
	// for no limit, of which it tells nothing.
	Requests usage.Rate

	// Endpoint returns the URL by which clients reach an API, without a stage.
	// nil stands for AWS's form,
	// wss://{apiId}.execute-api.{region}.amazonaws.com.
	Endpoint func(apiID string) string

	// HasLink reports whether the gateway's own configuration has a VPC link of
	// an id. nil stands for one that has none.
	HasLink func(id string) bool

	// NewAPIID returns the id for an API that is created with these tags; ""
	// stands for a random one. An id that exists already is a conflict. nil
	// makes all ids random.
	NewAPIID func(tags map[string]string) string

	// Now is the clock. nil stands for time.Now.
	Now func() time.Time

	// Await returns when this node serves the configuration of a revision, so
	// that what was answered is in effect. nil does not wait. An error is
	// logged; it does not undo the write, and the client does not see it.
	Await func(ctx context.Context, revision uint64) error

	// Log gets the failures that are not the client's mistakes. nil stands for
	// slog.Default.
	Log *slog.Logger

	// Warn is called, with the context of the request, about a setting that is
	// accepted and cannot work as it was probably meant. It may be nil.
	Warn func(ctx context.Context, warning string)

	// Authorize refuses requests that the client may not make; it returns nil for
	// others. action is IAM's, such as "apigateway:PATCH", and resource an ARN. It
	// may read the request's body. nil lets everybody do everything.
	Authorize func(r *http.Request, action, resource string) *apigw.Error
}

// server has the operations as methods. All state is in the store.
type server struct{ Options }

// New makes the handler of the control plane.
func New(o Options) http.Handler {
	s := newServer(o)
	return &api{
		options: &s.Options,
		router:  newRouter(slices.Concat(wire.Endpoints, wirev1.Endpoints), s.operations()),
	}
}

// newServer completes the options.
func newServer(o Options) *server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Endpoint == nil {
		o.Endpoint = func(apiID string) string { return "wss://" + plan.DefaultDomain(apiID, o.Region) }
	}
	if o.Warn == nil {
		o.Warn = func(context.Context, string) {}
	}
	o.Quotas = o.Quotas.withDefaults()
	return &server{o}
}

// operations are the operations of all resources. Those of API Gateway that are
// not among them are answered with 501.
func (s *server) operations() []handler {
	return slices.Concat(
		s.apiOperations(),
		s.routeOperations(),
		s.routeResponseOperations(),
		s.integrationOperations(),
		s.integrationResponseOperations(),
		s.modelOperations(),
		s.authorizerOperations(),
		s.deploymentOperations(),
		s.stageOperations(),
		s.tagOperations(),
		s.domainNameOperations(),
		s.apiMappingOperations(),
		s.vpcLinkOperations(),
		s.vpcLinkV1Operations(),
		s.apiKeyOperations(),
		s.usagePlanOperations(),
		s.usagePlanKeyOperations(),
		s.usageOperations(),
		s.accountOperations(),
		s.tagV1Operations(),
	)
}
