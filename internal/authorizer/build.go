package authorizer

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/lambda"
)

// Builder makes the authorizers of stages. Its members are set before its first
// use and not changed after; it is safe for concurrent use.
type Builder struct {
	Functions lambda.Invoker
	Region    string
	Account   string
	// Transport reaches the issuers of JWTs; nil stands for one of the
	// Builder's own, which uses the proxies of the environment. Redirects are
	// not followed.
	Transport http.RoundTripper

	mu      sync.Mutex
	issuers map[string]*issuer // guarded by mu: by URL
	fetcher *fetcher           // guarded by mu: of all issuers; nil until there is one
}

// Types of authorizers, and of routes' authorization.
const (
	typeRequest = "REQUEST"
	typeJWT     = "JWT"
	typeCustom  = "CUSTOM"
	typeIAM     = "AWS_IAM"
)

// Build makes the authorizer of a stage's $connect. It is the one that the $connect
// route names, or that of the API's tag TagJWT, which guards an API without a
// $connect route too. It is nil where there is neither, and for AWS_IAM, which
// package identity decides. The error tells the API's owner what is wrong; the
// stage must not be served without an authorizer then (see Broken).
func (b *Builder) Build(api *apigw.API, s *apigw.Stage) (Authorizer, error) {
	route := connectRoute(api)
	tag, tagged := api.Tags[TagJWT]
	switch route.AuthorizationType {
	case "", "NONE":
		if tagged {
			return b.jwt(tag, route, nil)
		}
		return nil, nil
	case typeJWT:
		return b.jwt(tag, route, nil)
	case typeIAM:
		if tagged {
			return nil, fmt.Errorf("$connect has the authorization type AWS_IAM and the API the tag %s: only one can decide", TagJWT)
		}
		return nil, nil
	case typeCustom:
	default:
		return nil, fmt.Errorf("$connect has an authorization type %s; there are NONE, AWS_IAM, CUSTOM and JWT", route.AuthorizationType)
	}
	i := slices.IndexFunc(api.Authorizers, func(a *apigw.Authorizer) bool { return a.AuthorizerId == route.AuthorizerId })
	if i < 0 {
		return nil, fmt.Errorf("$connect has an authorizer %q, which does not exist", route.AuthorizerId)
	}
	a := api.Authorizers[i]
	var made Authorizer
	var err error
	switch {
	case a.AuthorizerType == typeJWT:
		made, err = b.jwt(tag, route, a)
	case a.AuthorizerType != typeRequest:
		err = errType
	case tagged:
		err = fmt.Errorf("it is a Lambda authorizer, and the API has the tag %s: only one can decide", TagJWT)
	default:
		made, err = b.request(a, api, s)
	}
	if err != nil {
		return nil, fmt.Errorf("authorizer %s: %w", a.Name, err)
	}
	return made, nil
}

// connectRoute returns the $connect route, an empty one where there is none.
func connectRoute(api *apigw.API) *apigw.Route {
	for _, route := range api.Routes {
		if route.RouteKey == "$connect" {
			return route
		}
	}
	return &apigw.Route{}
}

// request makes a Lambda authorizer.
func (b *Builder) request(a *apigw.Authorizer, api *apigw.API, s *apigw.Stage) (Authorizer, error) {
	uri, err := apigw.WithStageVariables(a.AuthorizerUri, s.StageVariables)
	if err != nil {
		return nil, fmt.Errorf("AuthorizerUri: %w", err)
	}
	function, ok := apigw.FunctionOfURI(uri)
	if !ok {
		return nil, fmt.Errorf("AuthorizerUri %q does not name a Lambda function; expected "+apigw.FunctionURIForm, uri)
	}
	role, err := apigw.WithStageVariables(a.AuthorizerCredentialsArn, s.StageVariables)
	if err != nil {
		return nil, fmt.Errorf("AuthorizerCredentialsArn: %w", err)
	}
	sources, err := parseSources(a.IdentitySource)
	if err != nil {
		return nil, err
	}
	return &requestAuthorizer{
		functions:   b.Functions,
		functionARN: function,
		caller:      lambda.Caller{APIID: api.ApiId, SourceARN: b.arn(api, "authorizers/"+a.AuthorizerId), Role: role},
		sources:     sources,
		methodARN:   b.arn(api, s.StageName+"/$connect"),
	}, nil
}

// arn returns the ARN of something below an API.
func (b *Builder) arn(api *apigw.API, path string) string {
	return apigw.ExecuteARN(b.Region, b.Account, api.ApiId, path)
}

// jwt makes a JWT authorizer by the tag's settings. The route's scopes replace the
// tag's. Where the tag has no source, it is that of the authorizer, which may be
// nil.
func (b *Builder) jwt(tag string, route *apigw.Route, a *apigw.Authorizer) (Authorizer, error) {
	s, err := parseSettings(tag)
	if err != nil {
		return nil, err
	}
	if len(route.AuthorizationScopes) > 0 {
		s.scopes = route.AuthorizationScopes
	}
	if s.source == (tokenSource{}) {
		if s.source, err = sourceOf(a); err != nil {
			return nil, err
		}
	}
	return &jwtAuthorizer{s, b.issuer(s.issuer)}, nil
}

// sourceOf returns where the token is, by an authorizer's identity source.
func sourceOf(a *apigw.Authorizer) (tokenSource, error) {
	if a == nil || len(a.IdentitySource) == 0 || a.IdentitySource[0] == "" {
		return defaultTokenSource, nil
	}
	if len(a.IdentitySource) > 1 {
		return tokenSource{}, errors.New("a JWT authorizer has one identity source: where the token is")
	}
	return parseTokenSource(a.IdentitySource[0])
}

// issuer returns the issuer of a URL. There is one for all stages, which share its
// keys.
func (b *Builder) issuer(url string) *issuer {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.issuers[url]; known != nil {
		return known
	}
	if b.fetcher == nil {
		b.fetcher = newFetcher(b.Transport)
	}
	if b.issuers == nil {
		b.issuers = make(map[string]*issuer)
	}
	made := newIssuer(url, b.fetcher)
	b.issuers[url] = made
	return made
}
