package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/administration"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/store"
)

// newToken makes a token through the gateway, signed as the user who may do
// everything.
func (g *served) newToken(user string, actions ...string) *administration.AccessKey {
	g.t.Helper()
	policies := "[]"
	if len(actions) > 0 {
		policies = fmt.Sprintf(`[{"Statement":{"Effect":"Allow","Action":%s,"Resource":"*"}}]`, quoted(actions))
	}
	status, body := call(g.t, gatewaytest.HTTPClient, &key{"ALLOW", matrixSecret}, "apigateway", "POST", g.Admin+"/stagedoor/credentials",
		`{"userName":"`+user+`","bearer":true,"policies":`+policies+`}`)
	var made administration.AccessKey
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != 201 || made.Token == "" || made.AccessKeyID == "" || made.SecretAccessKey != "" {
		g.t.Fatalf("%v: %d %s", err, status, body)
	}
	return &made
}

func quoted(texts []string) string {
	text, _ := json.Marshal(texts) // texts always marshal
	return string(text)
}

// bearing sends a request with a token.
func bearing(t *testing.T, token, method, address, body string, header ...string) (status int, kind, text string) {
	t.Helper()
	return signing{}.send(t, method, address, body, append(header, "Authorization", "Bearer "+token)...)
}

// identifying makes the API of fill answer every message with the connection's id.
func identifying(t *testing.T, c *store.Configuration) error {
	t.Helper()
	api, revision, err := c.APIs.Get(t.Context(), "testapi123")
	if err != nil {
		return err
	}
	api.Integrations = []*apigw.Integration{{
		IntegrationId: "i1", IntegrationType: apigw.IntegrationMock,
		TemplateSelectionExpression: "$default", RequestTemplates: map[string]string{"$default": `{"statusCode": 200}`},
		IntegrationResponses: []*apigw.IntegrationResponse{{
			IntegrationResponseId: "ir", IntegrationResponseKey: "$default",
			TemplateSelectionExpression: "$default", ResponseTemplates: map[string]string{"$default": "$context.connectionId"},
		}},
	}}
	_, errAPI := c.APIs.Put(t.Context(), api, revision)
	deployment, revision, errDeployment := c.Deployments.Get(t.Context(), "testapi123", "d1")
	if errDeployment == nil {
		deployment.API = api
		_, errDeployment = c.Deployments.Put(t.Context(), deployment, revision)
	}
	return errors.Join(errAPI, errDeployment)
}

// A token pushes, and does with the control plane what its policies allow; it
// opens no handshake; and every refusal is AWS's and a line of the audit.
func TestServeTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guarded()
	s.change(func(c *store.Configuration) error { return identifying(t, c) })
	g := s.start(Config{})
	conn := g.dial()
	push := g.Public[0] + "/prod/@connections/" + url.PathEscape(gatewaytest.Ask(t, conn, "{}"))

	pusher := g.newToken("backend", "execute-api:ManageConnections")
	if status, _, text := bearing(t, pusher.Token, "POST", push, "hello"); status != 200 {
		t.Fatalf("a push: %d %s; the log:\n%s", status, text, &g.log)
	}
	if got := gatewaytest.Receive(t, conn); got != "hello" {
		t.Errorf("received %q", got)
	}
	admin, nobody, revoked := g.newToken("admin", "*"), g.newToken("nobody"), g.newToken("gone", "*")
	if status, _, text := bearing(t, admin.Token, "DELETE", g.Admin+"/stagedoor/credentials/"+revoked.AccessKeyID, ""); status != 204 {
		t.Errorf("revoking: %d %s", status, text)
	}
	const wrong = "UnrecognizedClientException"
	refusals := 0
	for _, tt := range []struct {
		name, token, method, address, body string
		status                             int
		kind                               string
	}{
		{"the pusher looks", pusher.Token, "GET", push, "", 200, ""},
		{"the pusher and the control plane", pusher.Token, "GET", g.Admin + "/v2/apis", "", 403, "AccessDeniedException"},
		{"the pusher and backups", pusher.Token, "GET", g.Admin + "/stagedoor/backup", "", 403, "AccessDeniedException"},
		{"the admin and the control plane", admin.Token, "GET", g.Admin + "/v2/apis", "", 200, ""},
		{"the admin changes something", admin.Token, "PATCH", g.Admin + "/v2/apis/testapi123", `{"description":"x"}`, 200, ""},
		{"the admin and access keys", admin.Token, "GET", g.Admin + "/stagedoor/credentials", "", 200, ""},
		{"nobody pushes", nobody.Token, "POST", push, "x", 403, "AccessDeniedException"},
		{"nobody and the control plane", nobody.Token, "POST", g.Admin + "/v2/apis", "{}", 403, "AccessDeniedException"},
		{"a revoked one pushes", revoked.Token, "POST", push, "x", 403, wrong},
		{"a revoked one and the control plane", revoked.Token, "GET", g.Admin + "/v2/apis", "", 403, wrong},
		{"an id alone", pusher.AccessKeyID, "POST", push, "x", 403, wrong},
		{"another's secret", pusher.AccessKeyID + "." + strings.Split(admin.Token, ".")[1], "POST", push, "x", 403, wrong},
		{"an access key", "ALLOW." + matrixSecret, "POST", push, "x", 403, wrong},
		{"nothing", "", "POST", push, "x", 403, wrong},
	} {
		status, kind, text := bearing(t, tt.token, tt.method, tt.address, tt.body)
		if status != tt.status || kind != tt.kind {
			t.Errorf("%s: %d %s %s, want %d %s", tt.name, status, kind, text, tt.status, tt.kind)
		}
		if tt.status == 403 {
			refusals++
		}
	}
	// A handshake has to be signed, whatever the token may do.
	if status, _, text := bearing(t, admin.Token, "GET", g.Public[0]+"/signed", "", upgradeLines...); status != 403 {
		t.Errorf("a handshake: %d %s", status, text)
	}
	refusals++
	// Nobody signs with a token's id.
	for _, secret := range []string{"", strings.Split(admin.Token, ".")[1], admin.Token} {
		how := signing{key: admin.AccessKeyID, secret: secret, service: "apigateway", at: time.Now()}
		if status, kind, text := how.send(t, "GET", g.Admin+"/v2/apis", ""); status != 403 || kind != wrong {
			t.Errorf("signed with %q: %d %s %s", secret, status, kind, text)
		}
		refusals++
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	log := g.log.String()
	if told := strings.Count(log, `msg="access refused"`); told != refusals {
		t.Errorf("%d lines of %d refusals", told, refusals)
	}
	if !strings.Contains(log, "caller=arn:aws:iam::123456789012:user/admin accessKeyId="+admin.AccessKeyID) {
		t.Errorf("the admin's changes are not in the log:\n%s", log)
	}
	for _, k := range []*administration.AccessKey{pusher, admin, nobody, revoked} {
		if strings.Contains(log, strings.Split(k.Token, ".")[1]) {
			t.Errorf("the token of %s is in the log", k.UserName)
		}
	}
}

// The lines of the documentation for curl: a push and the control plane with a
// token, with any curl; signed with one that escapes the path as Signature Version
// 4 wants it, which 8.9 was the first to do.
func TestServeCurl(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl")
	}
	s := newSite(t)
	s.guarded()
	s.change(func(c *store.Configuration) error { return identifying(t, c) })
	g := s.start(Config{})
	conn := g.dial()
	push := g.Public[0] + "/prod/@connections/" + gatewaytest.Ask(t, conn, "{}")
	token := g.newToken("backend", "execute-api:*", "apigateway:*").Token
	run := func(args ...string) (status, body string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
		defer cancel()
		out, err := exec.CommandContext(ctx, curl, append([]string{"-q", "-s", "-w", "\n%{http_code}"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		body, status, _ = cutLast(string(out), "\n")
		return status, body
	}
	for name, args := range map[string][]string{
		"a token and the control plane":  {"-H", "Authorization: Bearer " + token, g.Admin + "/v2/apis"},
		"--oauth2-bearer":                {"--oauth2-bearer", token, g.Admin + "/v2/apis"},
		"signed, for the control plane":  {"--aws-sigv4", "aws:amz:us-east-1:apigateway", "--user", "ALLOW:" + matrixSecret, g.Admin + "/v2/apis"},
		"signed, with a query in order":  {"--aws-sigv4", "aws:amz:us-east-1:apigateway", "--user", "ALLOW:" + matrixSecret, g.Admin + "/v2/apis?maxResults=10"},
		"signed, to change the stage":    {"--aws-sigv4", "aws:amz:us-east-1:apigateway", "--user", "ALLOW:" + matrixSecret, "-X", "PATCH", "--json", `{"description":"x"}`, g.Admin + "/v2/apis/testapi123/stages/prod"},
		"a token and a push that exists": {"-H", "Authorization: Bearer " + token, push},
	} {
		if status, body := run(args...); status != "200" {
			t.Errorf("%s: %s %s", name, status, body)
		}
	}
	if status, body := run("-H", "Authorization: Bearer "+token, "-d", "hello", push); status != "200" {
		t.Errorf("a push with a token: %s %s", status, body)
	}
	if got := gatewaytest.Receive(t, conn); got != "hello" {
		t.Errorf("received %q", got)
	}
	status, body := run("--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", "ALLOW:"+matrixSecret, "-d", "signed", push)
	switch escapes := escapesPaths(t, curl); {
	case escapes && status == "200":
		if got := gatewaytest.Receive(t, conn); got != "signed" {
			t.Errorf("received %q", got)
		}
	case escapes, !strings.Contains(body, "The request signature we calculated does not match"):
		t.Errorf("a push signed by this curl: %s %s", status, body)
	}
}

// cutLast is strings.Cut at the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}

// escapesPaths reports whether a curl escapes the path that it signs.
func escapesPaths(t *testing.T, curl string) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), curl, "-q", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(out), "curl %d.%d", &major, &minor); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return major > 8 || major == 8 && minor >= 9
}
