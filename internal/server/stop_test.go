package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/store"
)

// A gateway that stops while one API's $connect hangs tells the clients of
// another at once, and runs $disconnect for each.
func TestServeStopBesideHangingConnect(t *testing.T) {
	t.Parallel()
	hanging, gone := make(chan struct{}, 1), atomic.Int32{}
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			_, _ = io.Copy(io.Discard, r.Body) // only then it shows that the caller is gone
			hanging <- struct{}{}
			<-r.Context().Done()
			return
		}
		gone.Add(1)
	}))
	t.Cleanup(backend.Close)
	s := newSite(t)
	s.fill(echo(t))
	s.change(func(c *store.Configuration) error {
		ctx, failures := t.Context(), []error{}
		for id, key := range map[string]string{"hanging123": "$connect", "leaving123": "$disconnect"} {
			path := map[string]string{"$connect": "/hangs", "$disconnect": "/gone"}[key]
			api := &apigw.API{
				ApiId: id, Name: id, ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action",
				Routes:       []*apigw.Route{{RouteId: "r1", RouteKey: key, Target: "integrations/i1"}},
				Integrations: []*apigw.Integration{{IntegrationId: "i1", IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: backend.URL + path}},
			}
			_, errAPI := c.APIs.Put(ctx, api, 0)
			_, errDeployment := c.Deployments.Put(ctx, &apigw.Deployment{DeploymentId: "d1", API: api}, 0)
			_, errStage := c.Stages.Put(ctx, &apigw.Stage{ApiId: id, StageName: id, DeploymentId: "d1"}, 0)
			failures = append(failures, errAPI, errDeployment, errStage)
		}
		return errors.Join(failures...)
	})
	s.configure("shutdown: {timeout: 20s}\n")
	g := s.start(Config{Open: true})
	base := strings.Replace(g.Public[0], "http", "ws", 1)
	const clients = 20
	closed := make(chan error, clients)
	for range clients {
		conn, _, err := websocket.Dial(t.Context(), base+"/leaving123", &websocket.DialOptions{HTTPClient: gatewaytest.HTTPClient})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _, err := conn.Read(context.Background())
			closed <- err
		}()
	}
	refused := make(chan error, 1)
	go func() {
		_, _, err := websocket.Dial(context.Background(), base+"/hanging123", &websocket.DialOptions{HTTPClient: gatewaytest.HTTPClient})
		refused <- err
	}()
	<-hanging
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	for range clients {
		if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("a client saw %v", err)
		}
	}
	if err := <-refused; err == nil {
		t.Error("the handshake that hung was accepted")
	}
	if n := gone.Load(); n != clients || strings.Contains(g.log.String(), "connections were cut") {
		t.Errorf("$disconnect ran for %d of %d; the log:\n%s", n, clients, &g.log)
	}
}

// A start that fails, at whichever part, ends all parts that had started: the
// ports are free, and so is the data folder.
func TestServeStartFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ configuration, want string }{
		"certificates": {"tls: {certificates: [{cert: gone.pem, key: gone.pem}]}\n", "gone.pem"},
		"store":        {"nats: {url: tls://127.0.0.1:1, tls: {ca: gone.pem}}\n", "gone.pem"},
		"ACME":         {"tls: {acme: {domains: [localhost.test], ca: gone.pem}}\n", "tls.acme.ca"},
		"backends":     {"backends: {ca: gone.pem}\n", "backends.ca"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.fill(echo(t))
			s.configure(tt.configuration)
			public, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := public.Addr().String()
			g := s.begin(Config{Listeners: map[string][]net.Listener{"public": {public}}})
			select {
			case err = <-g.ended:
				g.ended <- err
			case <-g.ready:
				t.Fatalf("it is ready; its log:\n%s", &g.log)
			case <-time.After(gatewaytest.Timeout):
				t.Fatalf("it has not ended; its log:\n%s", &g.log)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("it ended with %v, want %s; its log:\n%s", err, tt.want, &g.log)
			}
			if again, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address); err != nil {
				t.Errorf("the public port is not free: %v", err)
			} else {
				_ = again.Close()
			}
			if opened, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(s.dir, "data")}); err != nil {
				t.Errorf("the data folder is not free: %v", err)
			} else {
				opened.Close()
			}
		})
	}
}

// While $disconnect runs at the end, health checks say that the gateway stops,
// nobody else can connect, and the store is still there; then all is gone.
func TestServeStopsInOrder(t *testing.T) {
	t.Parallel()
	var g *served
	ready := make(chan struct{})
	seen := make(chan error, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-ready
		health, text := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Admin+"/readyz", "")
		plane, listed := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Admin+"/v2/apis", "")
		_, err := net.Dial("tcp", strings.TrimPrefix(g.Public[0], "http://"))
		if health != 503 || !strings.Contains(text, `"status":"stopping","store":"available"`) || plane != 200 || err == nil {
			seen <- fmt.Errorf("/readyz: %d %s; the control plane: %d %s; a new connection: %v", health, text, plane, listed, err)
			return
		}
		seen <- nil
	}))
	t.Cleanup(backend.Close)
	s := newSite(t)
	s.fill(&apigw.Integration{IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: backend.URL})
	s.change(func(c *store.Configuration) error {
		d, revision, err := c.Deployments.Get(t.Context(), "testapi123", "d1")
		if err != nil {
			return err
		}
		d.API.Routes = append(d.API.Routes, &apigw.Route{RouteId: "r2", RouteKey: "$disconnect", Target: "integrations/i1"})
		_, err = c.Deployments.Put(t.Context(), d, revision)
		return err
	})
	s.configure("")
	g = s.start(Config{Open: true})
	g.dial().CloseRead(t.Context())
	close(ready)
	if err := g.stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	select {
	case err := <-seen:
		if err != nil {
			t.Error(err)
		}
	default:
		t.Errorf("$disconnect did not run; the log:\n%s", &g.log)
	}
	if status, _ := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Admin+"/healthz", ""); status != 0 {
		t.Errorf("the admin port still answers %d", status)
	}
}
