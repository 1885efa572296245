package template

import (
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// apiRef is the property by which the parts of an API refer to it.
var apiRef = property{name: "ApiId", form: textForm, required: true}

var (
	stageName      = lazyregexp.New(`^([A-Za-z0-9_-]+|\$default)$`)
	modelName      = lazyregexp.New(`^[A-Za-z0-9]+$`)
	mappingKey     = lazyregexp.New(`^[A-Za-z0-9$_.+!*'()/-]*$`)
	stageVariable  = lazyregexp.New(`^[A-Za-z0-9_]{1,64}$`)
	variableValue  = lazyregexp.New(`^[A-Za-z0-9._~:/?#&=,-]{1,512}$`)
	identitySource = lazyregexp.New(`^(route\.request\.(querystring|header)|stageVariables|context)\.[A-Za-z0-9._-]+$`)
)

var apiSchema = []property{
	{name: "ApiKeySelectionExpression", form: textForm},
	{name: "BasePath", refused: "BasePath is for HTTP APIs only"},
	{name: "CorsConfiguration", refused: "CorsConfiguration is for HTTP APIs only"},
	{name: "CredentialsArn", refused: "CredentialsArn is for HTTP APIs only; an integration has one of its own"},
	{name: "Description", form: textForm, max: 1024},
	{name: "DisableExecuteApiEndpoint", form: booleanForm},
	{name: "DisableSchemaValidation", form: booleanForm},
	{name: "FailOnWarnings", form: booleanForm},
	{name: "IpAddressType", form: textForm, oneOf: []string{"ipv4", "dualstack"}, kept: true, inert: "ipv4"},
	{name: "Name", form: textForm, required: true, min: 1, max: 128},
	{name: "ProtocolType", form: textForm, required: true, oneOf: []string{"WEBSOCKET", "HTTP"}},
	{name: "RouteKey", refused: "RouteKey is for HTTP APIs only; write an AWS::ApiGatewayV2::Route"},
	{name: "RouteSelectionExpression", form: textForm, required: true, min: 1, max: 1024},
	{name: "Tags", form: textMapForm},
	{name: "Target", refused: "Target is for HTTP APIs only; write an AWS::ApiGatewayV2::Route"},
	{name: "Version", form: textForm, min: 1, max: 64},
}

var routeSchema = []property{
	apiRef,
	{name: "ApiKeyRequired", form: booleanForm},
	{name: "AuthorizationScopes", form: textsForm, kept: true},
	{name: "AuthorizationType", form: textForm, oneOf: []string{"NONE", "AWS_IAM", "CUSTOM"}},
	{name: "AuthorizerId", form: textForm},
	{name: "ModelSelectionExpression", form: textForm},
	{name: "OperationName", form: textForm, min: 1, max: 64},
	{name: "RequestModels", form: textMapForm},
	{name: "RequestParameters", form: requiredForm},
	{name: "RouteKey", form: textForm, required: true, min: 1, max: 128},
	{name: "RouteResponseSelectionExpression", form: textForm, oneOf: []string{"$default"}},
	{name: "Target", form: textForm, min: 1, max: 128},
}

var routeResponseSchema = []property{
	apiRef,
	{name: "ModelSelectionExpression", form: textForm},
	{name: "ResponseModels", form: textMapForm},
	{name: "ResponseParameters", form: requiredForm},
	{name: "RouteId", form: textForm, required: true},
	{name: "RouteResponseKey", form: textForm, required: true, oneOf: []string{"$default"}},
}

var contentHandling = []string{"CONVERT_TO_BINARY", "CONVERT_TO_TEXT"}

var integrationSchema = []property{
	apiRef,
	{name: "ConnectionId", form: textForm, min: 1, max: 1024},
	{name: "ConnectionType", form: textForm, oneOf: []string{"INTERNET", "VPC_LINK"}},
	{name: "ContentHandlingStrategy", form: textForm, oneOf: contentHandling},
	{name: "CredentialsArn", form: textForm},
	{name: "Description", form: textForm, max: 1024},
	{name: "IntegrationMethod", form: textForm, min: 1, max: 64},
	{name: "IntegrationSubtype", refused: "IntegrationSubtype is for HTTP APIs only"},
	{name: "IntegrationType", form: textForm, required: true, oneOf: apigw.IntegrationTypeNames()},
	{name: "IntegrationUri", form: textForm, max: 2048}, // "" for MOCK: checkIntegration
	{name: "PassthroughBehavior", form: textForm, oneOf: []string{"WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"}},
	{name: "PayloadFormatVersion", form: textForm, oneOf: []string{"1.0"}},
	{name: "RequestParameters", form: textMapForm},
	{name: "RequestTemplates", form: textMapForm},
	{name: "ResponseParameters", refused: "ResponseParameters is for HTTP APIs only; write an AWS::ApiGatewayV2::IntegrationResponse"},
	{name: "TemplateSelectionExpression", form: textForm},
	{name: "TimeoutInMillis", form: integerForm, min: int(apigw.MinTimeout / time.Millisecond), max: int(apigw.MaxTimeout / time.Millisecond)},
	{name: "TlsConfig", refused: "TlsConfig is for HTTP APIs only"},
}

var integrationResponseSchema = []property{
	apiRef,
	{name: "ContentHandlingStrategy", form: textForm, oneOf: contentHandling},
	{name: "IntegrationId", form: textForm, required: true},
	{name: "IntegrationResponseKey", form: textForm, required: true, min: 1, max: 128},
	{name: "ResponseParameters", form: textMapForm},
	{name: "ResponseTemplates", form: textMapForm},
	{name: "TemplateSelectionExpression", form: textForm},
}

var modelSchema = []property{
	apiRef,
	{name: "ContentType", form: textForm, min: 1, max: 256},
	{name: "Description", form: textForm, max: 1024},
	{name: "Name", form: textForm, required: true, min: 1, max: 128, pattern: modelName},
	{name: "Schema", required: true},
}

var authorizerSchema = []property{
	apiRef,
	{name: "AuthorizerCredentialsArn", form: textForm},
	{name: "AuthorizerPayloadFormatVersion", refused: "AuthorizerPayloadFormatVersion cannot be set for WEBSOCKET protocol Apis."},
	{name: "AuthorizerResultTtlInSeconds", refused: "AuthorizerResultTtlInSeconds cannot be set for WEBSOCKET protocol Apis."},
	{name: "AuthorizerType", form: textForm, required: true},
	{name: "AuthorizerUri", form: textForm, required: true},
	{name: "EnableSimpleResponses", refused: "EnableSimpleResponses cannot be set for WEBSOCKET protocol Apis."},
	{name: "IdentitySource", form: textsForm},
	{name: "IdentityValidationExpression", form: textForm, kept: true},
	{name: "JwtConfiguration", refused: "JwtConfiguration cannot be set for WEBSOCKET protocol Apis."},
	{name: "Name", form: textForm, required: true, min: 1, max: 128},
}

var stageSchema = []property{
	apiRef,
	{name: "AccessLogSettings", form: objectForm},
	{name: "AccessPolicyId", refused: "AccessPolicyId is for HTTP APIs only"},
	{name: "AutoDeploy", form: booleanForm},
	{name: "ClientCertificateId", form: textForm, kept: true},
	{name: "DefaultRouteSettings", form: objectForm},
	{name: "DeploymentId", form: textForm},
	{name: "Description", form: textForm, max: 1024},
	{name: "RouteSettings", form: objectForm},
	{name: "StageName", form: textForm, required: true, min: 1, max: 128},
	{name: "StageVariables", form: textMapForm},
	{name: "Tags", form: textMapForm},
}

var accessLogSchema = []property{
	{name: "DestinationArn", form: textForm},
	{name: "Format", form: textForm},
}

var routeSettingsSchema = []property{
	{name: "DataTraceEnabled", form: booleanForm},
	{name: "DetailedMetricsEnabled", form: booleanForm},
	{name: "LoggingLevel", form: textForm, oneOf: []string{"ERROR", "INFO", "OFF"}},
	{name: "ThrottlingBurstLimit", form: integerForm},
	{name: "ThrottlingRateLimit", form: decimalForm},
}

var deploymentSchema = []property{
	apiRef,
	{name: "Description", form: textForm, max: 1024},
	{name: "StageName", form: textForm},
}

var domainNameSchema = []property{
	{name: "DomainName", form: textForm, required: true, min: 1, max: 253},
	{name: "DomainNameConfigurations", form: listForm, kept: true},
	{name: "MutualTlsAuthentication", refused: "Mutual TLS domain name association is not supported for Websocket APIs."},
	{name: "RoutingMode", form: textForm, kept: true, inert: "API_MAPPING_ONLY"},
	{name: "Tags", form: textMapForm, kept: true},
}

var apiMappingSchema = []property{
	apiRef,
	{name: "ApiMappingKey", form: textForm, max: 300, pattern: mappingKey},
	{name: "DomainName", form: textForm, required: true},
	{name: "Stage", form: textForm, required: true},
}
