package authorizer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

const goodTag = "issuer=https://login.example.com audience=chat"

// What guards $connect, and what is refused: an API never goes without the
// guard that it asks for.
func TestBuild(t *testing.T) {
	t.Parallel()
	route := func(authorization string) []*apigw.Route {
		return []*apigw.Route{{RouteKey: "$connect", AuthorizationType: authorization, AuthorizerId: "auth01"}}
	}
	withAuthorizer := func(tags map[string]string, change func(*apigw.Authorizer)) *apigw.API {
		api := lambdaAPI("route.request.header.Auth")
		api.Tags = tags
		change(api.Authorizers[0])
		return api
	}
	tag := map[string]string{TagJWT: goodTag}
	isJWT := func(a *apigw.Authorizer) { a.AuthorizerType = "JWT" }
	tests := []struct {
		name string
		api  *apigw.API
		want string // the type, or a part of the error
	}{
		{"nothing", &apigw.API{}, "none"},
		{"no authorization", &apigw.API{Routes: route("NONE")}, "none"},
		{"IAM", &apigw.API{Routes: route("AWS_IAM")}, "none"},
		{"Lambda", lambdaAPI(), "lambda"},
		{"tag alone", &apigw.API{Tags: tag}, "jwt"},
		{"tag and an open route", &apigw.API{Tags: tag, Routes: route("")}, "jwt"},
		{"type JWT of the route", &apigw.API{Tags: tag, Routes: route("JWT")}, "jwt"},
		{"type JWT of the authorizer", withAuthorizer(tag, isJWT), "jwt"},

		{"empty tag", &apigw.API{Tags: map[string]string{TagJWT: ""}}, "tag stagedoor:jwt: issuer is missing"},
		{"type JWT without the tag", &apigw.API{Routes: route("JWT")}, "issuer is missing"},
		{"authorizer JWT without the tag", withAuthorizer(nil, isJWT), "authorizer gate: tag stagedoor:jwt: issuer is missing"},
		{"IAM and the tag", &apigw.API{Tags: tag, Routes: route("AWS_IAM")}, "only one can decide"},
		{"Lambda and the tag", withAuthorizer(tag, func(*apigw.Authorizer) {}), "only one can decide"},
		{"unknown type", &apigw.API{Routes: route("MAGIC")}, "authorization type MAGIC"},
		{"authorizer that is gone", &apigw.API{Routes: route("CUSTOM")}, `authorizer "auth01", which does not exist`},
		{"TOKEN", withAuthorizer(nil, func(a *apigw.Authorizer) { a.AuthorizerType = "TOKEN" }), "Only REQUEST authorizer type is supported"},
		{"no function", withAuthorizer(nil, func(a *apigw.Authorizer) { a.AuthorizerUri = functionARN }), "does not name a Lambda function"},
		{"stage variable that is not there", withAuthorizer(nil, func(a *apigw.Authorizer) { a.AuthorizerUri = uri(functionARN + ":${stageVariables.other}") }), "authorizer gate: AuthorizerUri: the stage has no variable other"},
		{"role by a stage variable that is not there", withAuthorizer(nil, func(a *apigw.Authorizer) {
			a.AuthorizerCredentialsArn = "arn:aws:iam::123456789012:role/${stageVariables.other}"
		}), "AuthorizerCredentialsArn: the stage has no variable other"},
		{"bad source", withAuthorizer(nil, func(a *apigw.Authorizer) { a.IdentitySource = []string{"$request.header.Auth"} }), "Invalid request identity source expression: $request.header.Auth. The sources must be separated by comma"},
		{"empty name of a source", withAuthorizer(nil, func(a *apigw.Authorizer) { a.IdentitySource = []string{"context."} }), "Invalid request identity source"},
		{"two sources of a token", withAuthorizer(tag, func(a *apigw.Authorizer) {
			a.AuthorizerType, a.IdentitySource = "JWT", []string{"route.request.header.A", "route.request.header.B"}
		}), "one identity source"},
		{"token in a stage variable", withAuthorizer(tag, func(a *apigw.Authorizer) {
			a.AuthorizerType, a.IdentitySource = "JWT", []string{"stageVariables.token"}
		}), "is not one of route.request.header.{name}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, err := (&Builder{Region: "eu-west-1", Account: "123456789012"}).Build(test.api, devStage)
			got := "none"
			switch a.(type) {
			case *requestAuthorizer:
				got = "lambda"
			case *jwtAuthorizer:
				got = "jwt"
			}
			if err != nil {
				got = err.Error()
				_, refusal := Broken(err).Authorize(t.Context(), &handshake{})
				expect(t, "broken", refusal, 500, got)
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// Where settings of the tag, the route and the authorizer meet.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	api := lambdaAPI("route.request.querystring.token")
	api.Authorizers[0].AuthorizerType = "JWT"
	api.Tags = map[string]string{TagJWT: goodTag + " scope=a"}
	b := &Builder{}
	s := build(t, b, api).(*jwtAuthorizer).settings
	if s.source.String() != "route.request.querystring.token" || !cmp.Equal(s.scopes, []string{"a"}) {
		t.Errorf("got %+v", s)
	}
	api.Tags[TagJWT] += " source=subprotocol"
	api.Routes[1].AuthorizationScopes = []string{"b"}
	again := build(t, b, api).(*jwtAuthorizer)
	if s := again.settings; s.source.String() != "a subprotocol bearer.{token}" || !cmp.Equal(s.scopes, []string{"b"}) {
		t.Errorf("got %+v", s)
	}
	if again.issuer != b.issuer("https://login.example.com") {
		t.Error("stages of one issuer do not share its keys")
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	got, err := parseSettings("  issuer=https://login.example.com/a?\n")
	if err == nil {
		t.Errorf("got %+v", got)
	}
	got, err = parseSettings(goodTag + " audience=web scope=a scope=b source=route.request.header.X leeway=0s algorithm=ES256 claim=sub claim=x=y")
	want := &settings{
		issuer: "https://login.example.com", audiences: []string{"chat", "web"}, scopes: []string{"a", "b"},
		source: tokenSource{parameter: source{headerSource, "X", "route.request.header.X"}}, algorithms: algorithms[6:7], claims: []string{"sub", "x=y"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(settings{}, tokenSource{}, source{}), cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for tag, problem := range map[string]string{
		"":                             "issuer is missing",
		"audience=chat":                "issuer is missing",
		"issuer=https://a.example.com": "audience is missing",
		"issuer":                       `"issuer" is not of the form name=value`,
		"issuer=":                      "not of the form",
		"issuer=login.example.com":     "is not a URL",
		"issuer=https://":              "is not a URL",
		"issuer=https://a@b.example":   "is not a URL",
		"issuer=https://b.example#x":   "is not a URL",
		"issuer=http://b.example":      "must begin with https://",
		"issuer=ftp://localhost":       "must begin with https://",
		goodTag + " issuer=https://b":  "issuer is set twice",
		goodTag + " source=cookie":     "source cookie is not one of",
		goodTag + " source=subprotocol source=subprotocol": "source is set twice",
		goodTag + " leeway=1h":                             "leeway 1h is not a duration from 0s to 10m0s",
		goodTag + " leeway=5":                              "leeway 5 is not",
		goodTag + " leeway=-1s":                            "leeway -1s is not",
		goodTag + " leeway=1s leeway=1s":                   "leeway is set twice",
		goodTag + " algorithm=none":                        "algorithm none is not one of [RS256",
		goodTag + " algorithm=HS256":                       "algorithm HS256 is not one of",
		goodTag + " audiences=a":                           `no setting "audiences"; there are issuer`,
		goodTag + ";scope=a":                               "there are spaces between settings",
		goodTag + " scope=a,b":                             "is given several times",
	} {
		_, err := parseSettings(tag)
		if err == nil || !strings.Contains(err.Error(), problem) || !strings.HasPrefix(err.Error(), "tag stagedoor:jwt: ") {
			t.Errorf("%q: %v, want %s", tag, err, problem)
		}
	}
	for _, local := range []string{"http://localhost:8080", "http://127.0.0.1:1/x", "http://[::1]/"} {
		if _, err := parseSettings("issuer=" + local + " audience=a"); err != nil {
			t.Errorf("%s: %v", local, err)
		}
	}
}
