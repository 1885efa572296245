package awsservice

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Spec D.2: the forms of an integration's URI.
func TestParseURI(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]URI{
		"arn:aws:apigateway:eu-west-1:states:action/StartExecution":      {"aws", "eu-west-1", "", "states", "StartExecution", "", ""},
		"arn:aws:apigateway:eu-west-1:states:action/StartSyncExecution":  {"aws", "eu-west-1", "", "states", "StartSyncExecution", "", ""},
		"arn:aws:apigateway:us-east-1:dynamodb:action/PutItem":           {"aws", "us-east-1", "", "dynamodb", "PutItem", "", ""},
		"arn:aws:apigateway:us-east-1:sqs:path/123456789012/queue":       {"aws", "us-east-1", "", "sqs", "", "/123456789012/queue", ""},
		"arn:aws:apigateway:us-east-1:sns:action/Publish":                {"aws", "us-east-1", "", "sns", "Publish", "", ""},
		"arn:aws:apigateway:us-east-1:sns:action/Publish&TopicArn={arn}": {"aws", "us-east-1", "", "sns", "Publish", "", "TopicArn={arn}"},
		"arn:aws:apigateway:us-east-1:sns:path//":                        {"aws", "us-east-1", "", "sns", "", "/", ""},
		"arn:aws:apigateway:us-east-1:sns:path/":                         {"aws", "us-east-1", "", "sns", "", "/", ""},
		"arn:aws:apigateway:us-east-1:s3:path/{bucket}/{key}?acl":        {"aws", "us-east-1", "", "s3", "", "/{bucket}/{key}", "acl"},
		"arn:aws:apigateway:us-east-1:my.pictures.s3:path/cat.jpg":       {"aws", "us-east-1", "my.pictures", "s3", "", "/cat.jpg", ""},
		"arn:aws:apigateway:us-east-1:runtime.sagemaker:path//endpoints/e/invocations": {
			"aws", "us-east-1", "runtime", "sagemaker", "", "/endpoints/e/invocations", ""},
		"arn:aws-cn:apigateway:cn-north-1:dynamodb:action/GetItem":           {"aws-cn", "cn-north-1", "", "dynamodb", "GetItem", "", ""},
		"arn:aws-us-gov:apigateway:us-gov-west-1:kinesis:action/PutRecord":   {"aws-us-gov", "us-gov-west-1", "", "kinesis", "PutRecord", "", ""},
		"arn:aws:apigateway:ap-southeast-2:streams.dynamodb:action/GetShard": {"aws", "ap-southeast-2", "streams", "dynamodb", "GetShard", "", ""},
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f:live/invocations": {
			"aws", "us-east-1", "", "lambda", "", "/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f:live/invocations", ""},
	} {
		got, err := ParseURI(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		"":                    "expected arn:aws:apigateway",
		"https://example.org": "expected arn:aws:apigateway",
		"arn:aws:lambda:us-east-1:123456789012:function:f":                          "expected arn:aws:apigateway",
		"arn:aws:apigateway:us-east-1:dynamodb":                                     "expected arn:aws:apigateway",
		"arn:aws-iso:apigateway:us-iso-east-1:sqs:path/a":                           `partition "aws-iso"`,
		"arn:aws:apigateway::sqs:path/a":                                            `"" is not a region`,
		"arn:aws:apigateway:Virginia:sqs:path/a":                                    `"Virginia" is not a region`,
		"arn:aws:apigateway:cn-north-1:sqs:path/a":                                  "belongs to partition aws-cn, not to aws",
		"arn:aws-us-gov:apigateway:us-east-1:sqs:path/a":                            "belongs to partition aws, not to aws-us-gov",
		"arn:aws:apigateway:us-east-1::path/a":                                      `"" is not the name of an AWS service`,
		"arn:aws:apigateway:us-east-1:evil.example/:path/a":                         `"example/" is not the name of an AWS service`,
		"arn:aws:apigateway:us-east-1:a/b.s3:path/a":                                `"a/b" is not a subdomain`,
		"arn:aws:apigateway:us-east-1:sqs:queue/a":                                  `"queue/a" begins with neither action/ nor path/`,
		"arn:aws:apigateway:us-east-1:dynamodb:action/":                             `"" is not the name of an action`,
		"arn:aws:apigateway:us-east-1:dynamodb:action/Put/Item":                     `"Put/Item" is not the name of an action`,
		"arn:aws:apigateway:us-east-1:s3:action/GetObject":                          "actions of s3 are not known here",
		"arn:aws:apigateway:us-east-1:unheard-of:action/Do":                         "actions of unheard-of are not known here",
		"arn:aws:apigateway:us-east-1:dynamodb:action/${stageVariables.operation}x": "variable without a value",
	} {
		_, err := ParseURI(text)
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: error %v, want one with %q", text, err, reason)
		}
	}
}
