package apigw

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

// Paths and URIs that call a function, and those that do not.
func TestFunctionOfURI(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:chat:live"
	for uri, want := range map[string]string{
		"arn:aws:apigateway:us-east-1:lambda:path" + InvokePath(arn):                     arn,
		"arn:aws-cn:apigateway:cn-north-1:lambda:path" + InvokePath("chat"):              "chat",
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/chat":             "",
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions//invocations":     "",
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/invocations":      "",
		"arn:aws:apigateway:us-east-1:lambda:path/2014-11-13/functions/chat/invocations": "",
		"arn:aws:apigateway:us-east-1:sqs:path/2015-03-31/functions/chat/invocations":    "",
		arn: "",
		"":  "",
	} {
		if got, ok := FunctionOfURI(uri); got != want && ok || ok != (want != "") {
			t.Errorf("%q: %q, %t", uri, got, ok)
		}
	}
}

func TestParseFunction(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Function{
		"chat":                               {Name: "chat"},
		"chat:live":                          {Name: "chat", Qualifier: "live"},
		"123456789012:function:chat":         {Account: "123456789012", Name: "chat"},
		"123456789012:function:chat:$LATEST": {Account: "123456789012", Name: "chat", Qualifier: "$LATEST"},
		"arn:aws-cn:lambda:cn-north-1:123456789012:function:chat:7": {"cn-north-1", "123456789012", "chat", "7"},
		"": {}, "chat:": {}, "chat:a:b": {}, "a b": {}, ":function:chat": {}, "12:function:chat": {},
		"arn:aws:lambda:us-east-1:123456789012:layer:chat": {}, "arn:aws:lambda::123456789012:function:chat": {},
		"arn:other:lambda:us-east-1:123456789012:function:chat": {}, "arn:aws:lambda:us-east-1:function:chat": {},
	} {
		if got, ok := ParseFunction(text); got != want || ok != (want.Name != "") {
			t.Errorf("%q: %+v, %t", text, got, ok)
		}
	}
}

// What is called by names and ARNs of every form: whole and partial, with a
// qualifier and without.
func TestFunctionNames(t *testing.T) {
	t.Parallel()
	const whole = "arn:aws:lambda:us-east-1:123456789012:function:"
	for arn, want := range map[string][3]string{ // qualified, name, unqualified
		"chat":                            {"chat", "chat", "chat"},
		"chat:live":                       {"chat:live", "chat", "chat"},
		whole + "chat":                    {"chat", "chat", whole + "chat"},
		whole + "chat:live":               {"chat:live", "chat", whole + "chat"},
		whole + "chat:$LATEST":            {"chat:$LATEST", "chat", whole + "chat"},
		"123456789012:function:chat:live": {"chat:live", "chat", "123456789012:function:chat"},
		"":                                {"", "", ""},
	} {
		if got := [3]string{QualifiedFunctionName(arn), FunctionName(arn), UnqualifiedFunction(arn)}; got != want {
			t.Errorf("%q: %q, want %q", arn, got, want)
		}
	}
}
