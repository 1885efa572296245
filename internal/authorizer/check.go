package authorizer

import (
	"errors"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/javaregexp"
)

var errType = errors.New("Invalid authorizer type. Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis.") //nolint:staticcheck // API Gateway's words

// Check tells whether an authorizer of an API can be built, as far as that does
// not depend on a stage. Type JWT is for APIs with the tag TagJWT. An error is
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
	if !functionURI.MatchString(anyVariable(a.AuthorizerUri)) {
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

// anyVariable puts a value for every stage variable that a text refers to.
func anyVariable(text string) string { return stageVariable.ReplaceAllString(text, "1") }
