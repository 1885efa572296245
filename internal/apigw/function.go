package apigw

import (
	"strings"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// FunctionsPath is where Lambda's API has its functions. InvokePath is the path
// of the operation that calls one.
const FunctionsPath = "/2015-03-31/functions/"

const invocations = "/invocations"

// InvokePath returns the path of Lambda's Invoke operation for a function, which
// is named by its name or its ARN.
func InvokePath(function string) string { return FunctionsPath + function + invocations }

// FunctionOfPath returns the function whose Invoke operation a path is. It
// reports false for any other path.
func FunctionOfPath(path string) (function string, ok bool) {
	if function, ok = strings.CutPrefix(path, FunctionsPath); !ok {
		return "", false
	}
	function, ok = strings.CutSuffix(function, invocations)
	return function, ok && function != ""
}

// FunctionURIForm is the form of the URIs that FunctionOfURI reads, for texts of
// errors.
const FunctionURIForm = "arn:aws:apigateway:{region}:lambda:path" + FunctionsPath + "{functionArn}" + invocations

var functionURI = lazyregexp.New(`^arn:[^:]+:apigateway:[^:]*:lambda:path(/.*)$`)

// FunctionOfURI returns the ARN, or the name, of the function that the URI of an
// integration or of an authorizer calls. It reports false for a URI that does not
// have the form of FunctionURIForm.
func FunctionOfURI(uri string) (function string, ok bool) {
	match := functionURI.FindStringSubmatch(uri)
	if match == nil {
		return "", false
	}
	return FunctionOfPath(match[1])
}

// plainFunction is the ARN of a function, perhaps with the name of an alias or a
// version, or with stage variables in it.
var plainFunction = lazyregexp.New(`^arn:[^:]+:lambda:[^:]*:[^:]*:function:([^:/]+(:[^:/]+)?|.*\$\{stageVariables\..*)$`)

// IsFunctionARN reports whether a text is the plain ARN of a Lambda function:
// AWS_PROXY integrations take one as their IntegrationUri, beside the form of
// FunctionURIForm.
func IsFunctionARN(text string) bool { return plainFunction.MatchString(text) }

// Function is what the name or the ARN of a function says. Members that it does not
// say are empty.
type Function struct {
	Region, Account string
	Name            string
	Qualifier       string // a version, an alias, or $LATEST
}

var functionForm = lazyregexp.New(`^(?:(?:arn:aws[a-z-]*:lambda:([a-z0-9-]+):)?([0-9]{12}):function:)?([A-Za-z0-9_-]+)(?::([A-Za-z0-9$_-]+))?$`)

// ParseFunction reads the name of a function ("chat"), its partial ARN
// ("123456789012:function:chat") or its ARN, each with a qualifier or without. It
// reports false for any other text.
func ParseFunction(text string) (Function, bool) {
	match := functionForm.FindStringSubmatch(text)
	if match == nil {
		return Function{}, false
	}
	return Function{Region: match[1], Account: match[2], Name: match[3], Qualifier: match[4]}, true
}

// QualifiedFunctionName returns the name of a function with the version or the
// alias behind it, where the ARN has one: "chat:live". The ARN may be partial
// ("123456789012:function:chat"), or be such a name itself.
func QualifiedFunctionName(arn string) string {
	if _, name, found := strings.Cut(arn, ":function:"); found {
		return name
	}
	return arn
}

// FunctionName returns the name of a function: what QualifiedFunctionName
// returns, without a version or an alias.
func FunctionName(arn string) string {
	name, _, _ := strings.Cut(QualifiedFunctionName(arn), ":")
	return name
}

// UnqualifiedFunction returns the ARN, or the name, of a function without the
// version or the alias behind it.
func UnqualifiedFunction(arn string) string {
	return strings.TrimSuffix(arn, QualifiedFunctionName(arn)) + FunctionName(arn)
}
