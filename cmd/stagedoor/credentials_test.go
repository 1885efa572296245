//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// From nothing to a gateway that lets one in, to another key through it, to the
// end of the first: all without a restart.
func TestCredentials(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	first := newKey(t, nil, "admin", "--allow", "*", "--data", folder)
	p := start(t, nil, "--data", folder)
	allowed := func(want bool, by string, got result) {
		t.Helper()
		if (got.code == exitOK) != want {
			t.Errorf("%s: %+v", by, got)
		}
	}
	list := []string{"credentials", "list", "--gateway", p.Admin}
	allowed(false, "nobody", tool(t, nil, "", list...))
	allowed(true, "the first", tool(t, first, "", list...))
	second := newKey(t, first, "admin", "--allow", "stagedoor:*,apigateway:*", "--expires", "1h", "--gateway", p.Admin)
	listed := must(t, second, "", list...)
	if strings.Count(listed, "\n") != 3 || !strings.Contains(listed, second.AccessKeyID) || strings.Contains(listed, second.SecretAccessKey) {
		t.Errorf("the list:\n%s", listed)
	}
	if full := must(t, second, "", append(list, "--json")...); strings.Contains(full, second.SecretAccessKey) || !strings.Contains(full, `"apigateway:*"`) {
		t.Errorf("the list:\n%s", full)
	}
	must(t, second, "", "credentials", "revoke", first.AccessKeyID, "--gateway", p.Admin)
	got := tool(t, first, "", list...)
	allowed(false, "the revoked", got)
	if !strings.Contains(got.stderr, "UnrecognizedClientException") {
		t.Errorf("the revoked: %s", got.stderr)
	}
	reader := newKey(t, second, "reader", "--allow", "apigateway:GET", "--gateway", p.Admin)
	got = tool(t, reader, "", "credentials", "create", "another", "--gateway", p.Admin)
	allowed(false, "the reader", got)
	if !strings.Contains(got.stderr, "stagedoor:CreateAccessKey") {
		t.Errorf("the reader: %s", got.stderr)
	}
	got = tool(t, second, "", "credentials", "revoke", "AKIANONE", "--gateway", p.Admin)
	if got.code != exitFailure || !strings.Contains(got.stderr, "there is no access key AKIANONE in the store") {
		t.Errorf("an unknown one: %+v", got)
	}
	for _, secret := range []string{first.SecretAccessKey, second.SecretAccessKey, reader.SecretAccessKey} {
		if strings.Contains(p.log.String(), secret) {
			t.Errorf("a secret is in the log:\n%s", p.log)
		}
	}
}

func TestCredentialsRefusals(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"create x --expires tomorrow", exitUsage, `"tomorrow" is neither a time`},
		{"create x --expires 2001-01-01T00:00:00Z", exitFailure, "it would have ended on 2001-01-01"},
		{"create x --json --export", exitUsage, "exclude each other"},
		{"create x --policy /does/not/exist", exitUsage, "no such file"},
		{"create x --policy credentials_test.go", exitUsage, "is not JSON"},
		{"create x --allow everything", exitFailure, `"everything" is malformed`},
		{"create a/b", exitFailure, "the user's name"},
		{"revoke AKIANONE", exitFailure, "there is no access key AKIANONE"},
		{"list --gateway nonsense", exitUsage, "--gateway asks a gateway that runs"},
		{"list --ca x", exitUsage, "they need --gateway"},
	} {
		got := tool(t, nil, "", strings.Fields("credentials "+tt.args+" --data "+folder)...)
		if got.code != tt.code || !strings.Contains(got.stderr, tt.want) || got.stdout != "" {
			t.Errorf("%s: %+v", tt.args, got)
		}
	}
	if got := tool(t, nil, "", "credentials", "list", "--gateway", "nonsense"); got.code != exitUsage || !strings.Contains(got.stderr, "is not the URL of a gateway's admin port") {
		t.Errorf("%+v", got)
	}
	exported := must(t, nil, "", "credentials", "create", "x", "--export", "--region", "eu-central-1", "--data", folder)
	if !strings.HasPrefix(exported, "export AWS_ACCESS_KEY_ID=AKIA") || !strings.HasSuffix(exported, " AWS_DEFAULT_REGION=eu-central-1\n") {
		t.Errorf("exported %q", exported)
	}
}

// A token is made, used, listed, backed up and revoked; no file has it.
func TestCredentialsBearer(t *testing.T) {
	t.Parallel()
	folder := filled(t, "http://127.0.0.1:1")
	admin := newKey(t, nil, "admin", "--allow", "*", "--data", folder)
	p := start(t, nil, "--data", folder)
	gateway := []string{"--gateway", p.Admin}
	made := newKey(t, admin, append([]string{"chat", "--bearer", "--allow", "execute-api:ManageConnections,apigateway:GET"}, gateway...)...)
	if made.Token == "" || made.AccessKeyID == "" || made.SecretAccessKey != "" || !strings.HasPrefix(made.Token, made.AccessKeyID+".") || made.Kind != "bearer" {
		t.Fatalf("made %+v", made)
	}
	_, secret, _ := strings.Cut(made.Token, ".")
	ask := func(p *program, want int) {
		t.Helper()
		gatewaytest.Eventually(t, func() error {
			r, err := http.NewRequestWithContext(t.Context(), "GET", p.Admin+"/v2/apis", nil)
			if err != nil {
				return err
			}
			r.Header.Set("Authorization", "Bearer "+made.Token)
			answer, err := client.Do(r)
			if err != nil {
				return err
			}
			_ = answer.Body.Close()
			if answer.StatusCode != want {
				return fmt.Errorf("%s, want %d", answer.Status, want)
			}
			return nil
		})
	}
	ask(p, http.StatusOK)
	listed := must(t, admin, "", append([]string{"credentials", "list"}, gateway...)...)
	if !regexp.MustCompile(`(?m)^`+made.AccessKeyID+` +token +chat +Active `).MatchString(listed) ||
		!regexp.MustCompile(`(?m)^`+admin.AccessKeyID+` +key +admin +Active `).MatchString(listed) || strings.Contains(listed, secret) {
		t.Errorf("the list:\n%s", listed)
	}
	backup := must(t, admin, "", append([]string{"backup", "-"}, gateway...)...)
	if strings.Contains(backup, secret) || !strings.Contains(backup, made.AccessKeyID) {
		t.Errorf("the backup:\n%s", backup)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	must(t, nil, backup, "restore", "-", "--data", restored)
	q := start(t, nil, "--data", restored)
	ask(q, http.StatusOK)
	must(t, admin, "", append([]string{"credentials", "revoke", made.AccessKeyID}, gateway...)...)
	ask(p, http.StatusForbidden)
	ask(q, http.StatusOK) // another gateway, of the backup

	unable := tool(t, nil, "", "credentials", "create", "x", "--bearer", "--data", filepath.Join(t.TempDir(), "other"))
	text := unable.stdout
	if !strings.Contains(unable.stderr, "Its holder may do nothing yet: --allow ACTION") {
		t.Errorf("nothing is allowed, and that is not said: %+v", unable)
	}
	if !strings.Contains(text, "Token          SDTK") || !strings.Contains(text, "Authorization: Bearer SDTK") || strings.Contains(text, "Secret") {
		t.Errorf("said:\n%s", text)
	}
	if exported := must(t, nil, "", "credentials", "create", "x", "--bearer", "--export", "--data", filepath.Join(t.TempDir(), "third")); !strings.HasPrefix(exported, "export STAGEDOOR_TOKEN=SDTK") {
		t.Errorf("exported %q", exported)
	}
	if err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), secret) {
			t.Errorf("%s has the token", path)
		}
		return nil
	}); err != nil && !errors.Is(err, fs.ErrNotExist) { // the store moves files while it is looked through
		t.Error(err)
	}
	if strings.Contains(p.log.String(), secret) {
		t.Errorf("the token is in the log:\n%s", p.log)
	}
}

// Root does not write into a data folder of a service's user, who could not read
// it then.
func TestCredentialsOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder to another user")
	}
	folder := filepath.Join(t.TempDir(), "data")
	newKey(t, nil, "admin", "--allow", "*", "--data", folder)
	const nobody = 65534
	if err := os.Chown(folder, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"credentials", "create", "another", "--allow", "*"}, {"credentials", "list"}, {"backup", "-"}} {
		got := tool(t, nil, "", append(args, "--data", folder)...)
		if got.code != exitFailure || !strings.Contains(got.stderr, "belongs to user nobody") || !strings.Contains(got.stderr, "--gateway") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
