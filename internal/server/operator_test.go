package server

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// All secrets that are missing are told at once, before anything starts.
func TestServeMissingSecrets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.configure(`
nats: {url: "nats://127.0.0.1:1", user: stagedoor, passwordEnv: STAGEDOOR_TEST_NO_PASSWORD}
credentials:
  - {user: one, accessKeyId: AKIAONE, secretAccessKeyEnv: STAGEDOOR_TEST_NO_SECRET}
  - {user: two, accessKeyId: AKIATWO, secretAccessKeyFile: absent}
`)
	err := s.begin(Config{}).wait()
	for _, want := range []string{
		"the password of nats: the environment has no variable STAGEDOOR_TEST_NO_PASSWORD",
		"the secret of credentials[0], access key AKIAONE: the environment has no variable STAGEDOOR_TEST_NO_SECRET",
		"the secret of credentials[1], access key AKIATWO: open ",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
}

// NATS servers that refuse the gateway are told at once, with who it said that it
// is, and a command does not wait for them.
func TestServeRefusedByNATS(t *testing.T) {
	t.Setenv("STAGEDOOR_TEST_PASSWORD", "the wrong password")
	n, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
		Users: []*server.User{{Username: "stagedoor", Password: "the right password"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Start()
	defer func() { n.Shutdown(); n.WaitForShutdown() }()
	if !n.ReadyForConnections(gatewaytest.Timeout) {
		t.Fatal("the NATS server does not start")
	}
	s := newSite(t)
	// With this timeout an answer that comes by waiting comes after an hour.
	s.configure("nats: {url: \"" + n.ClientURL() + "\", user: stagedoor, passwordEnv: STAGEDOOR_TEST_PASSWORD, timeout: 1m}\n")
	g := s.begin(Config{})
	g.logged(`the configuration store refuses this gateway`)
	g.logged(`the NATS servers refuse the user \"stagedoor\" with this password: nats: `)
	if strings.Contains(g.log.String(), "the wrong password") {
		t.Errorf("the password is in the log:\n%s", &g.log)
	}
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	began := time.Now()
	_, err = OpenStore(t.Context(), config.Options{File: s.dir + "/stagedoor.yaml"}, true, false, io.Discard)
	if err == nil || !strings.Contains(err.Error(), `refuse the user "stagedoor" with this password`) {
		t.Errorf("a command says %v, after %s", err, time.Since(began))
	}
}

// The public port tells of health only where it is to, and strangers nothing but
// the status; the root of the admin port says what it is.
func TestServeHealth(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	newAuthority(t, s)
	const path = "/_stagedoor/health"
	s.configure("")
	g := s.start(Config{})
	if status, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Public[0]+path, ""); status != 403 {
		t.Errorf("without the key: %d %s", status, body)
	}
	for _, url := range []string{g.Admin, g.Admin + "/"} {
		status, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", url, "")
		if status != 200 || !strings.Contains(body, "admin port of a Stagedoor gateway") || !strings.Contains(body, "/readyz") {
			t.Errorf("the admin port's root: %d %s", status, body)
		}
	}
	if status, body := call(t, gatewaytest.HTTPClient, nil, "", "POST", g.Admin+"/", ""); status != 403 {
		t.Errorf("the admin port's root is written: %d %s", status, body)
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}

	s.configure("health: {public: true}\nshutdown: {delay: 2s}\ntls: {certificates: [{cert: cert.pem, key: key.pem}], required: true}\n")
	g = s.start(Config{})
	withoutTLS := strings.Replace(g.Public[0], "https:", "http:", 1)
	tell := func(status int, text string) {
		t.Helper()
		gatewaytest.Eventually(t, func() error {
			got, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", withoutTLS+path, "")
			if got != status || body != text {
				return fmt.Errorf("%d %s, want %d %s", got, body, status, text)
			}
			return nil
		})
	}
	tell(200, "{\"status\":\"ready\"}\n")
	if status, body := call(t, gatewaytest.HTTPClient, nil, "", "POST", withoutTLS+path, "x"); status != 403 {
		t.Errorf("POST: %d %s", status, body)
	}
	if status, _ := call(t, gatewaytest.HTTPClient, nil, "", "HEAD", withoutTLS+path, ""); status != 200 {
		t.Errorf("HEAD: %d", status)
	}
	g.end()
	tell(503, "{\"status\":\"stopping\"}\n")
	if err := g.wait(); err != nil {
		t.Error(err)
	}
}

// A URL that leads nowhere is in the log, with who asked and without its query;
// and so is that a short URL ends.
func TestServeRefusedURLs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.configure("")
	g := s.start(Config{Open: true})
	client := newSDK(t, g.Admin)
	first := answering(t, client)
	gatewaytest.Eventually(t, func() error {
		if status, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Public[0]+"/prod", ""); status != http.StatusUpgradeRequired {
			return fmt.Errorf("the short URL: %d %s", status, body)
		}
		return nil
	})
	if strings.Contains(g.log.String(), "short URL") {
		t.Errorf("one stage of a name:\n%s", &g.log)
	}
	second := answering(t, client)
	g.logged(`the short URL of a stage is refused from now on: several APIs have a stage of that name; their URLs are /_aws/execute-api/{apiId}/prod" path=/prod`)
	for _, id := range []string{first, second} {
		g.logged(id)
	}
	for range 3 {
		if status, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Public[0]+"/elsewhere?token=secret", ""); status != 403 {
			t.Errorf("%d %s", status, body)
		}
	}
	g.logged(`msg="URL refused" source=127.0.0.1`)
	g.logged("path=/elsewhere")
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(g.log.String(), "secret") {
		t.Errorf("a query is in the log:\n%s", &g.log)
	}
}

// Whoever signs for another region is told which one is right.
func TestServeTellsItsRegion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.write("secret", matrixSecret)
	s.configure("region: eu-central-1\ncredentials: [{user: a, accessKeyId: AKIA, secretAccessKeyFile: secret}]\n")
	g := s.start(Config{})
	status, body := call(t, gatewaytest.HTTPClient, &key{"AKIA", matrixSecret}, "apigateway", "GET", g.Admin+"/v2/apis", "") // of us-east-1
	const want = `{"message":"Credential should be scoped to a valid region. The region of this gateway is 'eu-central-1', not 'us-east-1'."}`
	if status != 403 || body != want {
		t.Errorf("%d %s, want %s", status, body, want)
	}
}
