// Package apigw is the vocabulary of Amazon API Gateway WebSocket APIs: APIs,
// routes, integrations, stages and deployments with the member names of the
// AWS API, their validation, and the catalogue of AWS errors.
//
// It is read by everything that configures or compiles an API and knows
// nothing of how one is served.
package apigw

import "time"

// API is the aggregate: one WebSocket API with everything that belongs to it
// and that a deployment takes a snapshot of. It is the unit of storage.
type API struct {
	ApiId                     string
	Name                      string
	Description               string            `json:",omitempty"`
	Version                   string            `json:",omitempty"`
	ProtocolType              string            // always "WEBSOCKET"
	RouteSelectionExpression  string            // for example "$request.body.action"
	ApiKeySelectionExpression string            `json:",omitempty"`
	DisableExecuteApiEndpoint bool              `json:",omitempty"`
	DisableSchemaValidation   bool              `json:",omitempty"`
	IpAddressType             string            `json:",omitempty"`
	Tags                      map[string]string `json:",omitempty"`
	CreatedDate               time.Time         `json:",omitzero"`

	Routes       []*Route       `json:",omitempty"`
	Integrations []*Integration `json:",omitempty"`
	Models       []*Model       `json:",omitempty"`
	Authorizers  []*Authorizer  `json:",omitempty"`
}

// Route maps a route key to an integration.
type Route struct {
	RouteId                          string
	RouteKey                         string // "$connect", "$disconnect", "$default" or a custom key
	Target                           string `json:",omitempty"` // "integrations/{integrationId}", or empty
	ApiKeyRequired                   bool   `json:",omitempty"`
	AuthorizationType                string `json:",omitempty"` // NONE, AWS_IAM or CUSTOM
	AuthorizerId                     string `json:",omitempty"`
	AuthorizationScopes              []string
	ModelSelectionExpression         string                          `json:",omitempty"`
	OperationName                    string                          `json:",omitempty"`
	RequestModels                    map[string]string               `json:",omitempty"`
	RequestParameters                map[string]ParameterConstraints `json:",omitempty"`
	RouteResponseSelectionExpression string                          `json:",omitempty"`

	RouteResponses []*RouteResponse `json:",omitempty"`
}

// ParameterConstraints hold for one request parameter of a route: whether a
// request must have it.
type ParameterConstraints struct {
	Required bool
}

// RouteResponse makes a route two-way: what the integration answers is sent
// to the client. The only key is "$default".
type RouteResponse struct {
	RouteResponseId          string
	RouteResponseKey         string
	ModelSelectionExpression string                          `json:",omitempty"`
	ResponseModels           map[string]string               `json:",omitempty"`
	ResponseParameters       map[string]ParameterConstraints `json:",omitempty"`
}

// MinTimeout and MaxTimeout are how long a call of a backend may take: the bounds of
// Integration.TimeoutInMillis. A Lambda authorizer has MaxTimeout.
const (
	MinTimeout = 50 * time.Millisecond
	MaxTimeout = 29 * time.Second
)

// Integration is the backend of one or more routes.
type Integration struct {
	IntegrationId               string
	IntegrationType             string // the name of one of IntegrationTypes
	IntegrationUri              string `json:",omitempty"`
	IntegrationMethod           string `json:",omitempty"`
	ConnectionType              string `json:",omitempty"` // INTERNET or VPC_LINK
	ConnectionId                string `json:",omitempty"` // of the VPC link
	ContentHandlingStrategy     string `json:",omitempty"`
	CredentialsArn              string `json:",omitempty"`
	Description                 string `json:",omitempty"`
	PassthroughBehavior         string `json:",omitempty"`
	PayloadFormatVersion        string `json:",omitempty"`
	TemplateSelectionExpression string `json:",omitempty"`
	// TimeoutInMillis is from MinTimeout to MaxTimeout; 0 stands for MaxTimeout.
	TimeoutInMillis   int               `json:",omitempty"`
	RequestParameters map[string]string `json:",omitempty"`
	RequestTemplates  map[string]string `json:",omitempty"`

	IntegrationResponses []*IntegrationResponse `json:",omitempty"`
}

// IntegrationResponse turns an answer of a non-proxy integration into the
// answer of the route.
type IntegrationResponse struct {
	IntegrationResponseId       string
	IntegrationResponseKey      string
	ContentHandlingStrategy     string            `json:",omitempty"`
	ResponseParameters          map[string]string `json:",omitempty"`
	ResponseTemplates           map[string]string `json:",omitempty"`
	TemplateSelectionExpression string            `json:",omitempty"`
}

// Model is a JSON Schema (draft-04) by name.
type Model struct {
	ModelId     string
	Name        string
	ContentType string `json:",omitempty"`
	Description string `json:",omitempty"`
	Schema      string `json:",omitempty"`
}

// Authorizer decides on $connect who may open a connection.
type Authorizer struct {
	AuthorizerId                 string
	Name                         string
	AuthorizerType               string // REQUEST
	AuthorizerUri                string `json:",omitempty"`
	AuthorizerCredentialsArn     string `json:",omitempty"`
	IdentitySource               []string
	IdentityValidationExpression string `json:",omitempty"`
}
