package template

import (
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// Quotas of an API.
const (
	maxRoutes       = 300
	maxIntegrations = 300
	maxStages       = 10
	maxAuthorizers  = 10
)

func (b *builder) api(res *resource) {
	if b.isHTTPAPI(res) {
		b.httpAPIs[b.id(res, 10)] = true
		b.notice(Notice{Line: res.line, LogicalID: res.id, Type: res.typ, Message: "an HTTP API; only WebSocket APIs are run here"})
		return
	}
	p := b.read(res, apiSchema)
	b.checkExpression(p, "RouteSelectionExpression", expression.RouteSelection)
	b.checkExpression(p, "ApiKeySelectionExpression", expression.APIKeySelection)
	checkTags(p)
	api := &API{LogicalID: res.id, API: &apigw.API{
		ApiId:                     b.id(res, 10),
		Name:                      p.text("Name"),
		Description:               p.text("Description"),
		Version:                   p.text("Version"),
		ProtocolType:              "WEBSOCKET",
		RouteSelectionExpression:  p.text("RouteSelectionExpression"),
		ApiKeySelectionExpression: p.text("ApiKeySelectionExpression"),
		DisableExecuteApiEndpoint: p.boolean("DisableExecuteApiEndpoint"),
		DisableSchemaValidation:   p.boolean("DisableSchemaValidation"),
		IpAddressType:             p.text("IpAddressType"),
		Tags:                      p.textMap("Tags"),
	}}
	b.app.APIs = append(b.app.APIs, api)
	b.apis[api.API.ApiId] = &apiBuilder{
		API: api.API, built: api, res: res, routeLines: map[string]int{}, integrations: map[string]bool{},
		authorizers: map[string]bool{}, models: map[string]*properties{}, deployments: map[string]bool{}, stages: map[string]*builtStage{}, repoint: map[string]stageDeployment{},
	}
}

// isHTTPAPI reports whether the API speaks HTTP: by its protocol, or because it
// is imported, which only HTTP APIs can be.
func (r *resolver) isHTTPAPI(res *resource) bool {
	protocol := res.properties.get("ProtocolType")
	if protocol == nil {
		return res.properties.get("Body") != nil || res.properties.get("BodyS3Location") != nil
	}
	return r.resolveFor(res, protocol).is("HTTP")
}

// checkExpression reports a selection expression that cannot be evaluated, and
// warns about one that selects nothing.
func (b *builder) checkExpression(p *properties, name string, place expression.Place) {
	source := p.text(name)
	if source == "" {
		return
	}
	parsed, err := expression.ParseAt(place, source)
	if err != nil {
		p.wrong(name, "%s: %v", name, err)
		return
	}
	for _, doubt := range parsed.Doubts() {
		p.warn(Notice{Line: p.lines[name], LogicalID: p.res.id, Type: p.res.typ, Property: name, Message: doubt})
	}
}

// checkTags reports tags that the AWS API refuses.
func checkTags(p *properties) {
	if n := len(p.textMap("Tags")); n > 50 {
		p.wrong("Tags", "Tags has %d entries; at most 50 are allowed", n)
	}
}

func (b *builder) authorizer(res *resource) {
	api, p := b.below(res, authorizerSchema)
	if api == nil {
		return
	}
	if typ := p.text("AuthorizerType"); p.isKnown("AuthorizerType") && typ != "REQUEST" {
		p.wrong("AuthorizerType", "Invalid authorizer type. Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis.")
	}
	var sources []string
	for _, source := range p.texts("IdentitySource") {
		if source == "" {
			continue // stands for no source
		}
		if !identitySource.MatchString(source) {
			p.wrong("IdentitySource", "Invalid request identity source expression: %s. The sources must be separated by comma, and each source must be either a request parameter, matching 'route.request.querystring|header.[a-zA-Z0-9._-]+', or a stage variable, matching 'stageVariables.[a-zA-Z0-9._-]+', or a context parameter, matching 'context.[a-zA-Z0-9._-]+'", source)
		}
		sources = append(sources, source)
	}
	b.calls(p, "AuthorizerUri")
	id := b.id(res, 6)
	api.authorizers[id] = true
	api.Authorizers = append(api.Authorizers, &apigw.Authorizer{
		AuthorizerId:                 id,
		Name:                         p.text("Name"),
		AuthorizerType:               p.text("AuthorizerType"),
		AuthorizerUri:                p.text("AuthorizerUri"),
		AuthorizerCredentialsArn:     p.text("AuthorizerCredentialsArn"),
		IdentitySource:               sources,
		IdentityValidationExpression: p.text("IdentityValidationExpression"),
	})
}

func (b *builder) integration(res *resource) {
	api, p := b.below(res, integrationSchema)
	if api == nil {
		return
	}
	typ := p.text("IntegrationType")
	b.checkIntegration(p, typ)
	id := b.id(res, 7)
	api.integrations[id] = true
	i := &apigw.Integration{
		IntegrationId:               id,
		IntegrationType:             typ,
		IntegrationUri:              p.text("IntegrationUri"),
		IntegrationMethod:           p.text("IntegrationMethod"),
		ConnectionType:              p.text("ConnectionType"),
		ConnectionId:                p.text("ConnectionId"),
		ContentHandlingStrategy:     p.text("ContentHandlingStrategy"),
		CredentialsArn:              p.text("CredentialsArn"),
		Description:                 p.text("Description"),
		PassthroughBehavior:         p.text("PassthroughBehavior"),
		PayloadFormatVersion:        p.text("PayloadFormatVersion"),
		TemplateSelectionExpression: p.text("TemplateSelectionExpression"),
		TimeoutInMillis:             p.integer("TimeoutInMillis"),
		RequestParameters:           p.textMap("RequestParameters"),
		RequestTemplates:            p.textMap("RequestTemplates"),
	}
	api.Integrations = append(api.Integrations, i)
	if _, err := mapping.CompileRequest(i); err != nil {
		p.wrongMapping(err)
		return
	}
	b.checkExpression(p, "TemplateSelectionExpression", expression.TemplateSelection)
}

// wrongMapping reports an error of package mapping. It begins with the
// property's name as the API writes it.
func (p *properties) wrongMapping(err error) {
	if err == nil {
		return
	}
	end := strings.IndexAny(err.Error(), "[: ")
	name := err.Error()[:max(end, 0)]
	if name != "" {
		name = strings.ToUpper(name[:1]) + name[1:]
	}
	p.wrong(name, "%s%s", name, err.Error()[len(name):])
}

// checkIntegration checks the properties that depend on the integration's type.
func (b *builder) checkIntegration(p *properties, typ string) {
	uri := p.text("IntegrationUri")
	kind, _ := apigw.IntegrationTypeOf(typ)
	if missing := !p.has("IntegrationUri") || p.isKnown("IntegrationUri") && uri == ""; missing && typ != "" && kind.Calls != apigw.NoBackend {
		p.wrong("IntegrationType", "an integration of type %s needs an IntegrationUri", typ)
		return
	}
	switch {
	case kind.Calls == apigw.AWSBackend && kind.Proxy:
		b.calls(p, "IntegrationUri")
	case kind.Calls == apigw.HTTPBackend:
		if p.isKnown("IntegrationUri") && !mayBeURL(uri) {
			p.wrong("IntegrationUri", "IntegrationUri must be a URL that starts with http:// or https://, not %q", uri)
		}
		if !p.has("IntegrationMethod") {
			p.wrong("IntegrationType", "an integration of type %s needs an IntegrationMethod", typ)
		}
	}
	if p.text("ConnectionType") == "VPC_LINK" && !p.has("ConnectionId") {
		p.wrong("ConnectionType", "the ConnectionType VPC_LINK needs a ConnectionId")
	}
	if kind.Proxy {
		for _, name := range []string{"RequestTemplates", "TemplateSelectionExpression"} {
			if p.has(name) {
				p.ignore(p.lines[name], name, "has no effect on a proxy integration")
			}
		}
	}
}

// mayBeURL reports whether a text is the URL of an HTTP backend, or begins with a
// variable.
func mayBeURL(uri string) bool {
	return strings.HasPrefix(uri, "http://") || strings.HasPrefix(uri, "https://") || strings.HasPrefix(uri, "${")
}

func (b *builder) integrationResponse(res *resource) {
	api, p := b.below(res, integrationResponseSchema)
	if api == nil || !p.isKnown("IntegrationId") {
		return
	}
	integration := api.Integration(p.text("IntegrationId"))
	if integration == nil {
		p.wrong("IntegrationId", "IntegrationId %q is no integration of the API %s", p.text("IntegrationId"), api.res.id)
		return
	}
	response := &apigw.IntegrationResponse{
		IntegrationResponseId:       b.id(res, 6),
		IntegrationResponseKey:      p.text("IntegrationResponseKey"),
		ContentHandlingStrategy:     p.text("ContentHandlingStrategy"),
		ResponseParameters:          p.textMap("ResponseParameters"),
		ResponseTemplates:           p.textMap("ResponseTemplates"),
		TemplateSelectionExpression: p.text("TemplateSelectionExpression"),
	}
	integration.IntegrationResponses = append(integration.IntegrationResponses, response)
	if err := mapping.CheckResponse(response); err != nil {
		p.wrongMapping(err)
		return
	}
	b.checkExpression(p, "TemplateSelectionExpression", expression.ResponseTemplateSelection)
}
