package identity

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// kinds are the operations of the gateway that credentials guard.
var kinds = []struct {
	name, method, path string
	Permission
	masked string // the resource as refusals tell it
}{
	{
		"push", http.MethodPost, "/prod/@connections/L0SM9cOFvHcCIhw%3D",
		Permission{ServiceExecuteAPI, ActionManageConnections, ConnectionResource(region, account, "abc123", "prod", "POST")},
		"arn:aws:execute-api:eu-west-1:********3333:abc123/prod/POST/@connections/{connectionId}",
	},
	{
		"look", http.MethodGet, "/prod/%40connections/L0SM9cOFvHcCIhw%3D",
		Permission{ServiceExecuteAPI, ActionManageConnections, ConnectionResource(region, account, "abc123", "prod", "GET")},
		"arn:aws:execute-api:eu-west-1:********3333:abc123/prod/GET/@connections/{connectionId}",
	},
	{
		"disconnect", http.MethodDelete, "/prod/@connections/L0SM9cOFvHcCIhw=",
		Permission{ServiceExecuteAPI, ActionManageConnections, ConnectionResource(region, account, "abc123", "prod", "DELETE")},
		"arn:aws:execute-api:eu-west-1:********3333:abc123/prod/DELETE/@connections/{connectionId}",
	},
	{
		"connect", http.MethodGet, "/prod",
		Permission{ServiceExecuteAPI, ActionInvoke, "arn:aws:execute-api:eu-west-1:111122223333:abc123/prod/$connect"},
		"arn:aws:execute-api:eu-west-1:********3333:abc123/prod/$connect",
	},
	{
		"read the configuration", http.MethodGet, "/v2/apis?maxResults=10",
		Permission{ServiceControl, "apigateway:GET", "arn:aws:apigateway:eu-west-1::/apis"},
		"arn:aws:apigateway:eu-west-1::/apis",
	},
	{
		"change the configuration", http.MethodPatch, "/v2/apis/abc123",
		Permission{ServiceControl, "apigateway:PATCH", "arn:aws:apigateway:eu-west-1::/apis/abc123"},
		"arn:aws:apigateway:eu-west-1::/apis/abc123",
	},
}

// TestMatrix has every kind of credentials with every kind of policy on every
// kind of operation, in the header and presigned. Texts: section A.5 and F.4.
func TestMatrix(t *testing.T) {
	t.Parallel()
	const (
		everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
		nothing    = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`
	)
	var all []Credential
	for name, policies := range map[string][]string{"ALLOW": {everything}, "DENY": {everything, nothing}, "NONE": nil} {
		right, expired, disabled := credential(name, policies...), credential(name+"-EXPIRED", policies...), credential(name+"-DISABLED", policies...)
		expired.Expires = now()
		right.Expires = now().Add(time.Nanosecond)
		disabled.Disabled = true
		all = append(all, right, expired, disabled)
	}
	d := newDirectory(t, all...)

	signers := map[string]struct {
		signing
		kind, message string // of the refusal; "" for one that is known
	}{
		"none":          {signing{}, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"unknown":       {signing{id: "-UNKNOWN", secret: secret}, "UnrecognizedClientException", "The security token included in the request is invalid."},
		"disabled":      {signing{id: "-DISABLED", secret: secret}, "UnrecognizedClientException", "The security token included in the request is invalid."},
		"expired":       {signing{id: "-EXPIRED", secret: secret}, "ExpiredTokenException", "The security token included in the request is expired"},
		"wrong secret":  {signing{id: "+", secret: "not the secret of this user"}, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided."},
		"old signature": {signing{id: "+", secret: secret, at: now().Add(-6 * time.Minute)}, "InvalidSignatureException", "Signature expired: 20260301T122445Z is now earlier than 20260301T122545Z (20260301T123045Z - 5 min.)"},
		"session token": {signing{id: "+", secret: secret, token: "token"}, "UnrecognizedClientException", "The security token included in the request is invalid. This gateway knows no session tokens"},
		"other service": {signing{id: "+", secret: secret, service: "s3"}, "InvalidSignatureException", "Credential should be scoped to correct service: '"},
		"right":         {signing{id: "+", secret: secret}, "", ""},
	}
	for _, kind := range kinds {
		g := newGuard(t, d, kind.Permission)
		for signer, how := range signers {
			for _, policy := range []string{"ALLOW", "DENY", "NONE"} {
				for _, presigned := range []bool{false, true} {
					s := how.signing
					s.presigned = presigned
					if s.id != "" {
						s.id = policy + strings.TrimPrefix(s.id, "+")
					}
					if s.service == "" {
						s.service = kind.Service
					}
					name := strings.Join([]string{kind.name, signer, policy}, "/")
					got := g.call(t, kind.method, kind.path, "", s)
					if how.kind != "" {
						wantRefused(t, name, got, how.kind, "message", how.message)
						continue
					}
					arn := "arn:aws:iam::111122223333:user/user-of-" + policy
					denial := "User: " + arn + " is not authorized to perform: " + kind.Action + " on resource: " + kind.masked
					switch policy {
					case "ALLOW":
						if got.status != http.StatusOK || got.body != arn {
							t.Errorf("%s: %+v", name, got)
						}
					case "DENY":
						wantRefused(t, name, got, "AccessDeniedException", "Message", denial+" with an explicit deny in an identity-based policy")
					case "NONE":
						wantRefused(t, name, got, "AccessDeniedException", "Message", denial+" because no identity-based policy allows the "+kind.Action+" action")
					}
				}
			}
		}
	}
}

// wantRefused checks a 403 and how its text begins.
func wantRefused(t *testing.T, name string, got answer, kind, member, message string) {
	t.Helper()
	gotMember, gotMessage := got.message(t)
	if got.status != http.StatusForbidden || got.kind != kind || gotMember != member || !strings.HasPrefix(gotMessage, message) {
		t.Errorf("%s: %+v, want %s, %s %q", name, got, kind, member, message)
	}
}

// TestBodyIsSigned: what was signed is what arrives.
func TestBodyIsSigned(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, credential("ALLOW", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://host/prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, r, "hello", signing{id: "ALLOW", secret: secret, service: ServiceExecuteAPI})
	if id, err := d.Authenticate(r, []byte("hello"), ServiceExecuteAPI); err != nil || id.User != "user-of-ALLOW" {
		t.Errorf("%+v, %v", id, err)
	}
	if id, err := d.Authenticate(r, []byte("hullo"), ServiceExecuteAPI); err == nil {
		t.Errorf("another body passes for %+v", id)
	}
}
