package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/store"
)

const twoUsers = `
credentials:
  - user: admin
    accessKeyId: AKIAADMIN
    secretAccessKeyFile: admin
    policies:
      - Version: 2012-10-17
        Statement: [{Effect: Allow, Action: ["apigateway:*", "execute-api:ManageConnections"], Resource: "*"}]
  - {user: nobody, accessKeyId: AKIANOBODY, secretAccessKeyFile: nobody}
`

// Who may use the control plane and @connections (spec I.1, F.5); what is
// changed and who is refused stands in the log, without a secret.
func TestServeAccess(t *testing.T) {
	t.Parallel()
	admin := &key{"AKIAADMIN", "the admin's secret key"}
	nobody := &key{"AKIANOBODY", "nobody's very secret key"}
	s := newSite(t)
	s.fill(echo(t))
	s.configure(twoUsers)
	if err := s.begin(Config{}).wait(); err == nil || !strings.Contains(err.Error(), "AKIAADMIN") {
		t.Errorf("a secret that is not there: %v", err)
	}
	s.write("admin", admin.secret)
	s.write("nobody", nobody.secret+"\n")
	g := s.start(Config{})
	for _, tt := range []struct {
		name            string
		key             *key
		control, manage int
	}{
		{"no key", nil, 403, 403},
		{"an unknown key", &key{"AKIAUNKNOWN", admin.secret}, 403, 403},
		{"a wrong secret", &key{admin.id, "not the admin's secret"}, 403, 403},
		{"no policy", nobody, 403, 403},
		{"the admin", admin, 201, 410},
	} {
		status, body := call(t, gatewaytest.HTTPClient, tt.key, "apigateway", "POST", g.Admin+"/v2/apis",
			`{"name":"a","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`)
		if status != tt.control {
			t.Errorf("%s, control plane: %d %s, want %d", tt.name, status, body, tt.control)
		}
		status, body = call(t, gatewaytest.HTTPClient, tt.key, "execute-api", "POST", g.Public[0]+"/prod/@connections/"+url.PathEscape(connections.NewID(1).String()), "hello")
		if status != tt.manage {
			t.Errorf("%s, @connections: %d %s, want %d", tt.name, status, body, tt.manage)
		}
	}
	for _, want := range []string{
		`msg="access refused" caller=arn:aws:iam::123456789012:user/nobody accessKeyId=AKIANOBODY source=127.0.0.1 action=apigateway:POST resource=arn:aws:apigateway:us-east-1::/apis `,
		`msg="access refused" caller="unverified access key AKIAADMIN" accessKeyId=AKIAADMIN source=127.0.0.1 action=apigateway:POST`,
		`action=execute-api:ManageConnections resource=arn:aws:execute-api:us-east-1:123456789012:testapi123/prod/POST/@connections/{connectionId}`,
		`msg="control plane" caller=arn:aws:iam::123456789012:user/admin accessKeyId=AKIAADMIN source=127.0.0.1 action=apigateway:POST resource=arn:aws:apigateway:us-east-1::/apis `,
		`status=201 durationMs=`, `status=403 result=AccessDeniedException durationMs=`,
	} {
		g.logged(want)
	}

	// Rotation without a restart.
	renewed := &key{admin.id, "the admin's second key"}
	s.write("admin", renewed.secret)
	g.reload <- struct{}{}
	g.logged("was read again")
	if status, _ := call(t, gatewaytest.HTTPClient, admin, "apigateway", "GET", g.Admin+"/v2/apis", ""); status != 403 {
		t.Errorf("the old secret: %d", status)
	}
	if status, body := call(t, gatewaytest.HTTPClient, renewed, "apigateway", "GET", g.Admin+"/v2/apis", ""); status != 200 {
		t.Errorf("the new secret: %d %s", status, body)
	}
	s.write("admin", "short")
	g.reload <- struct{}{}
	g.logged("the credentials were not taken; those from before stay")
	if status, body := call(t, gatewaytest.HTTPClient, renewed, "apigateway", "GET", g.Admin+"/v2/apis", ""); status != 200 {
		t.Errorf("after a change with a mistake: %d %s", status, body)
	}
	for _, secret := range []string{admin.secret, nobody.secret, renewed.secret} {
		if strings.Contains(g.log.String(), secret) {
			t.Errorf("a secret is in the log:\n%s", &g.log)
		}
	}
}

// A store that is not there yet is waited for; one that is gone leaves the data
// plane as it is; one that is back is used again.
func TestServeStoreElsewhere(t *testing.T) {
	t.Parallel()
	options := &server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true}
	run := func() *server.Server {
		n, err := server.NewServer(options.Clone())
		if err != nil {
			t.Fatal(err)
		}
		n.Start()
		if !n.ReadyForConnections(gatewaytest.Timeout) {
			t.Fatal("the NATS server does not start")
		}
		return n
	}
	end := func(n *server.Server) { n.Shutdown(); n.WaitForShutdown() }
	n := run()
	options.Port = n.Addr().(*net.TCPAddr).Port
	opened, err := store.Open(t.Context(), store.Options{URL: n.ClientURL()})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, opened, echo(t))
	opened.Close()
	end(n)

	admin, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.configure("nats: {url: \"" + n.ClientURL() + "\", timeout: 200ms}\n")
	g := s.begin(Config{Open: true, Listeners: map[string][]net.Listener{"admin": {admin}}})
	address := "http://" + admin.Addr().String()
	readiness(t, address, 503, `"status":"starting","store":"unavailable"`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/v2/apis", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := gatewaytest.HTTPClient.Do(request)
	if err != nil || answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" { // which "stagedoor deploy" waits by
		t.Errorf("the control plane of a gateway that starts: %v, %+v", err, answer)
	}
	if err == nil {
		_ = answer.Body.Close()
	}
	n = run()
	g.await()
	readiness(t, g.Admin, 200, `"status":"ready","store":"available"`)
	conn := g.dial()
	if got := gatewaytest.Ask(t, conn, `{"a":1}`); got != `{"a":1}` {
		t.Errorf("got %s", got)
	}

	end(n)
	readiness(t, g.Admin, 200, `"status":"ready","store":"unavailable"`)
	g.logged("what is deployed goes on")
	if got := gatewaytest.Ask(t, conn, `{"a":2}`); got != `{"a":2}` {
		t.Errorf("without a store: %s", got)
	}
	late := g.dial()
	if got := gatewaytest.Ask(t, late, `{"a":3}`); got != `{"a":3}` {
		t.Errorf("a new connection without a store: %s", got)
	}
	_, _ = conn.CloseNow(), late.CloseNow()
	if status, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Admin+"/v2/apis", ""); status != 503 {
		t.Errorf("the control plane without a store: %d %s", status, body)
	}
	n = run()
	defer end(n)
	readiness(t, g.Admin, 200, `"status":"ready","store":"available"`)
	if status, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", g.Admin+"/v2/apis", ""); status != 200 {
		t.Errorf("the control plane with its store back: %d %s", status, body)
	}
	if err := g.stop(); err != nil {
		t.Error(err)
	}
}

// A gateway that waits for its store can be stopped.
func TestServeStopWhileStarting(t *testing.T) {
	t.Parallel()
	admin, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.configure("nats: {url: nats://127.0.0.1:1, timeout: 100ms}\n")
	g := s.begin(Config{Listeners: map[string][]net.Listener{"admin": {admin}}})
	readiness(t, "http://"+admin.Addr().String(), 503, `"store":"unavailable"`)
	if err := g.stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// Functions are called where the configuration says, and elsewhere after it has
// changed.
func TestServeFunctions(t *testing.T) {
	t.Parallel()
	endpoint := func(answer string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/2015-03-31/functions/function/invocations" {
				t.Errorf("called %s", r.URL.Path)
			}
			_, _ = io.WriteString(w, `{"statusCode":200,"body":"`+answer+`"}`)
		}))
		t.Cleanup(s.Close)
		return s
	}
	first, second := endpoint("first"), endpoint("second")
	s := newSite(t)
	s.fill(&apigw.Integration{
		IntegrationType: apigw.IntegrationAWSProxy, IntegrationMethod: "POST",
		IntegrationUri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:chat/invocations",
	})
	const path = "/2015-03-31/functions/function/invocations"
	s.configure("functions: {chat: " + first.URL + path + "}\n")
	g := s.start(Config{})
	conn := g.dial()
	if got := gatewaytest.Ask(t, conn, "{}"); got != "first" {
		t.Errorf("got %s", got)
	}
	s.configure("functions: {'arn:aws:lambda:us-east-1:123456789012:function:chat': " + second.URL + path + "}\n")
	g.reload <- struct{}{}
	g.logged(`msg="the change is in effect" key=functions`)
	if got := gatewaytest.Ask(t, conn, "{}"); got != "second" {
		t.Errorf("after the change: %s", got)
	}
}

// TLS on the public port beside plain HTTP, and on the admin port with client
// certificates, but for health checks.
func TestServeTLS(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	authority := newAuthority(t, s)
	s.configure(`
tls: {certificates: [{cert: cert.pem, key: key.pem}], required: true}
admin: {tls: {cert: cert.pem, key: key.pem, clientCA: ca.pem}}
`)
	g := s.start(Config{Open: true})
	if !strings.HasPrefix(g.Public[0], "https://") || !strings.HasPrefix(g.Admin, "https://") {
		t.Errorf("addresses %s and %s", g.Public, g.Admin)
	}
	trusting := func(certificates ...tls.Certificate) *http.Client {
		return &http.Client{Timeout: gatewaytest.Timeout, Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{ServerName: "localhost", RootCAs: authority.pool, Certificates: certificates},
		}}
	}
	withoutTLS := strings.Replace(g.Admin, "https:", "http:", 1)
	for _, tt := range []struct {
		name   string
		client *http.Client
		url    string
		want   int
	}{
		{"the public port", trusting(), g.Public[0] + "/prod", 426},
		{"the public port without TLS", gatewaytest.HTTPClient, strings.Replace(g.Public[0], "https:", "http:", 1) + "/prod", 403},
		{"the control plane", trusting(authority.client), g.Admin + "/v2/apis", 200},
		{"the control plane without a client's certificate", trusting(), g.Admin + "/v2/apis", 0},
		{"the control plane without TLS", gatewaytest.HTTPClient, withoutTLS + "/v2/apis", 403},
		{"health without TLS", gatewaytest.HTTPClient, withoutTLS + "/healthz", 200},
		{"readiness without TLS", gatewaytest.HTTPClient, withoutTLS + "/readyz", 200},
	} {
		if status, body := call(t, tt.client, nil, "", "GET", tt.url, ""); status != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, status, body, tt.want)
		}
	}
}

// authority is a certificate authority of a test: the files ca.pem, cert.pem
// and key.pem in its site, and a client's certificate.
type authority struct {
	pool   *x509.CertPool
	client tls.Certificate
}

func newAuthority(t *testing.T, s *site) *authority {
	t.Helper()
	issue := func(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if parent == nil {
			parent, signer = template, private
		}
		template.SerialNumber, template.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, private.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		issued, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return issued, private
	}
	ca, signer := issue(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	leaf, private := issue(&x509.Certificate{
		DNSNames: []string{"localhost"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, ca, signer)
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	s.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw})))
	s.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})))
	s.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})))
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return &authority{pool, tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: private}}
}

// Events are counted and summed up; of failures so many are told that they can
// be read.
func TestServeEvents(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	i := echo(t)
	i.IntegrationUri = "http://127.0.0.1:1"
	s.fill(i)
	s.configure("log: {summary: 20ms}\n")
	g := s.start(Config{})
	conn := g.dial()
	const messages = maxFailures + 30
	for range messages {
		if got := gatewaytest.Ask(t, conn, "{}"); !strings.Contains(got, "Internal server error") {
			t.Errorf("got %s", got)
		}
	}
	_ = conn.CloseNow()
	g.logged("disconnected=1")
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	told := strings.Count(g.log.String(), "msg=message ")
	if told < maxFailures || told > messages || !strings.Contains(g.log.String(), "connected=1") || strings.Contains(g.log.String(), "msg=connect ") {
		t.Errorf("%d failures of %d are told in:\n%s", told, messages, &g.log)
	}
}

func TestServeListeners(t *testing.T) {
	t.Parallel()
	port := func(network, address string) net.Listener {
		p, err := (&net.ListenConfig{}).Listen(t.Context(), network, address)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	tcp := func() net.Listener { return port("tcp", "127.0.0.1:0") }
	socket := filepath.Join(t.TempDir(), "s")
	for _, tt := range []struct {
		listeners map[string][]net.Listener
		want      string
	}{
		{map[string][]net.Listener{"admin": {tcp(), tcp()}}, "several sockets of the name admin"},
		{map[string][]net.Listener{"http": {tcp()}}, "the socket http has to be named public or admin"},
		{map[string][]net.Listener{"public": {port("unix", socket)}}, "the socket public is not one of TCP"},
	} {
		s := newSite(t)
		s.configure("")
		if err := s.begin(Config{Listeners: tt.listeners}).wait(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	s := newSite(t)
	s.configure("")
	one, two := tcp(), tcp()
	g := s.start(Config{Listeners: map[string][]net.Listener{"public": {one, two}}})
	if len(g.Public) != 2 || g.Public[0] != "http://"+one.Addr().String() || g.Public[1] != "http://"+two.Addr().String() {
		t.Errorf("serves %v", g.Public)
	}
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	if _, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", one.Addr().String()); err == nil {
		t.Error("a listener is open after the end")
	}
}

// The delay gives load balancers time to notice that the gateway stops, while
// it still serves.
func TestServeShutdownDelay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	s.configure("shutdown: {delay: 2s}\n")
	g := s.start(Config{})
	ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
	defer cancel()
	g.end()
	readiness(t, g.Admin, 503, `"status":"stopping"`)
	conn := g.dial()
	if got := gatewaytest.Ask(t, conn, "{}"); got != "{}" {
		t.Errorf("got %s", got)
	}
	_ = conn.CloseNow()
	if err := g.wait(); err != nil || ctx.Err() != nil {
		t.Errorf("it ended with %v", err)
	}
}
