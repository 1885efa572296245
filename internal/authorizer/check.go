package authorizer

import (
	"errors"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/javaregexp"
)

var errType = errors.New("Invalid authorizer type. Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis.") //nolint:staticcheck // API Gateway's words

// Check returns an error for an authorizer of an API that cannot be built,
// whatever the stage. Type JWT is for APIs with the tag TagJWT. An error is
// in API Gateway's words where it has some.
func Check(api *apigw.API, a *apigw.Authorizer) error {
	switch tag, tagged := api.Tags[TagJWT]; {
	case a.AuthorizerType == typeJWT && tagged:
		if _, err := parseSettings(tag); err != nil {
			return err
		}
		_, err := sourceOf(a)
		return err
	case a.AuthorizerType != typeRequest:
		return errType
	}
	if _, ok := apigw.FunctionOfURI(anyVariable(a.AuthorizerUri)); !ok {
		return errors.New("Invalid authorizer URI") //nolint:staticcheck // API Gateway's words
	}
	if err := awsservice.CheckCredentials(anyVariable(a.AuthorizerCredentialsArn)); err != nil {
		return errors.New("Invalid role ARN") //nolint:staticcheck // API Gateway's words
	}
	if _, err := javaregexp.Compile(a.IdentityValidationExpression, ""); err != nil {
		return errors.New("Invalid validation expression: " + a.IdentityValidationExpression)
	}
	_, err := parseSources(a.IdentitySource)
	return err
}

// anyVariable returns a text with a value for each stage variable that it refers
// to.
func anyVariable(text string) string {
	return apigw.ReplaceStageVariables(text, func(string) string { return "1" })
}
