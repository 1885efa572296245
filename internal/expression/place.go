package expression

import (
	"fmt"
	"slices"
	"strings"
)

// Place is where an expression is written: a property of the API Gateway API.
type Place int

// The places, with what their expressions are evaluated on.
const (
	// RouteSelection is an API's routeSelectionExpression: messages.
	RouteSelection Place = iota
	// ModelSelection is a route's modelSelectionExpression: messages.
	ModelSelection
	// TemplateSelection is an integration's templateSelectionExpression: messages.
	TemplateSelection
	// IntegrationResponseSelection is an integration's
	// integrationResponseSelectionExpression: the integration's response.
	IntegrationResponseSelection
	// ResponseTemplateSelection is an integration response's
	// templateSelectionExpression: the message and the integration's response.
	ResponseTemplateSelection
	// RouteResponseSelection is a route's routeResponseSelectionExpression,
	// which is always $default.
	RouteResponseSelection
	// RouteResponseModelSelection is a route response's
	// modelSelectionExpression, which AWS accepts and does not use.
	RouteResponseModelSelection
	// APIKeySelection is an API's apiKeySelectionExpression: the handshake.
	APIKeySelection
	// APIMappingSelection is a domain name's apiMappingSelectionExpression: the
	// handshake.
	APIMappingSelection
)

// variable is the kind of a variable.
type variable int

const (
	literal variable = iota
	requestBody
	requestHeader
	basePath
	context
	responseStatus
	responseBody
	responseHeader
	responseHeaders
)

// form is how a variable is written: a prefix, and a path, a name or nothing
// behind it.
type form struct {
	variable variable
	prefix   string
	example  string
}

var forms = []form{
	{requestBody, "request.body", "$request.body.{path}"},
	{requestHeader, "request.header.", "$request.header.{name}"},
	{basePath, "request.basepath", "$request.basepath"},
	{context, "context.", "$context." + usageIdentifier},
	{responseStatus, "integration.response.statuscode", "$integration.response.statuscode"},
	{responseBody, "integration.response.body", "$integration.response.body.{path}"},
	{responseHeader, "integration.response.header.", "$integration.response.header.{name}"},
	{responseHeaders, "integration.response.multivalueheader.", "$integration.response.multivalueheader.{name}"},
}

// rule is what expressions may have in them at a place.
type rule struct {
	variables []variable
	text      bool // literal text, alone or between variables
	fallback  bool // $default, which selects the entry with that key
}

var rules = [...]rule{
	RouteSelection:               {variables: []variable{requestBody}, text: true},
	ModelSelection:               {variables: []variable{requestBody}, text: true, fallback: true},
	TemplateSelection:            {variables: []variable{requestBody}, text: true, fallback: true},
	IntegrationResponseSelection: {variables: []variable{responseStatus, responseBody}},
	ResponseTemplateSelection: {
		variables: []variable{requestBody, responseStatus, responseBody, responseHeader, responseHeaders},
		text:      true, fallback: true,
	},
	RouteResponseSelection: {fallback: true},
	RouteResponseModelSelection: {
		variables: []variable{requestBody, responseStatus, responseBody, responseHeader, responseHeaders},
		text:      true, fallback: true,
	},
	APIKeySelection:     {variables: []variable{requestHeader, context}},
	APIMappingSelection: {variables: []variable{basePath}},
}

// allowed lists what a place allows, for error messages.
func (r rule) allowed() string {
	var examples []string
	if r.fallback && !r.text {
		examples = append(examples, "$default")
	}
	for _, f := range forms {
		if slices.Contains(r.variables, f.variable) {
			examples = append(examples, f.example)
		}
	}
	if r.text {
		examples = append(examples, "text without a variable")
	}
	return strings.Join(examples, " or ")
}

// check returns an error for parts that a place does not allow.
func (r rule) check(parts []part) error {
	if !r.text && (len(parts) != 1 || parts[0].variable == literal) {
		return fmt.Errorf("must be %s", r.allowed())
	}
	return nil
}
