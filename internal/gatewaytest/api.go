package gatewaytest

import (
	"fmt"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Route describes a route of a test's API in a line.
type Route struct {
	Key string
	// Function is called by an AWS_PROXY integration. Empty, with no
	// Integration either, makes a route without a target.
	Function    string
	Integration *apigw.Integration
	TwoWay      bool
}

// API makes an API with routes that are selected by $request.body.action.
func API(id string, routes ...Route) *apigw.API {
	api := &apigw.API{ApiId: id, Name: id, ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action"}
	for i, r := range routes {
		route := &apigw.Route{RouteId: fmt.Sprintf("route%02d", i), RouteKey: r.Key}
		target := r.Integration
		if r.Function != "" {
			target = &apigw.Integration{
				IntegrationType: apigw.IntegrationAWSProxy, IntegrationMethod: "POST",
				IntegrationUri: FunctionURI(r.Function),
			}
		}
		if target != nil {
			integration := *target
			integration.IntegrationId = fmt.Sprintf("integ%02d", i)
			api.Integrations = append(api.Integrations, &integration)
			route.Target = "integrations/" + integration.IntegrationId
		}
		if r.TwoWay {
			route.RouteResponses = []*apigw.RouteResponse{{RouteResponseId: fmt.Sprintf("resp%02d", i), RouteResponseKey: "$default"}}
		}
		api.Routes = append(api.Routes, route)
	}
	return api
}

// Mock is a MOCK integration with a request template.
func Mock(template string) *apigw.Integration {
	return &apigw.Integration{
		IntegrationType: apigw.IntegrationMock, TemplateSelectionExpression: "200",
		RequestTemplates: map[string]string{"200": template},
	}
}

// FunctionURI is the IntegrationUri of a function of a test.
func FunctionURI(name string) string {
	return "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + FunctionARN(name) + "/invocations"
}

// FunctionARN is the ARN of a function of a test.
func FunctionARN(name string) string {
	return "arn:aws:lambda:us-east-1:123456789012:function:" + name
}
