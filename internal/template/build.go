package template

import (
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// builder makes an Application from resolved resources.
type builder struct {
	*resolver
	folder   string // of the template, absolute
	app      *Application
	apis     map[string]*apiBuilder // by API id
	httpAPIs map[string]bool        // ids of HTTP APIs, which are not run here
	domains  map[string]*apigw.DomainName
	plans    map[string]*apigw.UsagePlan // by id
	layers   map[string]string           // folders by ARN of the layer version; empty when there is none
	arns     map[string]*Function        // by ARN
	external []externalCall
	provided func(logicalID, name string) bool // nil: none is
}

// apiBuilder is one WebSocket API while it is built.
type apiBuilder struct {
	*apigw.API
	built        *API
	res          *resource
	routeLines   map[string]int             // by route key
	integrations map[string]bool            // by id
	authorizers  map[string]bool            // by id
	models       map[string]*properties     // by name
	deployments  map[string]bool            // by id
	stages       map[string]*builtStage     // by name
	repoint      map[string]stageDeployment // by the name of the stage
}

// builtStage is a stage with the resource that it comes from.
type builtStage struct {
	*apigw.Stage
	res *resource
}

func newBuilder(r *resolver, folder string) *builder {
	return &builder{
		resolver: r,
		folder:   folder,
		app:      &Application{StackName: r.stack.name, Region: r.stack.region, AccountID: r.stack.account, ValuelessKeys: map[string]bool{}},
		apis:     map[string]*apiBuilder{},
		httpAPIs: map[string]bool{},
		domains:  map[string]*apigw.DomainName{},
		plans:    map[string]*apigw.UsagePlan{},
		layers:   map[string]string{},
		arns:     map[string]*Function{},
	}
}

// phases are the functions that build each type of resource, in the order in
// which they need each other's results.
var phases = []map[string]func(*builder, *resource){
	{typeAPI: (*builder).api, typeAPIKey: (*builder).apiKey, typeLayerVersion: (*builder).layerVersion, typeDomainName: (*builder).domainName, typeTable: (*builder).table},
	{typeFunction: (*builder).function, typeModel: (*builder).model, typeAuthorizer: (*builder).authorizer},
	{typeIntegration: (*builder).integration, typePermission: (*builder).permission, typeAlias: (*builder).alias, typeVersion: (*builder).version},
	{typeIntegrationResponse: (*builder).integrationResponse, typeRoute: (*builder).route},
	{typeRouteResponse: (*builder).routeResponse, typeDeployment: (*builder).deployment},
	{typeStage: (*builder).stage},
	{typeAPIMapping: (*builder).apiMapping, typeUsagePlan: (*builder).usagePlan},
	{typeUsagePlanKey: (*builder).usagePlanKey},
}

// build makes the application. Mistakes are in the report.
func (b *builder) build() *Application {
	actedOn := map[string]bool{}
	for _, phase := range phases {
		for typ := range phase {
			actedOn[typ] = true
		}
	}
	for _, res := range b.doc.resources {
		if !actedOn[res.typ] && b.isActive(res) {
			b.ignore(res)
		}
	}
	for _, phase := range phases {
		for _, res := range b.doc.resources {
			if make := phase[res.typ]; make != nil && b.isActive(res) {
				make(b, res)
			}
		}
	}
	b.finishAPIs()
	b.noticeExternalCalls()
	return b.app
}

var typeForm = lazyregexp.New(`^(Custom::[A-Za-z0-9_@-]+|[A-Za-z0-9]+::[A-Za-z0-9]+::[A-Za-z0-9]+(::[A-Za-z0-9]+)?)$`)

// serviceTypes are all types of resources of the services that are run here, so
// that a misspelled type is reported and not ignored.
var serviceTypes = map[string][]string{
	"AWS::ApiGatewayV2": {
		typeAPI, typeAPIMapping, typeAuthorizer, typeDeployment, typeDomainName, typeIntegration, typeIntegrationResponse,
		typeModel, typeRoute, typeRouteResponse, typeStage, "AWS::ApiGatewayV2::ApiGatewayManagedOverrides",
		"AWS::ApiGatewayV2::RoutingRule", "AWS::ApiGatewayV2::VpcLink",
	},
	"AWS::DynamoDB": {typeTable, "AWS::DynamoDB::GlobalTable"},
	"AWS::Lambda": {
		typeAlias, typeFunction, typeLayerVersion, typePermission, typeVersion, "AWS::Lambda::CapacityProvider",
		"AWS::Lambda::CodeSigningConfig", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping",
		"AWS::Lambda::LayerVersionPermission", "AWS::Lambda::Url",
	},
}

// ignore records a resource of a type that is not run here.
func (b *builder) ignore(res *resource) {
	if samTypes[res.typ] != nil {
		return // invalid, and reported
	}
	if !typeForm.MatchString(res.typ) {
		b.problem(res.line, res.id, "%q is not the name of a type", res.typ)
		return
	}
	service := res.typ[:max(0, strings.LastIndex(res.typ, "::"))]
	if types := serviceTypes[service]; types != nil && !slices.Contains(types, res.typ) {
		b.problem(res.line, res.id, "unknown type %s%s", res.typ, b.didYouMean(res.typ, types))
		return
	}
	if res.made {
		return // it is not in the template itself
	}
	message := "a type that is not run here"
	if service == "AWS::IAM" {
		message = "no permission is enforced on what runs here"
	}
	b.notice(Notice{Line: res.line, LogicalID: res.id, Type: res.typ, Message: message})
}

// id is the physical id of a resource whose id has n characters.
func (b *builder) id(res *resource, n int) string { return b.stack.id(res.id, n) }

// below reads a resource that belongs to an API. It returns nil if the API does
// not exist, which it reports, or is an HTTP API.
func (b *builder) below(res *resource, schema []property) (*apiBuilder, *properties) {
	if id := b.apiID(res); b.httpAPIs[id] {
		b.notice(Notice{Line: res.line, LogicalID: res.id, Type: res.typ, Message: "belongs to an HTTP API"})
		return nil, nil
	}
	p := b.read(res, schema)
	if !p.isKnown("ApiId") {
		return nil, nil
	}
	api := b.apis[p.text("ApiId")]
	if api == nil {
		p.wrong("ApiId", "ApiId %q is no API of this template", p.text("ApiId"))
		return nil, nil
	}
	return api, p
}

// apiID resolves the property ApiId alone.
func (b *builder) apiID(res *resource) string {
	given := res.properties.get("ApiId")
	if given == nil {
		return ""
	}
	return textOf(b.resolveFor(res, given))
}
