package control

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// Limits and defaults of integrations (section H.5). The model's own limit for the
// timeout is that of HTTP APIs.
const (
	minTimeoutMillis     = int(apigw.MinTimeout / time.Millisecond)
	maxTimeoutMillis     = int(apigw.MaxTimeout / time.Millisecond)
	connectionInternet   = "INTERNET"
	connectionVPCLink    = "VPC_LINK"
	payloadFormatVersion = "1.0"
)

// setIntegrationDefaults sets the members that a client left out or left empty
// to AWS's defaults.
func setIntegrationDefaults(i *apigw.Integration) {
	orDefault(&i.ConnectionType, connectionInternet)
	orDefault(&i.PassthroughBehavior, "WHEN_NO_MATCH")
	orDefault(&i.PayloadFormatVersion, payloadFormatVersion)
	if i.Type().Calls == apigw.AWSBackend {
		orDefault(&i.IntegrationMethod, "POST")
	}
	if i.TimeoutInMillis == 0 {
		i.TimeoutInMillis = maxTimeoutMillis
	}
}

func orDefault(member *string, value string) {
	if *member == "" {
		*member = value
	}
}

// checkIntegration returns an error for an integration that cannot work: it
// checks the members, those that the type needs, and the expressions, templates
// and mappings.
func checkIntegration(i *apigw.Integration) error {
	if i.TimeoutInMillis < minTimeoutMillis || i.TimeoutInMillis > maxTimeoutMillis {
		return apigw.BadRequest(fmt.Sprintf("Timeout should be between %d ms and %d ms", minTimeoutMillis, maxTimeoutMillis))
	}
	if i.PayloadFormatVersion != payloadFormatVersion {
		return apigw.BadRequest("PayloadFormatVersion must be " + payloadFormatVersion + " for WEBSOCKET protocol Apis.")
	}
	for _, check := range []func(*apigw.Integration) error{checkBackend, checkConnection, checkCredentials} {
		if err := check(i); err != nil {
			return err
		}
	}
	if _, err := mapping.CompileRequest(i); err != nil {
		return invalid(err)
	}
	_, err := mapping.CompileResponses(i)
	return invalid(err)
}

// checkBackend checks the URI and the method, as the integration's type needs
// them.
func checkBackend(i *apigw.Integration) error {
	kind := i.Type()
	switch kind.Calls {
	case apigw.NoBackend:
		return nil
	case apigw.HTTPBackend:
		if i.IntegrationMethod == "" {
			return apigw.BadRequest("IntegrationMethod is required for integration type " + i.IntegrationType)
		}
		return checkURL(i.IntegrationUri)
	}
	if i.IntegrationUri == "" {
		return apigw.BadRequest("IntegrationUri is required for integration type " + i.IntegrationType)
	}
	if kind.Proxy && apigw.IsFunctionARN(i.IntegrationUri) {
		return checkFunctionMethod(i)
	}
	uri, err := awsservice.ParseURI(i.IntegrationUri)
	if err != nil {
		if apigw.HasStageVariable(i.IntegrationUri) {
			return nil // it depends on the stage
		}
		return apigw.BadRequest("Invalid integration URI specified: " + err.Error())
	}
	if !kind.Proxy {
		return nil
	}
	if uri.Service != "lambda" || !strings.HasPrefix(uri.Path, apigw.FunctionsPath) {
		return apigw.BadRequest("Integrations of type 'AWS_PROXY' currently only supports Lambda function invocations.")
	}
	return checkFunctionMethod(i)
}

// checkFunctionMethod: functions are called by POST.
func checkFunctionMethod(i *apigw.Integration) error {
	if i.IntegrationMethod != "POST" {
		return apigw.BadRequest("Integrations of type AWS_PROXY must have the method POST.")
	}
	return nil
}

// checkURL checks the URL of an HTTP integration. Placeholders and stage
// variables may stand in any part.
func checkURL(text string) error {
	if apigw.HasStageVariable(text) {
		return nil
	}
	u, err := url.Parse(placeholders.Replace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return apigw.BadRequest("Invalid HTTP endpoint specified for URI: " + text)
	}
	return nil
}

// placeholders removes the braces of placeholders, which a URL must not have.
var placeholders = strings.NewReplacer("{", "", "}", "")

func checkConnection(i *apigw.Integration) error {
	switch {
	case i.ConnectionType == connectionVPCLink && i.ConnectionId == "":
		return apigw.BadRequest("ConnectionId is required for connection type VPC_LINK")
	case i.ConnectionType == connectionVPCLink && i.Type().Calls != apigw.HTTPBackend:
		return apigw.BadRequest("Connection type VPC_LINK is for integration types HTTP and HTTP_PROXY")
	case i.ConnectionType == connectionInternet && i.ConnectionId != "":
		return apigw.BadRequest("ConnectionId cannot be set for connection type INTERNET")
	}
	return nil
}

func checkCredentials(i *apigw.Integration) error {
	if apigw.HasStageVariable(i.CredentialsArn) {
		return nil
	}
	return invalid(awsservice.CheckCredentials(i.CredentialsArn))
}
