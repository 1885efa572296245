package integration

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/lambda"
)

// Builder makes backends. Its members are shared by all that it makes.
type Builder struct {
	Functions lambda.Invoker
	HTTP      *Transport // calls HTTP backends
}

// defaultTimeout is API Gateway's longest and default integration timeout.
const defaultTimeout = 29 * time.Second

// Build makes the backend of an integration for a stage with the given
// variables. An error says in AWS's terms what of the integration is wrong or
// not available here.
func (b *Builder) Build(i *apigw.Integration, variables map[string]string) (Backend, error) {
	uri := substitute(i.IntegrationUri, variables)
	switch i.IntegrationType {
	case apigw.IntegrationAWSProxy:
		return b.buildLambdaProxy(i, uri)
	case apigw.IntegrationHTTPProxy:
		return b.buildHTTPProxy(i, uri)
	case apigw.IntegrationMock:
		return buildMock(i)
	}
	return nil, fmt.Errorf("integration type %s is not available in this version of Stagedoor", i.IntegrationType)
}

// timeout is how long an integration may take.
func timeout(i *apigw.Integration) time.Duration {
	if i.TimeoutInMillis > 0 {
		return time.Duration(i.TimeoutInMillis) * time.Millisecond
	}
	return defaultTimeout
}

var functionURI = regexp.MustCompile(`^arn:[^:]+:apigateway:[^:]*:lambda:path/2015-03-31/functions/(.+)/invocations$`)

func (b *Builder) buildLambdaProxy(i *apigw.Integration, uri string) (Backend, error) {
	match := functionURI.FindStringSubmatch(uri)
	if match == nil {
		return nil, fmt.Errorf("IntegrationUri %q does not name a Lambda function; expected arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{functionArn}/invocations", uri)
	}
	return &lambdaProxy{b.Functions, match[1], timeout(i)}, nil
}

var stageVariable = regexp.MustCompile(`\$\{stageVariables\.([A-Za-z0-9_]+)\}`)

// substitute puts the values of stage variables into a URI.
func substitute(uri string, variables map[string]string) string {
	if !strings.Contains(uri, "${stageVariables.") {
		return uri
	}
	return stageVariable.ReplaceAllStringFunc(uri, func(reference string) string {
		return variables[stageVariable.FindStringSubmatch(reference)[1]]
	})
}

// errTimeout is the failure of a backend that used up its time.
var errTimeout = &Error{FailureTimeout, "the integration did not answer in time"}

// interrupted tells a backend that used up its time from a gateway that goes
// down. The context has ended.
func interrupted(ctx context.Context) *Error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errTimeout
	}
	return &Error{FailureBackend, "the call was interrupted: the gateway is stopping"}
}
