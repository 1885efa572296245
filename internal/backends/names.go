package backends

import (
	"strings"
)

// FunctionName is the name in a function's ARN, or in a name with a qualifier.
func FunctionName(arn string) string {
	if _, after, found := strings.Cut(arn, ":function:"); found {
		arn = after
	}
	name, _, _ := strings.Cut(arn, ":")
	return name
}

// Unqualified is the ARN of a function without the version or alias behind it.
func Unqualified(arn string) string {
	name := FunctionName(arn)
	if at := strings.Index(arn, ":function:"); at >= 0 {
		return arn[:at+len(":function:")] + name
	}
	return name
}
