package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// matrixKeys are a user that is allowed everything, one that is denied
// everything, and one without a policy, each with a key that has expired.
const matrixKeys = `
credentials:
  - {user: allow, accessKeyId: ALLOW, secretAccessKeyFile: secret, policies: [&all {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]}
  - {user: deny, accessKeyId: DENY, secretAccessKeyFile: secret, policies: [*all, &none {Version: 2012-10-17, Statement: [{Effect: Deny, Action: "*", Resource: "*"}]}]}
  - {user: none, accessKeyId: NONE, secretAccessKeyFile: secret}
  - {user: allow, accessKeyId: ALLOW-EXPIRED, secretAccessKeyFile: secret, expires: "2026-01-01T00:00:00Z", policies: [*all]}
  - {user: deny, accessKeyId: DENY-EXPIRED, secretAccessKeyFile: secret, expires: "2026-01-01T00:00:00Z", policies: [*all, *none]}
  - {user: none, accessKeyId: NONE-EXPIRED, secretAccessKeyFile: secret, expires: "2026-01-01T00:00:00Z"}
`

const matrixSecret = "the secret of all of these users"

// signing is how a request of the matrix is signed.
type signing struct {
	key, secret, service string
	at                   time.Time
	life                 string // X-Amz-Expires; "" for a signature in the header
}

// send sends a request, signed unless there is no key, with more header lines
// than those that are signed; Host may be the first. Of a handshake that is
// accepted the connection is closed at once.
func (s signing) send(t *testing.T, method, address, body string, header ...string) (status int, kind, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if len(header) > 0 && header[0] == "Host" {
		r.Host, header = header[1], header[2:]
	}
	if s.key != "" {
		s.sign(t, r, body)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := gatewaytest.HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusSwitchingProtocols {
		return answer.StatusCode, "", ""
	}
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("x-amzn-ErrorType"), string(said)
}

func (s signing) sign(t *testing.T, r *http.Request, body string) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: s.key, SecretAccessKey: s.secret}
	if s.life == "" {
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), s.service, "us-east-1", s.at); err != nil {
			t.Fatal(err)
		}
		return
	}
	query := r.URL.Query()
	query.Set("X-Amz-Expires", s.life)
	r.URL.RawQuery = query.Encode()
	signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), s.service, "us-east-1", s.at)
	if err == nil {
		r.URL, err = url.Parse(signed)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// upgradeLines make a GET a WebSocket handshake.
var upgradeLines = []string{
	"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==",
}

// TestServeMatrix has every kind of credentials with every kind of policy on
// every kind of operation of every listener, in the header and presigned: nobody
// gets in but with the right key and a policy that allows it, and every refusal
// is a line of the audit. Specification: sections A.5, F.4, F.5.
func TestServeMatrix(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guarded()
	g := s.start(Config{})

	const (
		control = "apigateway"
		execute = "execute-api"
	)
	gone := strings.ReplaceAll(connections.NewID(1).String(), "=", "%3D")
	empty := hex.EncodeToString(sha256.New().Sum(nil))
	api := `{"name":"a","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`
	operations := []struct {
		service, method, address, body string
		status                         int // for whom it is allowed
	}{
		{control, "GET", g.Admin + "/v2/apis", "", 200},
		{control, "POST", g.Admin + "/v2/apis", api, 201},
		{control, "PATCH", g.Admin + "/v2/apis/nothere", "{}", 404},
		{control, "DELETE", g.Admin + "/v2/apis/nothere", "", 404},
		{control, "GET", g.Admin + "/v2/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapis%2Ftestapi123", "", 200},
		{control, "GET", g.Admin + "/v2/nosuchthing", "", 404},
		{control, "GET", g.Admin + "/apikeys", "", 200},
		{control, "POST", g.Admin + "/apikeys", `{"enabled":true}`, 201},
		{control, "DELETE", g.Admin + "/usageplans/nothere", "", 404},
		{control, "POST", g.Admin + "/2015-03-31/functions/f/invocations", "{}", 404}, // functions are called by the gateway alone
		{control, "GET", g.Admin + "/stagedoor/backup", "", 200},
		{control, "POST", g.Admin + "/stagedoor/restore?replace=false&sha256=" + empty, "", 409},
		{control, "GET", g.Admin + "/stagedoor/credentials", "", 200},
		{control, "POST", g.Admin + "/stagedoor/credentials", `{"userName":"new"}`, 201},
		{control, "DELETE", g.Admin + "/stagedoor/credentials/AKIANOTHERE", "", 404},
		{control, "GET", g.Admin + "/stagedoor/", "", 404},
		{execute, "POST", g.Public[0] + "/prod/@connections/" + gone, "hello", 410},
		{execute, "GET", g.Public[0] + "/prod/@connections/" + gone, "", 410},
		{execute, "DELETE", g.Public[0] + "/prod/%40connections/" + gone, "", 410},
		{execute, "GET", g.Public[0] + "/signed", "", 101}, // a handshake
	}
	now := time.Now()
	signers := []struct {
		name string
		signing
		kind string // of the refusal; "" for a right signature
	}{
		{"no credentials", signing{}, "MissingAuthenticationTokenException"},
		{"an unknown key", signing{key: "-UNKNOWN", secret: matrixSecret, at: now}, "UnrecognizedClientException"},
		{"a wrong secret", signing{key: "+", secret: "not the secret of these users", at: now}, "InvalidSignatureException"},
		{"an expired key", signing{key: "-EXPIRED", secret: matrixSecret, at: now}, "ExpiredTokenException"},
		{"an old signature", signing{key: "+", secret: matrixSecret, at: now.Add(-time.Hour)}, "InvalidSignatureException"},
		{"another service", signing{key: "+", secret: matrixSecret, at: now, service: "s3"}, "InvalidSignatureException"},
		{"the right ones", signing{key: "+", secret: matrixSecret, at: now}, ""},
	}
	refusals := 0
	for _, operation := range operations {
		for _, signer := range signers {
			for _, policy := range []string{"ALLOW", "DENY", "NONE"} {
				for _, life := range []string{"", "300"} {
					how := signer.signing
					how.life = life
					if how.key != "" {
						how.key = policy + strings.TrimPrefix(how.key, "+")
					}
					if how.service == "" {
						how.service = operation.service
					}
					var header []string
					isHandshake := operation.status == http.StatusSwitchingProtocols
					if isHandshake {
						header = upgradeLines
					}
					status, kind, text := how.send(t, operation.method, operation.address, operation.body, header...)
					name := fmt.Sprint(operation.method, " ", operation.address, ", ", signer.name, ", ", policy, ", presigned ", life != "")
					want, wantKind := http.StatusForbidden, signer.kind
					switch {
					case signer.kind == "" && policy == "ALLOW":
						if status != operation.status {
							t.Errorf("%s: %d %s %s, want %d", name, status, kind, text, operation.status)
						}
						continue
					case signer.kind == "":
						wantKind = "AccessDeniedException"
					}
					if isHandshake {
						wantKind = ""
					}
					if refusals++; status != want || kind != wantKind {
						t.Errorf("%s: %d %s %s, want %d %s", name, status, kind, text, want, wantKind)
					}
				}
			}
		}
	}
	// What the one port has is not on the other, whoever asks.
	admin := signing{key: "ALLOW", secret: matrixSecret, at: now, service: control}
	for _, path := range []string{"/v2/apis", "/apikeys", "/stagedoor/backup", "/stagedoor/credentials", "/healthz", "/2015-03-31/functions/f/invocations"} {
		if status, kind, text := admin.send(t, "GET", g.Public[0]+path, ""); status != http.StatusForbidden || kind != "ForbiddenException" {
			t.Errorf("%s on the public port: %d %s %s", path, status, kind, text)
		}
	}
	for _, path := range []string{"/prod/@connections/" + gone, "/prod", "/signed"} {
		if status, _, text := admin.send(t, "GET", g.Admin+path, "", upgradeLines...); status != http.StatusNotFound {
			t.Errorf("%s on the admin port: %d %s", path, status, text)
		}
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	if told := strings.Count(g.log.String(), `msg="access refused"`); told != refusals {
		t.Errorf("%d lines of %d refusals", told, refusals)
	}
	if strings.Contains(g.log.String(), matrixSecret) {
		t.Error("a secret is in the log")
	}
}
