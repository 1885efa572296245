package awsservice

import "regexp"

// functionARN is the ARN of a function, perhaps with the name of an alias, a
// version, or a stage variable in it.
var functionARN = regexp.MustCompile(`^arn:[^:]+:lambda:[^:]*:[^:]*:function:([^:/]+(:[^:/]+)?|.*\$\{stageVariables\..*)$`)

// IsFunctionARN reports whether a text is the plain ARN of a Lambda function:
// AWS_PROXY integrations take one as their IntegrationUri, beside the form
// arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{ARN}/invocations.
func IsFunctionARN(text string) bool { return functionARN.MatchString(text) }
