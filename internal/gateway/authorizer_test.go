package gateway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	client "github.com/coder/websocket"
	"github.com/go-jose/go-jose/v4"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// authorized is an API whose $connect has the Lambda authorizer "gate".
func authorized(routes ...Route) *apigw.API {
	api := API("testapi123", append([]Route{{Key: "$connect", Function: "c"}}, routes...)...)
	api.Routes[0].AuthorizationType, api.Routes[0].AuthorizerId = "CUSTOM", "abc123"
	api.Authorizers = []*apigw.Authorizer{{
		AuthorizerId: "abc123", Name: "gate", AuthorizerType: "REQUEST", AuthorizerUri: FunctionURI("gate"),
		IdentitySource: []string{"route.request.querystring.token"},
	}}
	return api
}

// grant is what an authorizer answers.
func grant(effect, context, more string) string {
	return fmt.Sprintf(`{"principalId":"ada","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":"execute-api:Invoke","Resource":"%s$connect"}]},"context":%s%s}`,
		effect, ofAPI, context, more)
}

// Rows of section A.5: what a client is told whom the authorizer does not let
// in. Neither $connect nor $disconnect runs.
func TestAuthorizerRefuses(t *testing.T) {
	t.Parallel()
	gate := map[string]Function{
		"allow":        Returns(grant("Allow", "{}", "")),
		"deny":         Returns(grant("Deny", "{}", "")),
		"elsewhere":    Returns(strings.ReplaceAll(grant("Allow", "{}", ""), "/dev/$connect", "/dev/*/*")),
		"malformed":    Returns(`{"principalId":"ada"}`),
		"object":       Returns(grant("Allow", `{"a":{}}`, "")),
		"Unauthorized": func(context.Context, Event) (string, error) { return "", errors.New("Unauthorized") },
		"throws": func(context.Context, Event) (string, error) {
			return "", errors.New("unauthorized\nevent=connect \"forged\"")
		},
	}
	const explicit = "User is not authorized to access this resource with an explicit deny in an identity-based policy"
	const implicit = "User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"
	tests := []struct {
		query   string
		status  int
		message string
		kind    string
	}{
		{"?token=allow", 101, "", ""},
		{"", 401, "Unauthorized", "UNAUTHORIZED"},
		{"?token=", 401, "Unauthorized", "UNAUTHORIZED"},
		{"?token=Unauthorized", 401, "Unauthorized", "UNAUTHORIZED"},
		{"?token=deny", 403, explicit, "ACCESS_DENIED"},
		{"?token=elsewhere", 403, implicit, "ACCESS_DENIED"},
		{"?token=throws", 500, "Internal server error", "AUTHORIZER_FAILURE"},
		{"?token=malformed", 500, "Internal server error", "AUTHORIZER_CONFIGURATION_ERROR"},
		{"?token=object", 500, "Internal server error", "AUTHORIZER_CONFIGURATION_ERROR"},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			t.Parallel()
			g := New(t, websocket.DriverAuto)
			g.Functions.Set("c", Returns(ok))
			g.Functions.Set("gate", func(ctx context.Context, e Event) (string, error) {
				var event struct{ QueryStringParameters map[string]string }
				if err := json.Unmarshal([]byte(e.Raw), &event); err != nil {
					t.Error(err)
				}
				return gate[event.QueryStringParameters["token"]](ctx, e)
			})
			g.Deploy(authorized(), &apigw.Stage{StageName: "dev"})
			_, response, err := g.TryDial("/dev" + test.query)
			if response == nil || response.StatusCode != test.status {
				t.Fatalf("%v %v, want %d", response, err, test.status)
			}
			connected := 0
			if test.status == 101 {
				connected = 1
			} else {
				wantError(t, response, test.message)
				record := g.Records.Wait(t, telemetry.EventConnect, 1)
				if record.Refused == nil || record.Refused.Result != test.kind || record.Refused.Source != "127.0.0.1" || record.Error == "" || strings.Contains(record.Error, "\n") {
					t.Errorf("%+v %+v", record, record.Refused)
				}
			}
			if n := len(g.Functions.Events("c")); n != connected {
				t.Errorf("$connect ran %d times", n)
			}
		})
	}
}

var handshakeError = regexp.MustCompile(`^\{"message": "([^"]*)", "connectionId":"[A-Za-z0-9_-]{18}==", "requestId":"([A-Za-z0-9_-]{15}=)"\}$`)

// wantError checks the gateway's own answer to a handshake: section A.5.
func wantError(t *testing.T, response *http.Response, message string) {
	t.Helper()
	var body [1024]byte
	n, _ := response.Body.Read(body[:])
	match := handshakeError.FindStringSubmatch(string(body[:n]))
	h := response.Header
	if match == nil || match[1] != message || match[2] != h.Get("x-amz-apigw-id") ||
		h.Get("Content-Type") != "application/json; charset=UTF-8" || h.Get("x-amzn-RequestId") != "" || h.Get("x-amzn-ErrorType") != "" {
		t.Errorf("%s %v, want %q", body[:n], h, message)
	}
}

// The authorizer's context is in all events of the connection (sections B.2 to
// B.4), in templates, and nowhere else: what a client put into it stays a value.
func TestAuthorizerContext(t *testing.T) {
	t.Parallel()
	const hostile = `"},\"admin\":\"true\"\r\nX-Admin: true\r\n\r\n$context.stage #set($x = 1)`
	encoded, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	g := New(t, websocket.DriverAuto)
	backend := NewBackend(t, nil)
	for _, name := range []string{"c", "m", "d"} {
		g.Functions.Set(name, Echo)
	}
	g.Functions.Set("c", Returns(ok))
	g.Functions.Set("gate", Returns(grant("Allow", `{"level":7,"admin":false,"empty":"","hostile":`+string(encoded)+`}`, "")))
	template := Mock(`{"statusCode": 200}`)
	template.IntegrationResponses = []*apigw.IntegrationResponse{answering("$default",
		`{"who": "$context.authorizer.principalId", "level": "$context.authorizer.level", "text": "$util.escapeJavaScript($context.authorizer.hostile)", "none": "$context.authorizer.none"}`)}
	header := &apigw.Integration{
		IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: backend.URL,
		RequestParameters: map[string]string{"integration.request.header.X-Text": "context.authorizer.hostile", "integration.request.header.X-Level": "context.authorizer.level"},
	}
	api := authorized(Route{Key: "$default", Function: "m", TwoWay: true}, Route{Key: "$disconnect", Function: "d"},
		Route{Key: "template", Integration: template, TwoWay: true}, Route{Key: "header", Integration: header, TwoWay: true})
	g.Deploy(api, &apigw.Stage{StageName: "dev", StageVariables: map[string]string{"v": "1"}})
	c := g.Dial("/dev?token=t")
	c.Send("hello")
	c.Receive()

	c.Send(`{"action":"template"}`)
	var answer map[string]string
	if text := c.Receive(); json.Unmarshal([]byte(text), &answer) != nil || answer["who"] != "ada" || answer["level"] != "7" || answer["text"] != hostile || answer["none"] != "" {
		t.Errorf("by a template: %s", text)
	}
	c.Send(`{"action":"header"}`)
	c.Receive()
	if call := backend.Last(t); call.Header.Get("X-Admin") != "" || call.Header.Get("X-Level") != "7" {
		t.Errorf("by a header: %v", call.Header)
	}
	_ = c.Close(client.StatusNormalClosure, "")
	g.Records.Wait(t, telemetry.EventDisconnect, 1)

	want := map[string]any{"principalId": "ada", "level": "7", "admin": "false", "empty": "", "hostile": hostile}
	for _, name := range []string{"c", "m", "d"} {
		var event struct {
			RequestContext struct{ Authorizer map[string]any }
		}
		raw := g.Functions.Events(name)[0].Raw
		if err := json.Unmarshal([]byte(raw), &event); err != nil {
			t.Fatal(err)
		}
		got := event.RequestContext.Authorizer
		if _, has := got["integrationLatency"].(float64); has != (name == "c") {
			t.Errorf("%s: integrationLatency in %s", name, raw)
		}
		delete(got, "integrationLatency")
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	// Section I.2: what the authorizer itself is asked.
	gate := g.Functions.Events("gate")
	for _, want := range []string{
		`{"type":"REQUEST","methodArn":"` + ofAPI + `$connect","headers":{`, `"queryStringParameters":{"token":"t"}`, `"stageVariables":{"v":"1"}`,
		`"requestContext":{"routeKey":"$connect","eventType":"CONNECT"`,
	} {
		if len(gate) != 1 || !strings.Contains(gate[0].Raw, want) {
			t.Errorf("%s is not in %v", want, gate)
		}
	}
}

// A token that is a subprotocol is not for backends, and is answered to the
// browser; the tag guards APIs without $connect too.
func TestTokenAsSubprotocol(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var issuer *Backend
	issuer = NewBackend(t, func(w http.ResponseWriter, r *http.Request) {
		var document any = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}}
		if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			document = map[string]string{"issuer": issuer.URL, "jwks_uri": issuer.URL + "/keys"}
		}
		_ = json.NewEncoder(w).Encode(document)
	})
	token := signedToken(t, key, fmt.Sprintf(`{"iss":%q,"aud":"chat","sub":"ada","exp":%d,"level":7}`, issuer.URL, time.Now().Add(time.Hour).Unix()))
	tag := map[string]string{"stagedoor:jwt": "issuer=" + issuer.URL + " audience=chat source=subprotocol"}
	offer := func(protocols ...string) func(*client.DialOptions) {
		return func(o *client.DialOptions) { o.Subprotocols = protocols }
	}
	bearer := "bearer." + token
	for name, test := range map[string]struct {
		offered  []string
		answers  string // of $connect
		seen     string // by $connect
		accepted string
		status   int
	}{
		"token alone":       {[]string{bearer}, ok, "", bearer, 101},
		"with another":      {[]string{"chat.v2", bearer, "chat.v1"}, ok, "chat.v2, chat.v1", "chat.v2", 101},
		"$connect chooses":  {[]string{"chat.v2", bearer, "chat.v1"}, `{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"chat.v1"}}`, "chat.v2, chat.v1", "chat.v1", 101},
		"a token of nobody": {[]string{bearer[:len(bearer)-8] + "AAAAAAAA"}, ok, "", "", 401},
		"none":              {[]string{"chat.v2"}, ok, "", "", 401},
		"two":               {[]string{bearer, bearer}, ok, "", "", 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := New(t, websocket.DriverAuto)
			g.Functions.Set("c", Returns(test.answers))
			guarded := API("testapi123", Route{Key: "$connect", Function: "c"})
			guarded.Tags = tag
			open := API("anotherapi", Route{Key: "$default", Function: "c"})
			open.Tags = tag
			g.Deploy(guarded, &apigw.Stage{StageName: "dev"})
			g.Deploy(open, &apigw.Stage{StageName: "bare"})
			_, response, err := g.TryDial("/dev", offer(test.offered...))
			if response == nil || response.StatusCode != test.status {
				t.Fatalf("%v %v", response, err)
			}
			if _, bare, err := g.TryDial("/bare", offer(test.offered...)); bare == nil || bare.StatusCode != test.status {
				t.Errorf("without $connect: %v %v", bare, err)
			}
			if test.status != 101 {
				wantError(t, response, "Unauthorized")
				return
			}
			event := g.Functions.Events("c")[0]
			if got := response.Header.Get("Sec-WebSocket-Protocol"); got != test.accepted || event.Headers["Sec-Websocket-Protocol"] != test.seen {
				t.Errorf("accepted %q, seen %q", got, event.Headers["Sec-Websocket-Protocol"])
			}
			if strings.Contains(event.Raw, token) || !strings.Contains(event.Raw, `"authorizer":{"principalId":"ada",`) || !strings.Contains(event.Raw, `"level":"7"`) {
				t.Errorf("$connect sees %s", event.Raw)
			}
		})
	}
}

func signedToken(t *testing.T, key *ecdsa.PrivateKey, claims string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
