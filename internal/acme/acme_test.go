package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/outputtest"
	"github.com/stagedoor/stagedoor/internal/servertls"
	"github.com/stagedoor/stagedoor/internal/store"
)

const timeout = time.Minute

// authority is an ACME server that validates for real: it asks a DNS server of
// its own, where every name is this machine, and then the given port.
type authority struct {
	directory string
	server    *x509.CertPool // vouches for the ACME server
	issued    *x509.CertPool // vouches for what it issues
}

func newAuthority(t *testing.T, port int) *authority {
	t.Helper()
	logger := log.New(io.Discard, "", 0)
	records := db.NewMemoryStore()
	a := &authority{server: x509.NewCertPool(), issued: x509.NewCertPool()}
	issuer := ca.New(logger, records, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	validation := va.New(logger, port, port, false, startDNS(t), records)
	front := wfe.New(logger, records, validation, issuer, []string{"ca.test"}, false, false, 1, 1)
	server := httptest.NewUnstartedServer(front.Handler())
	server.Config.ErrorLog = logger
	server.StartTLS()
	t.Cleanup(server.Close)
	a.server.AddCert(server.Certificate())
	a.issued.AddCert(issuer.GetRootCert(0).Cert)
	a.directory = server.URL + wfe.DirectoryPath
	return a
}

// startDNS starts a DNS server that has 127.0.0.1 for every name.
func startDNS(t *testing.T) (address string) {
	t.Helper()
	port, err := net.Listen("tcp", "127.0.0.1:0")
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
		_ = w.WriteMsg(answer)
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

// node is a gateway's port with a manager.
type node struct {
	*Manager
	address string
	log     *outputtest.Buffer
}

// open opens a port on this machine.
func open(t *testing.T) net.Listener {
	t.Helper()
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// startNode serves a port by HTTP and TLS, with certificates of the authority.
func startNode(t *testing.T, port net.Listener, a *authority, s Store, change func(*Options)) *node {
	t.Helper()
	n := &node{address: port.Addr().String(), log: new(outputtest.Buffer)}
	o := Options{
		Store: s, Directory: a.directory, Roots: a.server, Email: "admin@example.com",
		HTTPAddress: n.address, TLSAddress: n.address,
		Log: slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	change(&o)
	var err error
	if n.Manager, err = New(o); err != nil {
		t.Fatal(err)
	}
	certificates, err := servertls.New(servertls.Options{Managed: n.Certificate, Protocols: []string{Protocol}})
	if err != nil {
		t.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	server := listener.Serve(port, hello, listener.Options{
		TLS: certificates.TLSConfig(), Plain: n.Handler(listener.TLSRequired()),
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			t.Error(err)
		}
		server.Close(ctx)
		if t.Failed() {
			t.Log(n.log)
		}
	})
	return n
}

// visit asks for a page as a client that trusts the authority alone.
func (n *node) visit(a *authority, name string) (string, *x509.Certificate, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: a.issued, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, n.address)
		},
	}
	response, err := (&http.Client{Transport: transport, Timeout: timeout}).Get("https://" + name + "/")
	if err != nil {
		return "", nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), response.TLS.PeerCertificates[0], err
}

// waitFor visits until there is a certificate.
func (n *node) waitFor(t *testing.T, a *authority, name string) *x509.Certificate {
	t.Helper()
	deadline := time.Now().Add(timeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, certificate, err := n.visit(a, name)
		if err == nil {
			if text != "hello" {
				t.Errorf("%s: %q", name, text)
			}
			return certificate
		}
		if time.Now().After(deadline) {
			t.Fatalf("no certificate for %s: %v", name, err)
		}
		<-tick.C
	}
}

// domain is a name for one test alone: certmagic keeps the challenges of a
// process in one place, by name.
func domain(label, test string) string { return label + "-" + strings.ToLower(test) + ".example.com" }

// Each challenge alone gets a certificate, and the account, the key and the
// certificate outlive the node.
func TestIssue(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"HTTP-01":     func(o *Options) { o.TLSAddress = "" },
		"TLS-ALPN-01": func(o *Options) { o.HTTPAddress = "" },
		"both":        func(*Options) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chat, api := domain("chat", name), domain("api", name)
			port := open(t)
			a := newAuthority(t, port.Addr().(*net.TCPAddr).Port)
			memory := store.NewMemory()
			n := startNode(t, port, a, memory, change)
			if _, _, err := n.visit(a, chat); err == nil {
				t.Error("a certificate before there is one")
			}
			if err := n.Manage([]string{chat, strings.ToUpper(api) + "."}); err != nil {
				t.Fatal(err)
			}
			first := n.waitFor(t, a, chat)
			n.waitFor(t, a, api)
			if _, _, err := n.visit(a, "other.example.com"); err == nil {
				t.Error("a certificate for a name that nobody asked for")
			}

			next := startNode(t, open(t), a, memory, change)
			if err := next.Manage([]string{chat}); err != nil {
				t.Fatal(err)
			}
			if again := next.waitFor(t, a, chat); again.SerialNumber.Cmp(first.SerialNumber) != 0 {
				t.Error("a node that shares the store got a certificate of its own")
			}

			if err := n.Manage([]string{api}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := n.visit(a, chat); err == nil {
				t.Error("a certificate for a name that is gone")
			}
		})
	}
}

// A node answers the challenge that another node of the cluster began: the
// authority may reach any of them.
func TestAnotherNodeAnswers(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"HTTP-01":     func(o *Options) { o.TLSAddress = "" },
		"TLS-ALPN-01": func(o *Options) { o.HTTPAddress = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chat := domain("another", name)
			reached := open(t)
			a := newAuthority(t, reached.Addr().(*net.TCPAddr).Port)
			memory := store.NewMemory()
			startNode(t, reached, a, memory, change)
			asking := startNode(t, open(t), a, memory, change)
			if err := asking.Manage([]string{chat}); err != nil {
				t.Fatal(err)
			}
			asking.waitFor(t, a, chat)
		})
	}
}

// By plain HTTP there is nothing but the challenge's answer.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	port := open(t)
	n := startNode(t, port, newAuthority(t, 1), store.NewMemory(), func(*Options) {})
	for _, path := range []string{"/", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/unknown", "/.well-known/acme-challenge/../../"} {
		response, err := http.Get("http://" + n.address + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// An authority that cannot be reached ends nothing: the manager says so and can
// be closed.
func TestUnreachableAuthority(t *testing.T) {
	t.Parallel()
	port := open(t)
	a := newAuthority(t, 1)
	n := startNode(t, port, a, store.NewMemory(), func(o *Options) { o.Roots = x509.NewCertPool() })
	if err := n.Manage([]string{"unreachable.example.com"}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(timeout)
	for tick := time.Tick(10 * time.Millisecond); !strings.Contains(n.log.String(), "certificate signed by unknown authority"); <-tick {
		if time.Now().After(deadline) {
			t.Fatal("nothing is said of it")
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"no challenge":       {},
		"no port":            {HTTPAddress: "localhost"},
		"a port that is not": {TLSAddress: "localhost:https"},
		"half an account":    {HTTPAddress: ":80", KeyID: "x"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	m, err := New(Options{Store: store.NewMemory(), HTTPAddress: "127.0.0.1:80"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"*.example.com", "", "a b"} {
		if err := m.Manage([]string{name}); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	if _, err := m.Certificate(&tls.ClientHelloInfo{}); err == nil {
		t.Error("a certificate for no name")
	}
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := m.Manage([]string{"x.test"}); err == nil {
		t.Error("a manager that is closed takes names")
	}
}
