package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// Names of the configuration, and custom domain names as they come, get
// certificates of an authority that validates them on the public port; they
// outlive the gateway.
func TestServeACME(t *testing.T) {
	t.Parallel()
	port, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.fill(echo(t))
	directory, issued := startAuthority(t, s, port.Addr().(*net.TCPAddr).Port)
	s.configure(`
tls:
  required: true
  acme: {domains: [gateway.example.com, configured], directory: ` + directory + `, ca: authority.pem, email: admin@example.com}
`)
	g := s.start(Config{Open: true, Listeners: map[string][]net.Listener{"public": {port}}})
	// visit gives the certificate of a name, once there is one.
	visit := func(g *served, name string) (seen *x509.Certificate) {
		t.Helper()
		client := &http.Client{Timeout: gatewaytest.Timeout, Transport: &http.Transport{
			DisableKeepAlives: true, DialContext: toHost.Transport.(*http.Transport).DialContext,
			TLSClientConfig: &tls.Config{RootCAs: issued, VerifyConnection: func(state tls.ConnectionState) error {
				seen = state.PeerCertificates[0]
				return nil
			}},
		}}
		_, number, err := net.SplitHostPort(g.Public[0][len("https://"):])
		if err != nil {
			t.Fatal(err)
		}
		gatewaytest.Eventually(t, func() error {
			status, body := call(t, client, nil, "", "GET", "https://"+net.JoinHostPort(name, number)+"/_aws/execute-api/testapi123/prod", "")
			if status == 0 {
				return fmt.Errorf("%s: %s; the log:\n%s", name, body, &g.log)
			}
			return nil
		})
		return seen
	}
	first := visit(g, "gateway.example.com")
	for _, name := range []string{"chat.example.com", "*.example.com"} { // nothing for the wildcard
		if status, body := call(t, gatewaytest.HTTPClient, nil, "", "POST", g.Admin+"/v2/domainnames", `{"domainName":"`+name+`","domainNameConfigurations":[{}]}`); status != 201 {
			t.Fatalf("%d %s", status, body)
		}
	}
	visit(g, "chat.example.com")
	if status, body := call(t, gatewaytest.HTTPClient, nil, "", "GET", "http://"+port.Addr().String()+"/prod", ""); status != 403 {
		t.Errorf("plain HTTP: %d %s", status, body)
	}
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	if again := visit(s.start(Config{Open: true}), "gateway.example.com"); again.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Error("after a restart there is another certificate")
	}
}

// startAuthority starts an ACME authority that validates names on a port of this
// machine. authority.pem in the site vouches for its server, issued for what it
// issues.
func startAuthority(t *testing.T, s *site, port int) (directory string, issued *x509.CertPool) {
	t.Helper()
	logger, records := log.New(io.Discard, "", 0), db.NewMemoryStore()
	issuer := ca.New(logger, records, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	front := wfe.New(logger, records, va.New(logger, port, port, false, startDNS(t), records), issuer, []string{"ca.test"}, false, false, 1, 1)
	server := httptest.NewUnstartedServer(front.Handler())
	server.Config.ErrorLog = logger
	server.StartTLS()
	t.Cleanup(server.Close)
	s.write("authority.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	issued = x509.NewCertPool()
	issued.AddCert(issuer.GetRootCert(0).Cert)
	return server.URL + wfe.DirectoryPath, issued
}

// startDNS starts a DNS server for which every name is this machine.
func startDNS(t *testing.T) (address string) {
	t.Helper()
	port, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: port, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		answer := new(dns.Msg)
		answer.SetReply(question)
		if q := question.Question[0]; q.Qtype == dns.TypeA {
			answer.Answer = append(answer.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1),
			})
		}
		_ = w.WriteMsg(answer) // who asked may be gone
	})}
	started, served := make(chan struct{}), make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() {
		defer close(served)
		_ = server.ActivateAndServe()
	}()
	<-started
	t.Cleanup(func() {
		_ = server.Shutdown()
		<-served
	})
	return port.Addr().String()
}
