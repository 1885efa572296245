package awsservice

import "testing"

func TestIsFunctionARN(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"arn:aws:lambda:us-east-1:123456789012:function:chat":                             true,
		"arn:aws:lambda:us-east-1:123456789012:function:chat:live":                        true,
		"arn:aws-cn:lambda:cn-north-1:123456789012:function:chat:1":                       true,
		"arn:aws:lambda:us-east-1:123456789012:function:${stageVariables.function}":       true,
		"arn:aws:lambda:us-east-1:123456789012:function:chat:${stageVariables.alias}":     true,
		"arn:aws:lambda:us-east-1:123456789012:layer:chat":                                false,
		"arn:aws:lambda:us-east-1:123456789012:function:":                                 false,
		"arn:aws:lambda:us-east-1:123456789012:function:chat:live:more":                   false,
		"arn:aws:lambda:us-east-1:123456789012:function:chat/invocations":                 false,
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:x/invocations": false,
		"chat": false,
		"":     false,
	} {
		if got := IsFunctionARN(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
