package integration

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// Builder makes backends. The clients in it are shared by all backends that it
// makes. They are set before its first use.
type Builder struct {
	Functions lambda.Invoker     // calls functions
	Services  *awsservice.Client // calls AWS services
	HTTP      *httpclient.Client // calls HTTP backends
	// Links call HTTP backends through VPC links of the configuration, by the
	// link's id.
	Links map[string]*httpclient.Client
	// LinkOf returns the client of a VPC link that is not in Links, or nil where
	// the link leads nowhere. It is called when a backend is built. It may be
	// nil.
	LinkOf func(id string) *httpclient.Client

	// Region and AccountID are those of the APIs. ARNs have them.
	Region, AccountID string
}

// Place is what a backend is built for: the route that it serves, and its stage
// with the stage's variables.
type Place struct {
	APIID, Stage, RouteKey string
	Variables              map[string]string
}

// Build makes the backend of an integration. An error says which of its
// properties is wrong, in AWS's terms, or what is not available here.
func (b *Builder) Build(i *apigw.Integration, at Place) (Backend, error) {
	i, err := withVariables(i, at.Variables)
	if err != nil {
		return nil, err
	}
	switch kind, found := apigw.IntegrationTypeOf(i.IntegrationType); {
	case !found:
		return nil, fmt.Errorf("IntegrationType %q is not one of %s", i.IntegrationType, strings.Join(apigw.IntegrationTypeNames(), ", "))
	case kind.Proxy:
		return b.buildProxy(i, at)
	default:
		return b.buildMapped(i, at)
	}
}

// buildProxy makes a proxy integration. It sends events as they are: of the
// mappings only those of parameters are used.
func (b *Builder) buildProxy(i *apigw.Integration, at Place) (Backend, error) {
	requests, err := mapping.CompileRequest(&apigw.Integration{RequestParameters: i.RequestParameters})
	if err != nil {
		return nil, err
	}
	if !requests.HasParameters() {
		requests = nil
	}
	if i.Type().Calls == apigw.AWSBackend {
		f, err := b.buildFunction(i, at)
		if err != nil {
			return nil, err
		}
		return &lambdaProxy{f, requests, timeout(i)}, nil
	}
	e, err := b.buildHTTP(i, at)
	if err != nil {
		return nil, err
	}
	return &httpProxy{e, requests}, nil
}

// buildMapped makes an integration that is not a proxy.
func (b *Builder) buildMapped(i *apigw.Integration, at Place) (Backend, error) {
	m := &mapped{timeout: timeout(i)}
	var err error
	if m.requests, err = mapping.CompileRequest(i); err != nil {
		return nil, err
	}
	if m.responses, err = mapping.CompileResponses(i); err != nil {
		return nil, err
	}
	calls := i.Type().Calls
	if calls == apigw.AWSBackend {
		if err = checkHeaders(i, isReservedForAWS); err != nil {
			return nil, err
		}
	}
	switch {
	case calls == apigw.NoBackend:
		m.endpoint = mock{}
	case calls == apigw.HTTPBackend:
		m.endpoint, err = b.buildHTTP(i, at)
	case isFunction(i.IntegrationUri):
		m.endpoint, err = b.buildFunction(i, at)
	default:
		m.endpoint, err = b.buildService(i)
	}
	return m, err
}

// timeout returns how long a call of an integration may take.
func timeout(i *apigw.Integration) time.Duration {
	if i.TimeoutInMillis > 0 {
		return time.Duration(i.TimeoutInMillis) * time.Millisecond
	}
	return apigw.MaxTimeout
}

// method returns the HTTP method with which an integration calls its endpoint.
func method(i *apigw.Integration) string {
	if i.IntegrationMethod == "" || i.IntegrationMethod == "ANY" {
		return http.MethodPost
	}
	return i.IntegrationMethod
}

// sourceARN returns the ARN by which permissions of a function recognise the calls
// of a route.
func (b *Builder) sourceARN(at Place) string {
	return apigw.ExecuteARN(b.Region, b.AccountID, at.APIID, at.Stage+"/"+at.RouteKey)
}

// withVariables returns an integration with the values of stage variables in its
// URI and its role.
func withVariables(i *apigw.Integration, variables map[string]string) (*apigw.Integration, error) {
	resolved := *i
	for _, property := range []struct {
		name  string
		value *string
	}{{"IntegrationUri", &resolved.IntegrationUri}, {"CredentialsArn", &resolved.CredentialsArn}} {
		text, err := apigw.WithStageVariables(*property.value, variables)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", property.name, err)
		}
		*property.value = text
	}
	return &resolved, nil
}
