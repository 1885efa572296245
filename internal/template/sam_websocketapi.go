package template

import (
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// webSocketAPIProperties are the properties of AWS::Serverless::WebSocketApi.
var webSocketAPIProperties = []string{
	"AccessLogSettings", "ApiKeySelectionExpression", "Auth", "DefaultRouteSettings", "Description",
	"DisableExecuteApiEndpoint", "DisableSchemaValidation", "Domain", "IpAddressType", "Name", "PropagateTags",
	"RouteSelectionExpression", "RouteSettings", "Routes", "StageName", "StageVariables", "Tags",
}

// webSocketRouteProperties are the members of one entry of its Routes.
var webSocketRouteProperties = []string{
	"ApiKeyRequired", "FunctionArn", "IntegrationTimeout", "ModelSelectionExpression", "OperationName",
	"RequestModels", "RequestParameters", "RouteResponseSelectionExpression",
}

// defaultStageName is the stage that SAM makes when none is named. It is not
// $default, which WebSocket APIs cannot have.
const defaultStageName = "default"

// webSocketAPI expands AWS::Serverless::WebSocketApi.
func (e *expander) webSocketAPI(res *resource) {
	w := &webSocketAPI{expander: e, res: res, properties: e.properties(res)}
	before := len(e.problems)
	w.stageName = e.withParameters(w.properties.get("StageName"))
	if w.stageName == nil {
		w.stageName = newText(res.line, defaultStageName)
	}
	w.check()
	if len(e.problems) > before {
		e.keep(res)
		return
	}
	w.attributes = passed(res, "Condition", "DeletionPolicy", "UpdateReplacePolicy")
	w.api()
	w.routes()
	w.domain()
	w.stage()
	w.authorizer()
}

// webSocketAPI is one AWS::Serverless::WebSocketApi while it is expanded.
type webSocketAPI struct {
	*expander
	res        *resource
	properties *value
	stageName  *value
	attributes []member // passed on to all resources that are made
	routeIDs   []*value // logical ids of the routes
}

// check reports every mistake that SAM reports.
func (w *webSocketAPI) check() {
	id, p := w.res.id, w.properties
	w.knownProperties(w.res, p, webSocketAPIProperties)
	w.required(w.res, p, "RouteSelectionExpression")
	if !w.checkMaps() {
		return // SAM checks the rest only if the types are right
	}
	if w.stageName.is("$default") {
		w.invalid(w.stageName.line, id, "Stages cannot be named $default for WebSocket APIs.")
	}
	if v := p.get("IpAddressType"); v != nil && v.kind == text && v.text != "ipv4" && v.text != "dualstack" {
		w.invalid(v.line, id, "IpAddressType must be 'ipv4' or 'dualstack'.")
	}
	if w.required(w.res, p, "Routes") {
		w.checkRoutes(p.member("Routes"))
	}
	if auth := p.member("Auth"); auth != nil && auth.value.kind == object && len(auth.value.members) > 0 {
		w.checkAuth(auth)
	}
	if domain := w.domainConfiguration(); domain != nil {
		w.checkDomain(domain)
	}
}

// checkMaps reports properties that must be maps and are not.
func (w *webSocketAPI) checkMaps() (ok bool) {
	ok = true
	for _, name := range []string{"Tags", "Auth", "Domain", "StageVariables", "RouteSettings", "AccessLogSettings", "DefaultRouteSettings"} {
		if v := w.properties.get(name); v != nil && v.kind != object && v.kind != unknown && v.kind != null {
			w.invalid(v.line, w.res.id, "Property '%s' should be a map.", name)
			ok = false
		}
	}
	return ok
}

func (w *webSocketAPI) checkRoutes(routes *member) {
	id := w.res.id
	switch {
	case routes.value.kind == unknown:
		return
	case routes.value.kind != object:
		w.invalid(routes.line, id, "Property 'Routes' should be a map.")
		return
	case len(routes.value.members) == 0:
		w.invalid(routes.line, id, "WebSocket API must have at least one route.")
		return
	}
	bases := map[string]string{} // route keys by the logical id they give
	for _, route := range routes.value.members {
		base := routeLogicalID(route.key)
		if other, taken := bases[base]; taken {
			w.invalid(route.line, id, "Route keys '%s' and '%s' give the same logical ids.", other, route.key)
		}
		bases[base] = route.key
		w.checkRoute(&route)
	}
}

// checkRoute checks one entry of Routes by itself.
func (w *webSocketAPI) checkRoute(route *member) {
	id := w.res.id
	if !isPredefinedRoute(route.key) && !alphanumeric.MatchString(route.key) {
		w.invalid(route.line, id, "Route key '%s' must be alphanumeric. Only $connect, $disconnect, and $default special routes are supported.", route.key)
	}
	if route.value.kind != object {
		if route.value.kind != unknown {
			w.invalid(route.line, id, "Route must have associated function.")
		}
		return
	}
	for _, m := range route.value.members {
		if !slices.Contains(webSocketRouteProperties, m.key) {
			w.invalid(m.line, id, "property %s not defined for route '%s'%s", m.key, route.key, w.didYouMean(m.key, webSocketRouteProperties))
		}
	}
	if route.value.get("FunctionArn") == nil {
		w.invalid(route.line, id, "Route must have associated function.")
	}
	if parameters := route.value.member("RequestParameters"); parameters != nil && route.key != "$connect" && len(parameters.value.members) > 0 {
		w.invalid(parameters.line, id, "Request parameters are only supported for the $connect route in WebSocket APIs.")
	}
}

// isPredefinedRoute reports whether the key is one that API Gateway gives a
// meaning.
func isPredefinedRoute(key string) bool {
	return key == "$connect" || key == "$disconnect" || key == "$default"
}

func (w *webSocketAPI) checkAuth(auth *member) {
	id := w.res.id
	if w.properties.get("Routes").member("$connect") == nil && w.properties.get("Routes") != nil {
		w.invalid(auth.line, id, "Authorization is only available if there is a $connect route.")
	}
	typ := auth.value.get("AuthType")
	if typ == nil || typ.text == "" {
		w.invalid(auth.line, id, "AuthType must be specified for additional auth configurations.")
		return
	}
	switch strings.ToUpper(typ.text) {
	case "CUSTOM":
		if auth.value.get("AuthArn") == nil {
			w.invalid(typ.line, id, "AuthArn must be specified if AuthType is CUSTOM.")
		}
		names := []string{"AuthArn", "AuthType", "IdentitySource", "InvokeRole", "Name"}
		for _, m := range auth.value.members {
			if !slices.Contains(names, m.key) {
				w.invalid(m.line, id, "property %s not defined for Auth%s", m.key, w.didYouMean(m.key, names))
			}
		}
	case "AWS_IAM", "NONE":
		if len(auth.value.members) > 1 {
			w.invalid(auth.line, id, "No additional configurations supported for AuthType %s.", strings.ToUpper(typ.text))
		}
	default:
		w.invalid(typ.line, id, "AuthType is not one of AWS_IAM, CUSTOM or NONE.")
	}
}

// authType is the kind of authorization in capitals, or empty.
func (w *webSocketAPI) authType() string {
	if typ := w.properties.get("Auth").get("AuthType"); typ != nil {
		return strings.ToUpper(typ.text)
	}
	return ""
}

// tags returns the API's tags and the tag that SAM adds.
func (w *webSocketAPI) tags(own bool) *value {
	tags := newObject(w.res.line)
	if given := w.properties.get("Tags"); own && given != nil && given.kind == object {
		tags.line = given.line
		tags.members = slices.Clone(given.members)
	}
	tags.set("websocketapi:createdBy", newText(w.res.line, "SAM"))
	return tags
}

// propagated returns the tags of the resources that belong to the API. The
// API's own tags are among them if PropagateTags is true.
func (w *webSocketAPI) propagated() *value {
	v := w.properties.get("PropagateTags")
	return w.tags(v != nil && v.kind == boolean && v.text == "true")
}

func (w *webSocketAPI) api() {
	p := newObject(w.res.line)
	for _, name := range []string{
		"ApiKeySelectionExpression", "Description", "DisableExecuteApiEndpoint", "DisableSchemaValidation",
		"IpAddressType", "Name", "RouteSelectionExpression",
	} {
		if m := w.properties.member(name); m != nil {
			p.members = append(p.members, *m)
		}
	}
	if p.get("Name") == nil {
		p.set("Name", newText(w.res.line, w.res.id))
	}
	p.set("ProtocolType", newText(w.res.line, "WEBSOCKET"))
	p.set("Tags", w.tags(true))
	attributes := passed(w.res, "Condition", "DependsOn", "Metadata", "DeletionPolicy", "UpdateReplacePolicy")
	w.add(w.res, w.res.id, typeAPI, p, attributes...)
}

// ref makes a Ref of a logical id.
func ref(line int, id string) *value { return newObject(line, with("Ref", newText(line, id))) }

// getAtt makes an Fn::GetAtt.
func getAtt(line int, id, attribute string) *value {
	return newObject(line, with("Fn::GetAtt", newList(line, newText(line, id), newText(line, attribute))))
}

// sub makes an Fn::Sub, with an object of variables if any are given.
func sub(line int, template string, variables ...member) *value {
	argument := newText(line, template)
	if len(variables) > 0 {
		argument = newList(line, argument, newObject(line, variables...))
	}
	return newObject(line, with("Fn::Sub", argument))
}

// invocationURI returns the URI by which API Gateway calls a function, with a
// variable for the function's ARN.
func invocationURI(variable string) string {
	return "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path" + apigw.InvokePath("${"+variable+"}")
}

func (w *webSocketAPI) routes() {
	for _, route := range w.properties.get("Routes").members {
		w.route(route)
	}
}

func (w *webSocketAPI) route(route member) {
	line := route.line
	base := w.res.id + routeLogicalID(route.key)
	p := newObject(line, with("ApiId", ref(line, w.res.id)), with("RouteKey", newText(line, route.key)))
	for _, name := range webSocketRouteProperties {
		if m := route.value.member(name); m != nil && name != "FunctionArn" && name != "IntegrationTimeout" {
			p.members = append(p.members, *m)
		}
	}
	if auth := w.authType(); auth != "" && route.key == "$connect" {
		p.set("AuthorizationType", newText(w.properties.member("Auth").line, auth))
		if auth == "CUSTOM" {
			p.set("AuthorizerId", ref(w.properties.member("Auth").line, w.res.id+"ConnectAuthorizer"))
		}
	}
	target := newList(line, newText(line, "/"), newList(line, newText(line, "integrations"), ref(line, base+"Integration")))
	p.set("Target", newObject(line, with("Fn::Join", target)))
	w.routeIDs = append(w.routeIDs, newText(line, base+"Route"))
	w.add(w.res, base+"Route", typeRoute, p, w.attributes...)
	w.integration(route, base)
	w.permission(route, base)
}

// routeLogicalID returns the part of logical ids that stands for a route key:
// without the dollar, the first letter upper case and the others lower case.
func routeLogicalID(key string) string {
	key = strings.TrimPrefix(key, "$")
	if key == "" {
		return ""
	}
	return strings.ToUpper(key[:1]) + strings.ToLower(key[1:])
}

func (w *webSocketAPI) integration(route member, base string) {
	function := route.value.get("FunctionArn")
	line := function.line
	p := newObject(line,
		with("ApiId", ref(line, w.res.id)),
		with("IntegrationType", newText(line, "AWS_PROXY")),
		with("IntegrationUri", sub(line, invocationURI("FunctionArn"), with("FunctionArn", function))),
	)
	p.set("TimeoutInMillis", route.value.get("IntegrationTimeout"))
	w.add(w.res, base+"Integration", typeIntegration, p, w.attributes...)
}

func (w *webSocketAPI) permission(route member, base string) {
	function := route.value.get("FunctionArn")
	line := function.line
	source := "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${" + w.res.id + ".ApiId}/"
	arn := sub(line, source+w.stageName.text+"/"+route.key)
	if !w.stageName.isScalar() {
		arn = sub(line, source+"${__Stage__}/"+route.key, with("__Stage__", w.stageName))
	}
	w.add(w.res, base+"Permission", typePermission, w.invokePermission(line, function, arn), w.attributes...)
}

func (w *webSocketAPI) invokePermission(line int, function, source *value) *value {
	return newObject(line,
		with("Action", newText(line, "lambda:InvokeFunction")),
		with("FunctionName", function),
		with("Principal", newText(line, "apigateway.amazonaws.com")),
		with("SourceArn", source),
	)
}

func (w *webSocketAPI) stage() {
	line := w.stageName.line
	p := newObject(line,
		with("ApiId", ref(line, w.res.id)),
		with("AutoDeploy", newBool(line, true)),
		with("StageName", w.stageName),
		with("Tags", w.propagated()),
	)
	for _, name := range []string{"AccessLogSettings", "DefaultRouteSettings", "RouteSettings", "StageVariables"} {
		if m := w.properties.member(name); m != nil {
			p.members = append(p.members, *m)
		}
	}
	attributes := slices.Clone(w.attributes)
	if settings := w.properties.get("RouteSettings"); settings != nil && len(settings.members) > 0 {
		// Settings of a route can be made only when the route exists.
		attributes = append(attributes, with("DependsOn", newList(line, w.routeIDs...)))
	}
	w.add(w.res, w.stageLogicalID(), typeStage, p, attributes...)
	w.aliases[w.res.id+".Stage"] = w.stageLogicalID()
}

func (w *webSocketAPI) stageLogicalID() string {
	switch {
	case !w.stageName.isScalar():
		return w.res.id + "Stage"
	case w.stageName.text == defaultStageName:
		return w.res.id + "DefaultStage"
	}
	return w.res.id + notAlphanumeric.Compiled().ReplaceAllString(w.stageName.text, "") + "Stage"
}

func (w *webSocketAPI) authorizer() {
	if w.authType() != "CUSTOM" {
		return
	}
	auth := w.properties.get("Auth")
	function := auth.get("AuthArn")
	line := function.line
	id := w.res.id + "ConnectAuthorizer"
	p := newObject(line,
		with("ApiId", ref(line, w.res.id)),
		with("AuthorizerType", newText(line, "REQUEST")),
		with("AuthorizerUri", sub(line, invocationURI("AuthArn"), with("AuthArn", function))),
		with("Name", newText(line, id)),
	)
	p.set("Name", auth.get("Name"))
	p.set("AuthorizerCredentialsArn", auth.get("InvokeRole"))
	p.set("IdentitySource", auth.get("IdentitySource"))
	w.add(w.res, id, typeAuthorizer, p, w.attributes...)
	if auth.get("InvokeRole") != nil {
		return // the role has the permission to call it
	}
	source := sub(line, "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*",
		with("__ApiId__", ref(line, w.res.id)))
	w.add(w.res, w.res.id+"AuthorizerPermission", typePermission, w.invokePermission(line, function, source), w.attributes...)
}
