// Package backends wires what integrations and authorizers call: AWS services,
// HTTP backends, the load balancers behind VPC links, and functions wherever they
// run. Packages dev and server make one set of Backends each.
package backends

import (
	"crypto/x509"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/setting"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// Options say what is called, and where it is.
type Options struct {
	Region, AccountID string // of the APIs
	// Services are the options for AWS services, but for their Bounds.
	Services awsservice.Options
	// Authorities are those that HTTP backends are trusted by; nil stands for the
	// system's.
	Authorities *x509.CertPool
	// Links are the addresses behind VPC links, by the links' ids or names.
	Links map[string]setting.Address
	// First are the functions that go before those that have endpoints, and Local
	// those of this machine that do not; nil stands for none.
	First, Local lambda.Invoker
	// Outside returns what calls the functions that are neither at an endpoint nor
	// on this machine; it is given the client of AWS Lambda. Nil stands for that
	// client itself.
	Outside func(aws *integration.RemoteLambda) lambda.Invoker
	// Bounds are those of each backend.
	Bounds turnstile.Bounds
	// Sockets is how many sockets to HTTP backends are open; nil: they are not counted.
	Sockets *atomic.Int64
}

// Backends is what integrations and authorizers call. Close must be called.
type Backends struct {
	Integrations *integration.Builder
	Authorizers  *authorizer.Builder
	Functions    *Functions
	// Links are the VPC links of the control plane. Options.Links go before them.
	Links *integration.Links
}

// New returns backends of which none is called yet.
func New(o Options) *Backends {
	o.Services.Bounds = o.Bounds
	services := awsservice.New(o.Services)
	http := httpclient.Options{RootCAs: o.Authorities, Sockets: o.Sockets, Bounds: o.Bounds}
	b := &Backends{
		Functions: newFunctions(o, &integration.RemoteLambda{Services: services, Region: o.Region}),
		Links:     integration.NewLinks(o.Links, http),
	}
	b.Authorizers = &authorizer.Builder{Functions: b.Functions, Region: o.Region, Account: o.AccountID}
	b.Integrations = &integration.Builder{
		Functions: b.Functions, Services: services, HTTP: httpclient.New(http),
		Links: make(map[string]*httpclient.Client, len(o.Links)), LinkOf: b.Links.Client,
		Region: o.Region, AccountID: o.AccountID,
	}
	for id, address := range o.Links {
		http.Address = string(address)
		b.Integrations.Links[id] = httpclient.New(http)
	}
	return b
}

// Close closes the connections to backends. Nothing is called any more.
func (b *Backends) Close() {
	b.Functions.SetEndpoints(nil)
	b.Integrations.Services.Close()
	b.Integrations.HTTP.Close()
	b.Links.Close()
	for _, link := range b.Integrations.Links {
		link.Close()
	}
}
