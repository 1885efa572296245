package certificate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) *Authority {
	t.Helper()
	a, err := Open(filepath.Join(t.TempDir(), "sub", "folder"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// serve returns the port of an https server with the authority's certificates.
func serve(t *testing.T, a *Authority) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", a.TLSConfig())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello from %s", r.Host) }),
		ErrorLog: log.New(io.Discard, "", 0), // refused handshakes are meant
	}
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(listener) }()
	t.Cleanup(func() { server.Close(); <-served })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestOpenMakesAnAuthority(t *testing.T) {
	t.Parallel()
	a := open(t)
	cert := a.cert
	if !cert.IsCA || time.Until(cert.NotAfter) < 9*365*24*time.Hour {
		t.Errorf("CA %t until %v", cert.IsCA, cert.NotAfter)
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{authorityFile: 0o600, certificateFile: 0o644} {
			info, err := os.Stat(filepath.Join(a.dir, name))
			if err != nil || info.Mode() != want {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
	}
	again, err := Open(a.dir)
	if err != nil || !again.cert.Equal(cert) {
		t.Errorf("another authority, %v", err)
	}
	text, err := os.ReadFile(a.CertificatePath())
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(text)
	if block == nil || !bytes.Equal(block.Bytes, cert.Raw) || len(rest) > 0 {
		t.Errorf("%s is %s", certificateFile, text)
	}
	entries, err := os.ReadDir(a.dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all [16]*Authority
	var opening sync.WaitGroup
	for i := range all {
		opening.Go(func() {
			a, err := Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			all[i] = a
		})
	}
	opening.Wait()
	for _, a := range all {
		if a == nil || !a.cert.Equal(all[0].cert) {
			t.Fatal("two authorities in one folder")
		}
	}
}

func TestOpenRefusesDamagedFiles(t *testing.T) {
	t.Parallel()
	good := open(t)
	text, err := os.ReadFile(filepath.Join(good.dir, authorityFile))
	if err != nil {
		t.Fatal(err)
	}
	expired, err := newAuthority(time.Now().Add(-11 * 365 * 24 * time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	other, err := newAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := good.leaf("x", &x509.Certificate{DNSNames: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	leafKey, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certOf := func(text []byte) []byte { return text[bytes.Index(text, []byte("-----BEGIN CERTIFICATE")):] }
	for name, content := range map[string][]byte{
		"empty":            nil,
		"cut":              text[:len(text)/2],
		"no PEM":           []byte("nonsense"),
		"no key":           certOf(text),
		"another's key":    append(bytes.Clone(text[:len(text)-len(certOf(text))]), certOf(other)...),
		"expired":          expired,
		"not an authority": append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: leafKey}), encodeCertificate(leaf.Certificate[0])...),
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, authorityFile)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "delete the file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "sub")); err == nil {
		t.Error("a folder inside a file")
	}
}

// A damaged copy of the certificate is written anew: the authority's file has
// it too.
func TestOpenMendsTheCertificate(t *testing.T) {
	t.Parallel()
	a := open(t)
	if err := os.WriteFile(a.CertificatePath(), []byte("nonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(a.dir); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(a.CertificatePath()); !bytes.Equal(text, encodeCertificate(a.cert.Raw)) {
		t.Errorf("the file has %q", text)
	}
}

func TestLeaves(t *testing.T) {
	t.Parallel()
	a := open(t)
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	conn := &addressed{local: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
	for _, test := range []struct {
		sni      string
		conn     net.Conn
		verifies []string
		not      []string
	}{
		{"abc.execute-api.eu-west-1.amazonaws.com", conn, []string{"abc.execute-api.eu-west-1.amazonaws.com"}, []string{"execute-api.eu-west-1.amazonaws.com", "localhost"}},
		{"Chat.Example.COM.", conn, []string{"chat.example.com"}, nil},
		{"localhost", conn, []string{"localhost"}, nil},
		{"under_score.test", conn, []string{"under_score.test"}, nil},
		{"", conn, []string{"localhost", "127.0.0.1", "::1"}, []string{"192.0.2.7"}},
		{"", &addressed{local: &net.TCPAddr{IP: net.ParseIP("192.0.2.7")}}, []string{"localhost", "192.0.2.7"}, nil},
		{"", nil, []string{"localhost"}, nil},
	} {
		leaf, err := a.getCertificate(&tls.ClientHelloInfo{ServerName: test.sni, Conn: test.conn})
		if err != nil {
			t.Errorf("%s: %v", test.sni, err)
			continue
		}
		for _, name := range test.verifies {
			if _, err := leaf.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
				t.Errorf("%s: %v", test.sni, err)
			}
		}
		for _, name := range test.not {
			if leaf.Leaf.VerifyHostname(name) == nil {
				t.Errorf("%s: valid for %s", test.sni, name)
			}
		}
		if life := leaf.Leaf.NotAfter.Sub(leaf.Leaf.NotBefore); life > 397*24*time.Hour {
			t.Errorf("%s: valid for %v", test.sni, life)
		}
		again, _ := a.getCertificate(&tls.ClientHelloInfo{ServerName: test.sni, Conn: test.conn})
		if again != leaf {
			t.Errorf("%s: issued twice", test.sni)
		}
	}
	for _, name := range []string{"*.example.com", "a b", "-a.test", "a-.test", "a..b", ".", "é.test", "a/b", strings.Repeat("a", 64) + ".test", strings.Repeat("a.", 130) + "test", "192.0.2.1", "::1", "[::1]", "a\x00b"} {
		if _, err := a.getCertificate(&tls.ClientHelloInfo{ServerName: name, Conn: conn}); err == nil {
			t.Errorf("a certificate for %q", name)
		}
	}
}

type addressed struct {
	net.Conn
	local net.Addr
}

func (a *addressed) LocalAddr() net.Addr { return a.local }

func TestLeavesAreBounded(t *testing.T) {
	t.Parallel()
	a := open(t)
	for i := range maxLeaves + 50 {
		if _, err := a.getCertificate(&tls.ClientHelloInfo{ServerName: fmt.Sprintf("host-%d.test", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.leaves) != maxLeaves || len(a.order) != maxLeaves {
		t.Errorf("%d leaves, %d in order", len(a.leaves), len(a.order))
	}
	if a.leaves["host-0.test"] != nil {
		t.Error("the oldest is still there")
	}
}

func TestBundle(t *testing.T) {
	a, other := open(t), open(t)
	path := filepath.Join(t.TempDir(), "bundle.pem")

	count := func() (n int, has map[string]bool) {
		t.Helper()
		if err := a.WriteBundle(path); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		has = map[string]bool{}
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			has[string(block.Bytes)] = true
			n++
		}
		return n, has
	}
	roots := filepath.Join(t.TempDir(), "roots.pem")
	text := append([]byte("# a comment\n"), encodeCertificate(other.cert.Raw)...)
	text = append(text, encodeCertificate([]byte("damaged"))...)
	text = append(text, encodeCertificate(a.cert.Raw)...)
	if err := os.WriteFile(roots, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", roots)
	if n, has := count(); n != 2 || !has[string(a.cert.Raw)] || !has[string(other.cert.Raw)] {
		t.Errorf("%d certificates", n)
	}
	written, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	count()
	if again, err := os.Stat(path); err != nil || !os.SameFile(written, again) {
		t.Errorf("the same bundle was written again, %v", err)
	}
	if err := os.Truncate(path, written.Size()-100); err != nil {
		t.Fatal(err)
	}
	if n, _ := count(); n != 2 {
		t.Errorf("%d certificates of a file that was damaged", n)
	}
	t.Setenv("SSL_CERT_FILE", "")
	t.Setenv("SSL_CERT_DIR", t.TempDir()+string(filepath.ListSeparator)+filepath.Dir(roots))
	if n, _ := count(); n != 2 {
		t.Errorf("%d certificates of a folder", n)
	}
	t.Setenv("SSL_CERT_DIR", t.TempDir())
	if n, has := count(); n != 1 || !has[string(a.cert.Raw)] {
		t.Errorf("%d certificates without roots", n)
	}
	t.Setenv("SSL_CERT_DIR", "")
	if n, has := count(); n < 1 || !has[string(a.cert.Raw)] {
		t.Errorf("%d certificates with the system's roots", n)
	}
	t.Setenv("SSL_CERT_FILE", filepath.Join(t.TempDir(), "absent.pem"))
	if err := a.WriteBundle(path); err == nil {
		t.Error("a file that SSL_CERT_FILE names is not there, and nothing was said")
	}
}

func TestClients(t *testing.T) {
	t.Parallel()
	a := open(t)
	port := serve(t, a)
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	if err := a.WriteBundle(bundle); err != nil {
		t.Fatal(err)
	}
	t.Run("go", func(t *testing.T) {
		t.Parallel()
		roots := x509.NewCertPool()
		text, err := os.ReadFile(bundle)
		if err != nil || !roots.AppendCertsFromPEM(text) {
			t.Fatal(err)
		}
		for _, host := range []string{"localhost", "127.0.0.1", "abc.execute-api.eu-west-1.amazonaws.com"} {
			config := &tls.Config{RootCAs: roots, ServerName: host}
			conn, err := tls.Dial("tcp", "127.0.0.1:"+port, config)
			if err != nil {
				t.Errorf("%s: %v", host, err)
				continue
			}
			conn.Close()
		}
		if _, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: roots, ServerName: "bad..name"}); err == nil {
			t.Error("a handshake for a name that is none")
		}
	})
	t.Run("node", func(t *testing.T) {
		t.Parallel()
		script := `const https = require('https');
const get = (host, servername) => new Promise((ok, fail) => https.get({host, port: ` + port + `, path: '/', servername, headers: {host: servername || host}},
	r => { let s = ''; r.on('data', d => s += d); r.on('end', () => ok(s)); }).on('error', fail));
(async () => { for (const a of [['localhost'], ['127.0.0.1'], ['127.0.0.1', 'abc.execute-api.eu-west-1.amazonaws.com']]) console.log(await get(...a)); process.exit(0); })();`
		runClient(t, []string{"NODE_EXTRA_CA_CERTS=" + a.CertificatePath()}, "node", "-e", script)
	})
	t.Run("python", func(t *testing.T) {
		t.Parallel()
		script := `
import socket, ssl
context = ssl.create_default_context()
context.verify_flags |= ssl.VERIFY_X509_STRICT
for host in ['localhost', '127.0.0.1', 'abc.execute-api.eu-west-1.amazonaws.com']:
    with context.wrap_socket(socket.create_connection(('127.0.0.1', ` + port + `)), server_hostname=host) as conn:
        conn.sendall(('GET / HTTP/1.0\r\nHost: %s\r\n\r\n' % host).encode())
        print(conn.makefile().read().splitlines()[-1])
`
		runClient(t, []string{"SSL_CERT_FILE=" + bundle}, "python3", "-c", script)
	})
}

// runClient runs a program that must print the server's answer for three names.
func runClient(t *testing.T, environment []string, program string, arguments ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed", program)
	}
	command := exec.CommandContext(t.Context(), path, arguments...)
	command.Env = append(os.Environ(), environment...)
	output, err := command.CombinedOutput()
	if err != nil || strings.Count(string(output), "hello from ") != 3 {
		t.Errorf("%s: %v\n%s", program, err, output)
	}
}
