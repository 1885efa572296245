package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDeploy deploys a template to a gateway with credentials, changes it below
// an open connection, and deletes it.
func TestDeploy(t *testing.T) {
	t.Parallel()
	g := serve(t, `
credentials:
  - user: deploy
    accessKeyId: AKIADEPLOY
    secretAccessKeyEnv: DEPLOY_SECRET
    policies: [{Version: 2012-10-17, Statement: [{Effect: Allow, Action: "apigateway:*", Resource: "*"}]}]
`, []string{"DEPLOY_SECRET=deploy's own secret"})
	template := filepath.Join(t.TempDir(), "template.yaml")
	source, err := os.ReadFile("testdata/deploy/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(template, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	deploy := func(variables []string, flags ...string) (string, error) {
		t.Helper()
		command := exec.Command(binary, append([]string{"deploy", template, "--gateway", g.Admin, "--stack", "greeter", "--yes"}, flags...)...)
		command.Env = append(environment(), variables...)
		said, err := command.CombinedOutput()
		return string(said), err
	}
	right := keys("AKIADEPLOY", "deploy's own secret")
	must := func(want string, flags ...string) string {
		t.Helper()
		said, err := deploy(right, flags...)
		if err != nil || !strings.Contains(said, want) {
			t.Fatalf("deploy %v: %v, want it to say %q:\n%s", flags, err, want, said)
		}
		return said
	}

	write(string(source))
	for who, variables := range map[string][]string{
		"no credentials": keys("", ""), "a wrong secret": keys("AKIADEPLOY", "a secret of another"),
	} {
		if said, err := deploy(variables); err == nil || !strings.Contains(said, "403") && !strings.Contains(said, "Exception") {
			t.Errorf("deploy with %s: %v\n%s", who, err, said)
		}
	}
	_, id, _ := strings.Cut(must(" created."), "/_aws/execute-api/")
	id, _, _ = strings.Cut(id, "/")
	must("Nothing to do.")
	c, status := g.dial(id, "prod", "")
	if c == nil {
		t.Fatalf("the handshake has status %d", status)
	}
	c.send(`{"action":"greet"}`)
	c.expect(`{"say":"hello"}`)
	write(strings.ReplaceAll(string(source), "hello", "welcome"))
	must("update", "--json")
	c.send(`{"action":"greet"}`)
	c.expect(`{"say":"welcome"}`)
	must("deleted.", "--delete")
	if c, _ := g.dial(id, "prod", ""); c != nil {
		t.Error("a stack that is deleted takes connections")
	}
}
