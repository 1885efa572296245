package lambda

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/dualport"
)

// endpoint is the far end of a redirect: it answers with the method, the host
// and the path that were asked for, and speaks HTTP, TLS and CONNECT.
func endpoint(t *testing.T) Redirect {
	t.Helper()
	hosts := []string{"*.execute-api.us-east-1.amazonaws.com", "dynamodb.us-east-1.amazonaws.com"}
	authority, certificate := certificates(t, hosts)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			tunnel(w, r)
			return
		}
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "%s %s://%s%s %s", r.Method, scheme, r.Host, r.URL.EscapedPath(), body)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Listener = dualport.NewListener(server.Listener, &tls.Config{Certificates: []tls.Certificate{certificate}})
	dualport.Attach(server.Config, 0)
	server.Start()
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, authority, 0o644); err != nil {
		t.Fatal(err)
	}
	return Redirect{
		Address: server.Listener.Addr().String(), Hosts: []string{"*.execute-api.*.amazonaws.com", "dynamodb.*.amazonaws.com"},
		CAFile: file, CABundleFile: file,
	}
}

// tunnel answers CONNECT by connecting the client with this same server.
func tunnel(w http.ResponseWriter, r *http.Request) {
	upstream, err := net.Dial("tcp", r.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		upstream.Close()
		return
	}
	io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		io.Copy(upstream, buffered)
		upstream.Close()
	}()
	io.Copy(client, upstream)
	client.Close()
}

// certificates makes an authority and a certificate that it signed for hosts.
func certificates(t *testing.T, hosts []string) (authority []byte, certificate tls.Certificate) {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of " + hosts[0]},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	check(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "local"}, DNSNames: hosts,
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	check(err)
	authority = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	return authority, tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: key}
}

const (
	executeAPI = "https://abc123.execute-api.us-east-1.amazonaws.com/prod/x"
	redirected = `"GET https://abc123.execute-api.us-east-1.amazonaws.com/prod/x "`
)

func TestRedirect(t *testing.T) {
	t.Parallel()
	redirect := endpoint(t)
	withOwnOptions := inlineNode("fetch with NODE_OPTIONS and certificates of its own",
		`exports.handler = async () => { if (!globalThis.preloaded) throw new Error("own preload is gone"); return (await fetch("`+executeAPI+`")).text() }`)
	withOwnOptions.Environment = map[string]string{
		"NODE_OPTIONS":        "--require " + testdata(t, "node", "preload.cjs"),
		"NODE_EXTRA_CA_CERTS": "/var/runtime/ca-cert.pem",
	}
	withOwnAuthority := inlineNode("an authority of its own", `exports.handler = async () => (await fetch("`+executeAPI+`")).text()`)
	withOwnAuthority.Environment = map[string]string{"NODE_EXTRA_CA_CERTS": otherAuthority(t)}
	tests := []struct {
		Function
		want string
	}{
		{inlineNode("https.request", `const https = require("https");
			exports.handler = () => new Promise((resolve, reject) => https.get("`+executeAPI+`", (r) => {
				let text = ""; r.on("data", (d) => text += d); r.on("end", () => resolve(text)) }).on("error", reject))`), redirected},
		{inlineNode("http.request", `const http = require("http");
			exports.handler = () => new Promise((resolve, reject) => http.get("`+strings.Replace(executeAPI, "https", "http", 1)+`", (r) => {
				let text = ""; r.on("data", (d) => text += d); r.on("end", () => resolve(text)) }).on("error", reject))`),
			strings.Replace(redirected, "https", "http", 1)},
		{inlineNode("fetch", `exports.handler = async () => (await fetch("`+executeAPI+`")).text()`), redirected},
		{inlineNode("fetch of another host", `exports.handler = async () => (await fetch("http://`+redirect.Address+`/direct")).text()`), `"GET http://` + redirect.Address + `/direct "`},
		{inlineNode("net.connect(port, host)", `const net = require("net");
			exports.handler = () => new Promise((resolve, reject) => {
				const s = net.connect(80, "dynamodb.eu-west-1.amazonaws.com", () => s.end("GET /t HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
				let text = ""; s.on("data", (d) => text += d); s.on("end", () => resolve(text.split("\r\n\r\n")[1])); s.on("error", reject) })`),
			`"GET http://h/t "`},
		{inlineNode("a worker thread", `const { Worker } = require("worker_threads");
			exports.handler = () => new Promise((resolve, reject) => new Worker(
				'fetch("`+executeAPI+`").then((r) => r.text()).then((t) => require("worker_threads").parentPort.postMessage(t))', { eval: true })
				.on("message", resolve).on("error", reject))`), redirected},
		{withOwnOptions, redirected},
		{withOwnAuthority, redirected},
		{inlinePython("urllib", `import urllib.request
def handler(event, context):
    return urllib.request.urlopen('`+executeAPI+`').read().decode()
`), redirected},
		{Function{Name: "go", Runtime: "provided.al2023", CodeDir: testdata(t, "go", "fetch"), Timeout: deadline,
			Environment: map[string]string{"URL": executeAPI}}, redirected},
	}
	var functions []Function
	for _, test := range tests {
		functions = append(functions, test.Function)
	}
	h := newTestHost(t, func(o *Options) { o.Redirect = redirect }, functions...)
	for _, test := range tests {
		t.Run(test.Name, func(t *testing.T) {
			if got := h.call(test.Name, `{}`); !strings.Contains(string(got.Payload), test.want) {
				t.Errorf("got %s, want %s", got.Payload, test.want)
			}
		})
	}
}

// otherAuthority is a file with a certificate that signed nothing here.
func otherAuthority(t *testing.T) string {
	authority, _ := certificates(t, []string{"example.com"})
	file := filepath.Join(t.TempDir(), "own.pem")
	if err := os.WriteFile(file, authority, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
