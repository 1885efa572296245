package servertls

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// made is a certificate with its key, in PEM.
type made struct {
	cert, key []byte
	pair      tls.Certificate
}

// sign makes a certificate for names that the given one signs, or itself.
func sign(t *testing.T, by *made, expires time.Time, names ...string) *made {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: names, Subject: pkix.Name{CommonName: strings.Join(names, "+")},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: expires, BasicConstraintsValid: true, IsCA: by == nil,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.pair.Leaf, by.pair.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	m := &made{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}
	if m.pair, err = tls.X509KeyPair(m.cert, m.key); err != nil {
		t.Fatal(err)
	}
	return m
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

// write puts a certificate and its key into files.
func (m *made) write(t *testing.T, pair Pair) {
	t.Helper()
	writeFile(t, pair.CertFile, m.cert)
	writeFile(t, pair.KeyFile, m.key)
}

func writeFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func newPair(t *testing.T, m *made) Pair {
	t.Helper()
	dir := t.TempDir()
	pair := Pair{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")}
	m.write(t, pair)
	return pair
}

// shake runs a handshake over a socket. It gives what the client saw.
func shake(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	done := make(chan error, 1)
	go func() {
		raw, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		defer raw.Close()
		_ = raw.SetDeadline(time.Now().Add(time.Minute))
		_, err = tls.Server(raw, server).Write([]byte("x")) // in TLS 1.3 a client learns here that it was refused
		done <- err
	}()
	client = client.Clone()
	client.InsecureSkipVerify = true //nolint:gosec // the test looks at the certificate itself
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.SetDeadline(time.Now().Add(time.Minute))
	conn := tls.Client(raw, client)
	_, err = conn.Read(make([]byte, 1))
	state := conn.ConnectionState()
	_ = raw.Close()
	return state, errors.Join(err, <-done)
}

// presented returns the names of the certificate that a client of a name sees.
func presented(t *testing.T, server *tls.Config, name string) string {
	t.Helper()
	state, err := shake(t, server, &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12})
	if err != nil {
		return err.Error()
	}
	return strings.Join(state.PeerCertificates[0].DNSNames, "+")
}

func newCertificates(t *testing.T, o Options) *Certificates {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCertificateByName(t *testing.T) {
	t.Parallel()
	managed := sign(t, nil, tomorrow(), "managed.test")
	c := newCertificates(t, Options{
		Files: []Pair{
			newPair(t, sign(t, nil, tomorrow(), "first.test")),
			newPair(t, sign(t, nil, tomorrow(), "*.example.com", "Example.com")),
			newPair(t, sign(t, nil, tomorrow(), "chat.example.com")),
			newPair(t, sign(t, nil, tomorrow(), "first.test", "again")),
		},
		Managed: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName != "managed.test" {
				return nil, errors.New("not managed")
			}
			return &managed.pair, nil
		},
	})
	for name, want := range map[string]string{
		"":                  "first.test",
		"first.test":        "first.test",
		"FIRST.test":        "first.test",
		"again":             "first.test+again",
		"example.com":       "*.example.com+Example.com",
		"a.example.com":     "*.example.com+Example.com",
		"a.b.example.com":   "first.test", // a wildcard is one label
		"chat.example.com":  "chat.example.com",
		"managed.test":      "managed.test",
		"unknown.test":      "first.test",
		"xexample.com":      "first.test",
		"chat.example.com.": "chat.example.com",
	} {
		if got := presented(t, c.TLSConfig(), name); got != want {
			t.Errorf("%q: certificate of %q, want %q", name, got, want)
		}
	}
}

// Without files a name that is not managed has no certificate.
func TestManagedAlone(t *testing.T) {
	t.Parallel()
	c := newCertificates(t, Options{Managed: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("not managed") }})
	if got := presented(t, c.TLSConfig(), "x.test"); !strings.Contains(got, "no certificate") {
		t.Error(got)
	}
}

// A challenge is answered by who manages the name, whatever files there are.
func TestChallengeProtocol(t *testing.T) {
	t.Parallel()
	challenge := sign(t, nil, tomorrow(), "x.test", "challenge")
	c := newCertificates(t, Options{
		Files: []Pair{newPair(t, sign(t, nil, tomorrow(), "x.test"))}, Protocols: []string{"acme-tls/1"},
		Managed: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &challenge.pair, nil },
	})
	for protocol, want := range map[string]string{"acme-tls/1": "x.test+challenge", "http/1.1": "x.test"} {
		state, err := shake(t, c.TLSConfig(), &tls.Config{ServerName: "x.test", NextProtos: []string{protocol}, MinVersion: tls.VersionTLS12})
		if err != nil || state.NegotiatedProtocol != protocol || strings.Join(state.PeerCertificates[0].DNSNames, "+") != want {
			t.Errorf("%s: %v, %q with %v", protocol, err, state.NegotiatedProtocol, state.PeerCertificates[0].DNSNames)
		}
	}
	if _, err := shake(t, c.TLSConfig(), &tls.Config{ServerName: "x.test", NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}); err == nil {
		t.Error("HTTP/2 is offered")
	}
}

// A pair is read again when it changed, and not used before it is whole.
func TestReload(t *testing.T) {
	t.Parallel()
	pair := newPair(t, sign(t, nil, tomorrow(), "old.test"))
	var reports []string
	c := newCertificates(t, Options{Files: []Pair{pair}, Report: func(err error) { reports = append(reports, err.Error()) }})
	next := sign(t, nil, tomorrow(), "new.test")
	steps := []struct {
		name   string
		do     func()
		want   string
		report string // what is reported; "" for nothing
	}{
		{"nothing changed", func() {}, "old.test", ""},
		{"the certificate alone", func() { writeFile(t, pair.CertFile, next.cert) }, "old.test", "does not match"},
		{"and no more", func() {}, "old.test", ""},
		{"the key too", func() { writeFile(t, pair.KeyFile, next.key) }, "new.test", ""},
		{"half a file", func() { writeFile(t, pair.CertFile, next.cert[:100]) }, "new.test", "find any PEM"},
		{"no file", func() { os.Remove(pair.CertFile) }, "new.test", "no such file"},
		{"still none", func() {}, "new.test", ""},
		{"the same as before", func() { writeFile(t, pair.CertFile, next.cert) }, "new.test", ""},
		{"an expired one", func() { sign(t, nil, time.Now().Add(-time.Hour), "expired.test").write(t, pair) }, "new.test", "expired on"},
		{"one more", func() { sign(t, nil, tomorrow(), "last.test").write(t, pair) }, "last.test", ""},
	}
	for _, step := range steps {
		reports = nil
		step.do()
		c.Reload()
		if got := presented(t, c.TLSConfig(), "x.test"); got != step.want {
			t.Errorf("%s: certificate of %s, want %s", step.name, got, step.want)
		}
		if got := strings.Join(reports, "\n"); (step.report == "") != (got == "") || !strings.Contains(got, step.report) {
			t.Errorf("%s: reported %q, want %q", step.name, got, step.report)
		}
	}
	if err := c.Use([]Pair{{"missing", "missing"}}); err == nil {
		t.Error("a missing file is taken")
	}
	if err := c.Use([]Pair{newPair(t, sign(t, nil, tomorrow(), "used.test"))}); err != nil || presented(t, c.TLSConfig(), "") != "used.test" {
		t.Errorf("replaced files are not in use: %v", err)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	pair := newPair(t, sign(t, nil, tomorrow(), "old.test"))
	next := sign(t, nil, tomorrow(), "new.test")
	synctest.Test(t, func(t *testing.T) {
		c := newCertificates(t, Options{Files: []Pair{pair}, Interval: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go c.Watch(ctx)
		next.write(t, pair)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := c.current.Load().first.Leaf.DNSNames[0]; got != "new.test" {
			t.Errorf("certificate of %s", got)
		}
	})
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	const cbc, gcm = tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	pair := newPair(t, sign(t, nil, tomorrow(), "x.test"))
	tests := []struct {
		policy                           string
		tls11, tls12cbc, tls12gcm, tls13 bool
	}{
		{"", false, true, true, true},
		{"TLS_1_2", false, true, true, true},
		{"compatible", false, true, true, true},
		{"SecurityPolicy_TLS13_1_2_2021_06", false, true, true, true},
		{"SecurityPolicy_TLS13_1_2_PQ_2025_09", false, true, true, true},
		{"intermediate", false, false, true, true},
		{"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", false, false, true, true},
		{"modern", false, false, false, true},
		{"SecurityPolicy_TLS13_1_3_2025_09", false, false, false, true},
	}
	for _, test := range tests {
		t.Run(test.policy, func(t *testing.T) {
			t.Parallel()
			var policy Policy // of no name
			if test.policy != "" {
				var err error
				if policy, err = ParsePolicy(test.policy); err != nil {
					t.Fatal(err)
				}
			}
			c := newCertificates(t, Options{Files: []Pair{pair}, Policy: policy})
			for _, client := range []struct {
				name   string
				config *tls.Config
				want   bool
			}{
				{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, test.tls11},
				{"TLS 1.2, CBC", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{cbc}}, test.tls12cbc},
				{"TLS 1.2, GCM", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{gcm}}, test.tls12gcm},
				{"TLS 1.3", &tls.Config{MinVersion: tls.VersionTLS13}, test.tls13},
			} {
				client.config.ServerName = "x.test"
				if _, err := shake(t, c.TLSConfig(), client.config); (err == nil) != client.want {
					t.Errorf("%s: %v", client.name, err)
				}
			}
		})
	}
	for _, name := range []string{"TLS_1_0", "SecurityPolicy_TLS13_1_3_FIPS_2025_09", "tls_1_2", "x"} {
		if _, err := ParsePolicy(name); err == nil {
			t.Errorf("policy %s is taken", name)
		}
	}
}

// Who has no certificate of the authority, or one of another, is refused; a new
// authority counts when its file changed, and the old one no more.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	authority, other := sign(t, nil, tomorrow(), "authority"), sign(t, nil, tomorrow(), "other")
	file := filepath.Join(t.TempDir(), "clients.pem")
	writeFile(t, file, authority.cert)
	var reports []error
	c := newCertificates(t, Options{
		Files: []Pair{newPair(t, sign(t, nil, tomorrow(), "x.test"))}, ClientCAs: file,
		Report: func(err error) { reports = append(reports, err) },
	})
	server := c.TLSConfig()
	resumed := tls.NewLRUClientSessionCache(1)
	clients := map[string]*tls.Config{
		"none":    {},
		"own":     {Certificates: []tls.Certificate{sign(t, authority, tomorrow(), "client").pair}, ClientSessionCache: resumed},
		"foreign": {Certificates: []tls.Certificate{sign(t, other, tomorrow(), "client").pair}},
		"expired": {Certificates: []tls.Certificate{sign(t, authority, time.Now().Add(-time.Hour), "client").pair}},
		"self":    {Certificates: []tls.Certificate{sign(t, nil, tomorrow(), "client").pair}},
	}
	check := func(allowed string) {
		t.Helper()
		for name, config := range clients {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				config := config.Clone()
				config.ServerName, config.MaxVersion = "x.test", version
				if _, err := shake(t, server, config); (err == nil) != (name == allowed) {
					t.Errorf("%s, %s: %v", name, tls.VersionName(version), err)
				}
			}
		}
	}
	check("own")
	writeFile(t, file, []byte("nonsense"))
	c.Reload()
	c.Reload()
	if len(reports) != 1 {
		t.Errorf("reports %v", reports)
	}
	check("own")
	writeFile(t, file, other.cert)
	c.Reload()
	check("foreign")
}

func TestNewErrors(t *testing.T) {
	t.Parallel()
	pair := newPair(t, sign(t, nil, tomorrow(), "x.test"))
	for name, o := range map[string]Options{
		"nothing":               {},
		"a missing certificate": {Files: []Pair{{"missing", pair.KeyFile}}},
		"a missing key":         {Files: []Pair{{pair.CertFile, "missing"}}},
		"files interchanged":    {Files: []Pair{{pair.KeyFile, pair.CertFile}}},
		"missing authorities":   {Files: []Pair{pair}, ClientCAs: "missing"},
		"a key as authorities":  {Files: []Pair{pair}, ClientCAs: pair.KeyFile},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
