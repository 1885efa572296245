package main

// target is a package to be generated.
type target struct {
	name   string // of the package and its folder
	model  source
	doc    string // what the package is, after its name
	wire   string // qualifies the names of package wire, "" within it
	groups []group
}

// group is the operations of one resource. They and their types are one file.
type group struct {
	file       string
	operations []string
}

// wireV2 is the operations of API Gateway v2 that apply to WebSocket APIs. The
// others have no types: they are in the table of endpoints only.
var wireV2 = target{
	name: "wire",
	model: source{
		"apigatewayv2/2018-11-29/service-2.json",
		"fdb831dc9be4cb380b42e21525a1a7e6e379958b7d8a3df7fd71c6c7f50df47c",
	},
	groups: []group{
		{"api", crud("Api", "Apis")},
		{"route", append(crud("Route", "Routes"), "DeleteRouteRequestParameter")},
		{"routeresponse", crud("RouteResponse", "RouteResponses")},
		{"integration", crud("Integration", "Integrations")},
		{"integrationresponse", crud("IntegrationResponse", "IntegrationResponses")},
		{"model", append(crud("Model", "Models"), "GetModelTemplate")},
		{"authorizer", append(crud("Authorizer", "Authorizers"), "ResetAuthorizersCache")},
		{"deployment", crud("Deployment", "Deployments")},
		{"stage", append(crud("Stage", "Stages"), "DeleteAccessLogSettings", "DeleteRouteSettings")},
		{"domainname", crud("DomainName", "DomainNames")},
		{"apimapping", crud("ApiMapping", "ApiMappings")},
		{"vpclink", crud("VpcLink", "VpcLinks")},
		{"tags", []string{"GetTags", "TagResource", "UntagResource"}},
	},
}

// wireV1 is the operations of API Gateway v1 that WebSocket APIs use.
var wireV1 = target{
	name: "wirev1",
	model: source{
		"apigateway/2015-07-09/service-2.json",
		"677fa434fada74fed45b93419e8e59aa37eb80c886564fd54082136d127c4713",
	},
	doc: "has the operations of API Gateway v1 that WebSocket APIs use, and their requests\n" +
		"and responses: API keys, usage plans, the account, VPC links, tags. What a member's\n" +
		"tags mean is told by package wire.",
	wire: "wire.",
	groups: []group{
		{"apikey", append(crud("ApiKey", "ApiKeys"), "ImportApiKeys")},
		{"usageplan", crud("UsagePlan", "UsagePlans")},
		{"usageplankey", []string{"CreateUsagePlanKey", "GetUsagePlanKey", "GetUsagePlanKeys", "DeleteUsagePlanKey"}},
		{"usage", []string{"GetUsage", "UpdateUsage"}},
		{"account", []string{"GetAccount", "UpdateAccount"}},
		{"vpclink", crud("VpcLink", "VpcLinks")},
		{"tags", []string{"GetTags", "TagResource", "UntagResource"}},
	},
}

// crud is the operations that most resources have.
func crud(one, many string) []string {
	return []string{"Create" + one, "Get" + one, "Get" + many, "Update" + one, "Delete" + one}
}
