package gateway_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	client "github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

const (
	account   = "123456789012"
	secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	ofAPI     = "arn:aws:execute-api:us-east-1:123456789012:testapi123/dev/"
	masked    = "arn:aws:execute-api:us-east-1:********9012:testapi123/dev/"
)

// guardedBy is a gateway with access keys, whose $connect wants a signature. The
// id is that of a connection which the key ADMIN opened.
func guardedBy(t *testing.T, keys ...identity.Credential) (g *Gateway, directory *identity.Directory, id string) {
	t.Helper()
	directory = identity.New(identity.Options{Region: "us-east-1", Account: account})
	keys = append(keys, accessKey("ADMIN", allowing("*", "*")))
	if err := directory.Replace(identity.Configuration, keys); err != nil {
		t.Fatal(err)
	}
	g = NewGuarded(t, websocket.DriverAuto, gateway.Guards{Identities: directory})
	g.Functions.Set("c", Returns(ok))
	api := API("testapi123", Route{Key: "$connect", Function: "c"}, Route{Key: "$default", Function: "c"})
	api.Routes[0].AuthorizationType = "AWS_IAM"
	g.Deploy(api, &apigw.Stage{StageName: "dev"})
	if response, body := send(t, g, "GET", "/dev", "", signer{key: "ADMIN"}); response.StatusCode != 101 {
		t.Fatalf("%d %s", response.StatusCode, body)
	}
	return g, directory, g.Functions.Events("c")[0].RequestContext.ConnectionID
}

func accessKey(id string, policies ...string) identity.Credential {
	return identity.Credential{User: strings.ToLower(id), AccessKeyID: id, Secret: secretKey, Policies: policies}
}

func statement(effect, action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":%q,"Action":%q,"Resource":%q}}`, effect, action, resource)
}

func allowing(action, resource string) string { return statement("Allow", action, resource) }

type dialOption = func(*client.DialOptions)

// signer is how a request is signed; without a key it is not.
type signer struct {
	key, secret string
	presigned   bool
	at          time.Time
	service     string
}

// send sends a request, signed. A GET outside of @connections is a handshake,
// whose connection stays open.
func send(t *testing.T, g *Gateway, method, path, body string, s signer) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.URL(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.key != "" {
		sign(t, r, body, s)
	}
	if method == http.MethodGet && !strings.Contains(path, "connections/") {
		var options []dialOption
		for name := range r.Header {
			options = append(options, Header(name, r.Header.Get(name)))
		}
		_, response, err := g.TryDial(r.URL.RequestURI(), options...)
		if response == nil {
			t.Fatal(err)
		}
		if err == nil {
			return response, ""
		}
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(text)
	}
	var header []string
	for name := range r.Header {
		header = append(header, name, r.Header.Get(name))
	}
	return g.Do(method, r.URL.String(), []byte(body), header...)
}

func sign(t *testing.T, r *http.Request, body string, s signer) {
	t.Helper()
	if s.secret == "" {
		s.secret = secretKey
	}
	if s.at.IsZero() {
		s.at = time.Now()
	}
	if s.service == "" {
		s.service = "execute-api"
	}
	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: s.key, SecretAccessKey: s.secret}
	if !s.presigned {
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), s.service, "us-east-1", s.at); err != nil {
			t.Fatal(err)
		}
		return
	}
	address, _, err := v4.NewSigner().PresignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), s.service, "us-east-1", s.at)
	if err == nil {
		r.URL, err = url.Parse(address)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Every kind of credentials with every kind of policy on every kind of operation
// of the public listener: specification, sections A.5, F.4, F.5 and I.3.
func TestSignatures(t *testing.T) {
	t.Parallel()
	everything, nothing := allowing("*", "*"), statement("Deny", "*", "*")
	var keys []identity.Credential
	for name, policies := range map[string][]string{"ALLOW": {everything}, "DENY": {everything, nothing}, "NONE": nil} {
		expired := accessKey(name+"-EXPIRED", policies...)
		expired.Expires = time.Now().Add(-time.Second)
		keys = append(keys, accessKey(name, policies...), expired)
	}
	g, _, id := guardedBy(t, keys...)
	gone := strings.ReplaceAll(connections.NewID(7).String(), "=", "%3D")
	id = strings.ReplaceAll(id, "=", "%3D")
	operations := []struct {
		name, method, path string
		action, resource   string
		status             int // for whom it is allowed
	}{
		{"connect", "GET", "/dev", "execute-api:Invoke", "$connect", 101},
		{"post", "POST", "/dev/@connections/" + id, "execute-api:ManageConnections", "POST/@connections/{connectionId}", 200},
		{"post to nobody", "POST", "/dev/@connections/" + gone, "execute-api:ManageConnections", "POST/@connections/{connectionId}", 410},
		{"get", "GET", "/dev/%40connections/" + id, "execute-api:ManageConnections", "GET/@connections/{connectionId}", 200},
		{"delete", "DELETE", "/dev/@connections/" + gone, "execute-api:ManageConnections", "DELETE/@connections/{connectionId}", 410},
	}
	credentials := []struct {
		name string
		signer
		message string // the beginning of what a refusal tells; "" for a right signature
		kind    string
	}{
		{"none", signer{}, "Missing Authentication Token", "MissingAuthenticationTokenException"},
		{"unknown", signer{key: "-UNKNOWN"}, "The security token included in the request is invalid.", "UnrecognizedClientException"},
		{"wrong secret", signer{key: "+", secret: "not the secret of the user"}, "The request signature we calculated does not match the signature you provided.", "InvalidSignatureException"},
		{"expired key", signer{key: "-EXPIRED"}, "The security token included in the request is expired", "ExpiredTokenException"},
		{"old signature", signer{key: "+", at: time.Now().Add(-time.Hour)}, "Signature expired: ", "InvalidSignatureException"},
		{"another service", signer{key: "+", service: "apigateway"}, "Credential should be scoped to correct service: 'execute-api'.", "InvalidSignatureException"},
		{"right", signer{key: "+"}, "", ""},
	}
	for _, operation := range operations {
		for _, credential := range credentials {
			for _, policy := range []string{"ALLOW", "DENY", "NONE"} {
				for _, presigned := range []bool{false, true} {
					s := credential.signer
					s.presigned = presigned
					if s.key != "" {
						s.key = policy + strings.TrimPrefix(s.key, "+")
					}
					name := fmt.Sprint(operation.name, "/", credential.name, "/", policy, "/presigned ", presigned)
					sent := ""
					if operation.method == http.MethodPost {
						sent = "hello"
					}
					response, body := send(t, g, operation.method, operation.path, sent, s)
					want, kind := credential.message, credential.kind
					if want == "" && policy == "ALLOW" {
						if response.StatusCode != operation.status {
							t.Errorf("%s: %d %s", name, response.StatusCode, body)
						}
						continue
					}
					if want == "" {
						reason := " because no identity-based policy allows the " + operation.action + " action"
						if policy == "DENY" {
							reason = " with an explicit deny in an identity-based policy"
						}
						kind, want = "AccessDeniedException", "User: arn:aws:iam::123456789012:user/"+strings.ToLower(policy)+" is not authorized to perform: "+
							operation.action+" on resource: "+masked+operation.resource+reason
					}
					wantRefusal(t, name, response, body, operation.method == "GET" && operation.name == "connect", kind, want)
				}
			}
		}
	}
}

// wantRefusal checks a 403. That of a handshake has the ids and no type, A.5;
// that of @connections has a type, F.4.
func wantRefusal(t *testing.T, name string, response *http.Response, body string, handshake bool, kind, message string) {
	t.Helper()
	var members map[string]string
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Errorf("%s: %s: %v", name, body, err)
	}
	member := "message"
	if handshake {
		kind = ""
		if members["requestId"] == "" || members["requestId"] != response.Header.Get("x-amz-apigw-id") || members["connectionId"] == "" || response.Header.Get("x-amzn-RequestId") != "" {
			t.Errorf("%s: %v %s", name, response.Header, body)
		}
	} else if kind == "AccessDeniedException" {
		member = "Message"
	}
	if response.StatusCode != 403 || !strings.HasPrefix(members[member], message) || response.Header.Get("x-amzn-ErrorType") != kind {
		t.Errorf("%s: %d %v %s, want %s", name, response.StatusCode, response.Header, body, message)
	}
}

// What policies see of a connection, and that a connection of one API is nobody's
// in another: specification, section F.5.
func TestConnectionPolicies(t *testing.T) {
	t.Parallel()
	const manage = "execute-api:ManageConnections"
	tests := []struct {
		name, resource string
		method         string
		status         int
	}{
		{"the literal form", ofAPI + "POST/@connections/{connectionId}", "POST", 200},
		{"a wildcard", ofAPI + "POST/@connections/*", "POST", 200},
		{"the stage", ofAPI + "*", "GET", 200},
		{"another method", ofAPI + "POST/@connections/*", "GET", 403},
		{"another stage", "arn:aws:execute-api:us-east-1:123456789012:testapi123/prod/*", "POST", 403},
		{"another API", "arn:aws:execute-api:us-east-1:123456789012:anotherapi/dev/*", "POST", 403},
		{"without the suffix", ofAPI + "POST/@connections", "POST", 403},
		{"the id itself", ofAPI + "POST/@connections/%s", "POST", 403},
	}
	var keys []identity.Credential
	for i, test := range tests[:len(tests)-1] {
		keys = append(keys, accessKey(fmt.Sprint("KEY", i), allowing(manage, test.resource)))
	}
	keys = append(keys, accessKey("OTHER", allowing(manage, "arn:aws:execute-api:us-east-1:123456789012:anotherapi/*")))
	g, directory, id := guardedBy(t, keys...)
	if err := directory.Put(identity.Store, accessKey(fmt.Sprint("KEY", len(tests)-1), allowing(manage, fmt.Sprintf(tests[len(tests)-1].resource, id)))); err != nil {
		t.Fatal(err)
	}
	path := "/dev/@connections/" + strings.ReplaceAll(id, "=", "%3D")
	for i, test := range tests {
		if response, body := send(t, g, test.method, path, "", signer{key: fmt.Sprint("KEY", i)}); response.StatusCode != test.status {
			t.Errorf("%s: %d %s, want %d", test.name, response.StatusCode, body, test.status)
		}
	}
	g.Deploy(API("anotherapi", Route{Key: "$default", Function: "c"}), &apigw.Stage{StageName: "foreign"})
	foreign := strings.Replace(path, "/dev/", "/foreign/", 1)
	for key, status := range map[string]int{"OTHER": 410, "ADMIN": 410, "KEY2": 403} {
		if response, body := send(t, g, "POST", foreign, "x", signer{key: key}); response.StatusCode != status {
			t.Errorf("%s, by another API: %d %s, want %d", key, response.StatusCode, body, status)
		}
	}
	// An id that cannot be is told before anything is asked.
	if response, body := send(t, g, "POST", "/dev/@connections/nonsense", "x", signer{}); response.StatusCode != 400 || body != `{"message":"Invalid connectionId: nonsense"}` {
		t.Errorf("%d %s", response.StatusCode, body)
	}
}

// What the signer's identity becomes in events (section B.2), and what is
// recorded of who is refused.
func TestSignerIsKnown(t *testing.T) {
	t.Parallel()
	g, _, _ := guardedBy(t, accessKey("NONE"))
	const identityOfAdmin = `"identity":{"accountId":"123456789012","caller":"AIDA`
	raw := g.Functions.Events("c")[0].Raw
	for _, want := range []string{identityOfAdmin, `"userArn":"arn:aws:iam::123456789012:user/admin","accessKey":"ADMIN"`, `"sourceIp":"127.0.0.1"`} {
		if !strings.Contains(raw, want) {
			t.Errorf("%s is not in %s", want, raw)
		}
	}
	send(t, g, "GET", "/dev", "", signer{key: "NONE"})
	send(t, g, "GET", "/dev", "", signer{key: "NONE", secret: "not the secret of the user"})
	send(t, g, "GET", "/dev", "", signer{})
	send(t, g, "POST", "/dev/@connections/"+strings.ReplaceAll(connections.NewID(7).String(), "=", "%3D"), "", signer{key: "NONE"})
	connect := telemetry.Access{Source: "127.0.0.1", Action: "execute-api:Invoke", Resource: ofAPI + "$connect"}
	want := []telemetry.Access{connect, connect, connect, {
		Caller: "arn:aws:iam::123456789012:user/none", Source: "127.0.0.1", Action: "execute-api:ManageConnections",
		Resource: ofAPI + "POST/@connections/{connectionId}", Result: "AccessDeniedException",
	}}
	want[0].Caller, want[0].Result = "arn:aws:iam::123456789012:user/none", "ACCESS_DENIED"
	want[1].Caller, want[1].Result = "unverified access key NONE", "INVALID_SIGNATURE"
	want[2].Result = "MISSING_AUTHENTICATION_TOKEN"
	var got []telemetry.Access
	for i, n := 1, 0; i <= 4; i++ {
		record := g.Records.Wait(t, telemetry.EventConnect, i)
		if record.Refused != nil {
			got = append(got, *record.Refused)
			n++
		}
		if strings.Contains(record.Error, "\n") {
			t.Errorf("what was signed is in the record: %s", record.Error)
		}
	}
	got = append(got, *g.Records.Wait(t, telemetry.EventPush, 1).Refused)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
