package authorizer

import (
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// What is refused when it is configured, and what is not: specification,
// sections H.8 and I.1.
func TestCheck(t *testing.T) {
	t.Parallel()
	const uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:door/invocations"
	jwt := map[string]string{TagJWT: "issuer=https://login.example.com audience=chat"}
	tests := []struct {
		name       string
		tags       map[string]string
		authorizer apigw.Authorizer
		problem    string
	}{
		{"function", nil, apigw.Authorizer{AuthorizerType: "REQUEST", AuthorizerUri: uri, IdentitySource: []string{"context.a,route.request.header.b"}}, ""},
		{"stage variables", nil, apigw.Authorizer{AuthorizerType: "REQUEST",
			AuthorizerUri:            strings.Replace(uri, "door", "door:${stageVariables.alias}", 1),
			AuthorizerCredentialsArn: "arn:aws:iam::123456789012:role/${stageVariables.role}"}, ""},
		{"no type", nil, apigw.Authorizer{AuthorizerUri: uri}, "Invalid authorizer type."},
		{"no URI", nil, apigw.Authorizer{AuthorizerType: "REQUEST"}, "Invalid authorizer URI"},
		{"no function", nil, apigw.Authorizer{AuthorizerType: "REQUEST", AuthorizerUri: "arn:aws:apigateway:us-east-1:sqs:action/SendMessage"}, "Invalid authorizer URI"},
		{"no role", nil, apigw.Authorizer{AuthorizerType: "REQUEST", AuthorizerUri: uri, AuthorizerCredentialsArn: "arn:aws:iam::1:user/a"}, "Invalid role ARN"},
		{"no expression", nil, apigw.Authorizer{AuthorizerType: "REQUEST", AuthorizerUri: uri, IdentityValidationExpression: "("}, "Invalid validation expression: ("},
		{"no source", nil, apigw.Authorizer{AuthorizerType: "REQUEST", AuthorizerUri: uri, IdentitySource: []string{"subprotocol"}},
			"Invalid request identity source expression: subprotocol."},
		{"JWT", jwt, apigw.Authorizer{AuthorizerType: "JWT", IdentitySource: []string{"subprotocol"}}, ""},
		{"JWT without the tag", nil, apigw.Authorizer{AuthorizerType: "JWT"}, "Invalid authorizer type. Only REQUEST"},
		{"JWT with a bad tag", map[string]string{TagJWT: "issuer=x"}, apigw.Authorizer{AuthorizerType: "JWT"}, "tag stagedoor:jwt: "},
		{"JWT with two sources", jwt, apigw.Authorizer{AuthorizerType: "JWT", IdentitySource: []string{"subprotocol", "subprotocol"}}, "a JWT authorizer has one identity source"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := Check(&apigw.API{Tags: test.tags}, &test.authorizer)
			if test.problem == "" && err != nil || test.problem != "" && (err == nil || !strings.HasPrefix(err.Error(), test.problem)) {
				t.Errorf("error %v, want %q", err, test.problem)
			}
		})
	}
}
