package accesslog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/accesslog"
	"github.com/stagedoor/stagedoor/internal/apigw"
)

// What API Gateway refuses, in its words: sections H.2 and K.1.
func TestCheck(t *testing.T) {
	t.Parallel()
	const group = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/chat"
	const missing = "Access Log value missing. Expected destinationArn and format."
	const noID = "The following errors are found in Access Log Format: Access Log format must include either $context.requestId or $context.extendedRequestId : "
	const noGroup = "Invalid ARN specified in the request. The ARN must be a valid CloudWatch Logs log group or Kinesis Data Firehose delivery stream ARN. " +
		"The name of a delivery stream begins with amazon-apigateway-: "
	for _, test := range []struct{ arn, format, want string }{
		{group, "$context.requestId", ""},
		{group + ":*", "${context.extendedRequestId}", ""},
		{"arn:aws-cn:firehose:cn-north-1:123456789012:deliverystream/amazon-apigateway-x", "{\n\"a\":\"$context.requestId\"}", ""},
		{group, strings.Repeat("x", 3<<10-len("$context.requestId")) + "$context.requestId", ""},
		{"", "$context.requestId", missing},
		{group, "", missing},
		{"chat", "$context.requestId", "Invalid ARN specified in the request. ARNs must start with 'arn:': chat"},
		{"arn:aws:s3:::bucket", "$context.requestId", noGroup + "arn:aws:s3:::bucket"},
		{"arn:aws:firehose:us-east-1:123456789012:deliverystream/x", "$context.requestId",
			noGroup + "arn:aws:firehose:us-east-1:123456789012:deliverystream/x"},
		{group, "$context.routeKey", noID + "'$context.routeKey'"},
		{group, "$context.requestIds", noID + "'$context.requestIds'"},
		{group, "$context.authorizer.requestId", noID + "'$context.authorizer.requestId'"},
		{group, "$context.requestId" + strings.Repeat("é", 3<<9), "The following errors are found in Access Log Format: Access Log format must have at most 3072 bytes, not 3090"},
	} {
		got := ""
		if err := accesslog.Check(&apigw.AccessLogSettings{DestinationArn: test.arn, Format: test.format}); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s, %.40s\n%s, want\n%s", test.arn, test.format, got, test.want)
		}
	}
}

// What is probably a mistake, though it is taken.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		format string
		want   []string
	}{
		{`{"id":"$context.requestId","who":"$context.authorizer.anything"}`, nil},
		{`$context.requestId $context.status`, nil},
		{`{"id":"$context.requestId","ip":"$context.identity.sourceIP","x":"$context.identity.sourceIP"}`,
			[]string{`$context.identity.sourceIP does not exist: it is printed as "-"; did you mean identity.sourceIp?`}},
		{`$context.requestId $context.httpMethod`, []string{`$context.httpMethod does not exist: it is printed as "-"`}},
		{`{"id":"$context.requestId","status":$context.status,"ms":$context.integrationLatency,"s":$context.status}`,
			[]string{`not in quotes: $context.status, $context.integrationLatency: where there is no value "-" is printed, and the line is no JSON`}},
		{`$context.requestId $context.integration.status $context.integrationStatus`,
			[]string{`always "-" for WebSocket APIs, as in API Gateway: $context.integration.status, $context.integrationStatus`}},
		{` {"id":"$context.requestId",}`, []string{"the format begins like JSON, but is none"}},
	} {
		if diff := cmp.Diff(test.want, accesslog.Warnings(test.format)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.format, diff)
		}
	}
	if got := accesslog.Parse("$context.requestId $context.a $context.a $context.identity.b").Unknown(); !cmp.Equal(got, []string{"$context.a", "$context.identity.b"}) {
		t.Errorf("unknown: %q", got)
	}
}
