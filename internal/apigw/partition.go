package apigw

import "strings"

// Partition is the part of AWS that a region belongs to, as ARNs name it.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// ExecuteARN returns the ARN of something below an API that is called, such as
// "{stage}/{routeKey}" or "authorizers/{authorizerId}".
func ExecuteARN(region, account, apiID, path string) string {
	return "arn:" + Partition(region) + ":execute-api:" + region + ":" + account + ":" + apiID + "/" + path
}
