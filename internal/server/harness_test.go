package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/outputtest"
	"github.com/stagedoor/stagedoor/internal/store"
)

// site is a folder with the configuration of a gateway, stagedoor.yaml, and its
// data, one gateway after the other.
type site struct {
	t   *testing.T
	dir string
}

func newSite(t *testing.T) *site { return &site{t, t.TempDir()} }

// write writes a file.
func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// configure writes the configuration.
func (s *site) configure(text string) { s.t.Helper(); s.write("stagedoor.yaml", "data: data\n"+text) }

// fill writes an API with the stage "prod" into the data; its messages go to an
// integration, whose answers go to the client.
func (s *site) fill(i *apigw.Integration) {
	s.t.Helper()
	opened, err := store.Open(s.t.Context(), store.Options{Dir: filepath.Join(s.dir, "data")})
	if err != nil {
		s.t.Fatal(err)
	}
	defer opened.Close()
	fill(s.t, opened, i)
}

func fill(t *testing.T, s store.Store, i *apigw.Integration) {
	t.Helper()
	c := store.NewConfiguration(s, nil)
	i.IntegrationId = "i1"
	api := &apigw.API{
		ApiId: "testapi123", Name: "test", ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action",
		Routes: []*apigw.Route{{
			RouteId: "r1", RouteKey: "$default", Target: "integrations/i1",
			RouteResponses: []*apigw.RouteResponse{{RouteResponseId: "rr", RouteResponseKey: "$default"}},
		}},
		Integrations: []*apigw.Integration{i},
	}
	_, errAPI := c.APIs.Put(t.Context(), api, 0)
	_, errDeployment := c.Deployments.Put(t.Context(), &apigw.Deployment{DeploymentId: "d1", API: api}, 0)
	_, errStage := c.Stages.Put(t.Context(), &apigw.Stage{ApiId: api.ApiId, StageName: "prod", DeploymentId: "d1"}, 0)
	if err := errors.Join(errAPI, errDeployment, errStage); err != nil {
		t.Fatal(err)
	}
}

// served is a gateway that runs.
type served struct {
	Ready
	t      *testing.T
	reload chan struct{}
	ready  chan Ready
	log    outputtest.Buffer
	end    context.CancelFunc
	ended  chan error
}

// readyReporter gives what a gateway reports that it is ready with.
type readyReporter struct {
	noReporter
	ready chan<- Ready
}

func (r readyReporter) Ready(ready Ready) { r.ready <- ready }

// begin starts a gateway without waiting for it.
func (s *site) begin(o Config) *served {
	ctx, cancel := context.WithCancel(s.t.Context())
	g := &served{t: s.t, reload: make(chan struct{}), ready: make(chan Ready, 1), end: cancel, ended: make(chan error, 1)}
	o.Source = config.Options{
		File:    filepath.Join(s.dir, "stagedoor.yaml"),
		Environ: []string{"STAGEDOOR_LISTEN=127.0.0.1:0", "STAGEDOOR_ADMIN_LISTEN=127.0.0.1:0"},
	}
	o.Log, o.Reporter, o.Reload = &g.log, readyReporter{ready: g.ready}, g.reload
	go func() { g.ended <- Run(ctx, o) }()
	s.t.Cleanup(func() { _ = g.stop() })
	return g
}

// start starts a gateway and waits until it is ready.
func (s *site) start(o Config) *served {
	s.t.Helper()
	g := s.begin(o)
	g.await()
	return g
}

// await waits until the gateway is ready.
func (g *served) await() {
	g.t.Helper()
	select {
	case g.Ready = <-g.ready:
	case err := <-g.ended:
		g.ended <- err
		g.t.Fatalf("the gateway ended with %v; its log:\n%s", err, &g.log)
	case <-time.After(gatewaytest.Timeout):
		g.t.Fatalf("the gateway is not ready; its log:\n%s", &g.log)
	}
}

// stop ends the gateway.
func (g *served) stop() error {
	g.end()
	return g.wait()
}

// wait waits for the gateway's end.
func (g *served) wait() error {
	err := <-g.ended
	g.ended <- err
	return err
}

// logged waits until the log has a text.
func (g *served) logged(text string) {
	g.t.Helper()
	gatewaytest.Eventually(g.t, func() error {
		if !strings.Contains(g.log.String(), text) {
			return fmt.Errorf("%q is missing in the log:\n%s", text, &g.log)
		}
		return nil
	})
}

// readiness waits until /readyz answers with a status and a text.
func readiness(t *testing.T, admin string, status int, text string) {
	t.Helper()
	gatewaytest.Eventually(t, func() error {
		got, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", admin+"/readyz", "")
		if got != status || !strings.Contains(body, text) {
			return fmt.Errorf("/readyz: %d %s, want %d with %s", got, body, status, text)
		}
		return nil
	})
}

// key is an access key that signs requests.
type key struct{ id, secret string }

// sign signs a request for a service.
func (k *key) sign(t *testing.T, r *http.Request, service, body string) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret}, r,
		hex.EncodeToString(sum[:]), service, "us-east-1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
}

// call sends a request, signed where a key is given, and gives status and body.
func call(t *testing.T, client *http.Client, k *key, service, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if k != nil {
		k.sign(t, r, service, body)
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// dial opens a connection to the stage "prod".
func (g *served) dial() *websocket.Conn { g.t.Helper(); return g.dialAs("") }

// dialAs does so with another host in its request; "" stands for none.
func (g *served) dialAs(host string) *websocket.Conn {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), gatewaytest.Timeout)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, strings.Replace(g.Public[0], "http", "ws", 1)+"/prod", &websocket.DialOptions{HTTPClient: gatewaytest.HTTPClient, Host: host})
	if err != nil {
		g.t.Fatalf("dial: %v (%+v); the log:\n%s", err, answer, &g.log)
	}
	g.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// echo is an integration that answers with what it gets.
func echo(t *testing.T) *apigw.Integration {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	t.Cleanup(backend.Close)
	return &apigw.Integration{IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: backend.URL}
}
