package deploy

import (
	"reflect"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
)

// kind is a kind of resource: the operations that create, change and delete
// one, and how its members are compared and updated.
type kind struct {
	typ                    string // as in AWS::ApiGatewayV2::Route
	create, update, remove wire.Endpoint
	idMember               string          // the member of an answer that has the id
	members                map[string]bool // of the request that creates one
	defaults               properties      // values of members that are not given
	merged                 []string        // maps of which an update changes entries; an empty text removes one
	lasting                []string        // members that no update removes
}

var (
	apiKind = kindOf[wire.CreateApiRequest](kind{
		typ: "Api", idMember: "apiId",
		create: wire.CreateApi.Endpoint, update: wire.UpdateApi.Endpoint, remove: wire.DeleteApi.Endpoint,
		defaults: properties{"apiKeySelectionExpression": "$request.header.x-api-key", "ipAddressType": "ipv4"},
	})
	modelKind = kindOf[wire.CreateModelRequest](kind{
		typ: "Model", idMember: "modelId",
		create: wire.CreateModel.Endpoint, update: wire.UpdateModel.Endpoint, remove: wire.DeleteModel.Endpoint,
		defaults: properties{"contentType": "application/json"},
	})
	authorizerKind = kindOf[wire.CreateAuthorizerRequest](kind{
		typ: "Authorizer", idMember: "authorizerId",
		create: wire.CreateAuthorizer.Endpoint, update: wire.UpdateAuthorizer.Endpoint, remove: wire.DeleteAuthorizer.Endpoint,
	})
	integrationKind = kindOf[wire.CreateIntegrationRequest](kind{
		typ: "Integration", idMember: "integrationId",
		create: wire.CreateIntegration.Endpoint, update: wire.UpdateIntegration.Endpoint, remove: wire.DeleteIntegration.Endpoint,
		defaults: properties{
			"connectionType": "INTERNET", "passthroughBehavior": "WHEN_NO_MATCH", "payloadFormatVersion": "1.0", "timeoutInMillis": 29000.0,
		},
		merged: []string{"requestParameters"}, lasting: []string{"contentHandlingStrategy"},
	})
	integrationResponseKind = kindOf[wire.CreateIntegrationResponseRequest](kind{
		typ: "IntegrationResponse", idMember: "integrationResponseId",
		create: wire.CreateIntegrationResponse.Endpoint, update: wire.UpdateIntegrationResponse.Endpoint, remove: wire.DeleteIntegrationResponse.Endpoint,
		merged: []string{"responseParameters"}, lasting: []string{"contentHandlingStrategy"},
	})
	routeKind = kindOf[wire.CreateRouteRequest](kind{
		typ: "Route", idMember: "routeId",
		create: wire.CreateRoute.Endpoint, update: wire.UpdateRoute.Endpoint, remove: wire.DeleteRoute.Endpoint,
		defaults: properties{"authorizationType": "NONE"},
	})
	routeResponseKind = kindOf[wire.CreateRouteResponseRequest](kind{
		typ: "RouteResponse", idMember: "routeResponseId",
		create: wire.CreateRouteResponse.Endpoint, update: wire.UpdateRouteResponse.Endpoint, remove: wire.DeleteRouteResponse.Endpoint,
	})
	stageKind = kindOf[wire.CreateStageRequest](kind{
		typ: "Stage", idMember: "stageName",
		create: wire.CreateStage.Endpoint, update: wire.UpdateStage.Endpoint, remove: wire.DeleteStage.Endpoint,
		merged: []string{"stageVariables"},
	})
)

// Those of API Gateway v1, which are updated by patch operations.
var (
	apiKeyKind = kindOf[wirev1.CreateApiKeyRequest](kind{
		typ: "ApiKey", idMember: "id",
		create: wirev1.CreateApiKey.Endpoint, update: wirev1.UpdateApiKey.Endpoint, remove: wirev1.DeleteApiKey.Endpoint,
	})
	usagePlanKind = kindOf[wirev1.CreateUsagePlanRequest](kind{
		typ: "UsagePlan", idMember: "id",
		create: wirev1.CreateUsagePlan.Endpoint, update: wirev1.UpdateUsagePlan.Endpoint, remove: wirev1.DeleteUsagePlan.Endpoint,
	})
)

// kindOf completes a kind with the members of the request that creates one.
// Tags, and the deployment of a stage, are not among them.
func kindOf[Request any](k kind) *kind {
	k.members = make(map[string]bool)
	for field := range reflect.TypeFor[Request]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		k.members[name] = name != "-" && name != "tags" && name != "deploymentId"
	}
	return &k
}

// difference returns the members whose values differ between the two, and the
// update that turns have into want.
func (k *kind) difference(want, have properties) (members []string, update properties) {
	update = properties{}
	for _, name := range namesOf(want, have) {
		to, from := want[name], have[name]
		if reflect.DeepEqual(to, from) {
			continue
		}
		members = append(members, name)
		switch {
		case slices.Contains(k.merged, name):
			update[name] = entries(to, from)
		case to != nil:
			update[name] = to
		default:
			update[name] = emptied(from)
		}
	}
	return members, update
}

// namesOf returns the names of the members of all maps, sorted, each once.
func namesOf[V any](both ...map[string]V) []string {
	var names []string
	for _, p := range both {
		for name := range p {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// entries returns the update that turns the map from into the map to, where an
// empty text removes an entry.
func entries(to, from any) map[string]any {
	wanted, _ := to.(map[string]any)
	had, _ := from.(map[string]any)
	changed := map[string]any{}
	for _, key := range namesOf(wanted, had) {
		value, keep := wanted[key]
		switch {
		case !keep:
			changed[key] = ""
		case value != had[key]:
			changed[key] = value
		}
	}
	return changed
}

// emptied is the empty value of the kind that a value has: it removes a member.
func emptied(value any) any {
	switch value.(type) {
	case string:
		return ""
	case bool:
		return false
	case float64:
		return 0.0
	case []any:
		return []any{}
	}
	return map[string]any{}
}

// keeps reports whether an update cannot turn have into want: it has a member
// that no update can remove, and want is without it.
func (k *kind) keeps(want, have properties) bool {
	return slices.ContainsFunc(k.lasting, func(name string) bool { return have[name] != nil && want[name] == nil })
}
