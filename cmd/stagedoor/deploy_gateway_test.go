//go:build unix

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/server"
)

// selfSigned writes a certificate for localhost, its own authority, and its key,
// and returns the names of both files.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cert, key = filepath.Join(folder, "tls.pem"), filepath.Join(folder, "tls.key")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: text}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A gateway whose admin port wants client certificates is deployed to with one,
// and what is printed is where its clients connect.
func TestDeployBehindClientCertificates(t *testing.T) {
	t.Parallel()
	cert, key := selfSigned(t)
	template := templateFile(t, deployedTemplate)
	configuration := written(t, "gateway.yaml", "data: data\nadmin: {tls: {cert: "+cert+", key: "+key+", clientCA: "+cert+"}}\n")
	p := start(t, nil, "--config", configuration, "--open")
	gateway := strings.Replace(p.Admin, "127.0.0.1", "localhost", 1)
	deployed := func(more ...string) result {
		t.Helper()
		return tool(t, nil, "", append([]string{"deploy", template, "--gateway", gateway, "--yes"}, more...)...)
	}
	deployed("--ca", cert).expect(t, exitFailure, "the gateway does not answer")
	deployed("--cert", cert, "--key", key).expect(t, exitFailure, "certificate")
	deployed("--ca", cert, "--cert", cert).expect(t, exitUsage, "--cert and --key go together")
	deployed("--ca", template).expect(t, exitUsage, "holds no PEM certificate")

	url := strings.Replace(p.Public, "http", "ws", 1) + "/_aws/execute-api/"
	got := deployed("--stack", "one", "--ca", cert, "--cert", cert, "--key", key)
	got.expect(t, exitOK, "4 created.", "Api live  "+url)
	_, printed, _ := strings.Cut(got.stdout, url)
	_ = p.dial("/_aws/execute-api/" + strings.TrimSpace(printed)).CloseNow()

	// A second API with a stage of the name ends the short URL: that is said before.
	got = deployed("--stack", "two", "--json", "--ca", cert, "--cert", cert, "--key", key)
	plan, rest, _ := strings.Cut(got.stdout, "\n")
	if !strings.Contains(plan, "the short URL /live leads to the API mock (") || !strings.Contains(plan, "is refused with 403") {
		t.Errorf("the plan does not tell of the short URL: %s", plan)
	}
	var done struct {
		APIs []struct{ APIID, Endpoint string }
	}
	lines := strings.Split(strings.TrimSpace(rest), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &done); err != nil || len(done.APIs) != 1 || done.APIs[0].Endpoint != url+done.APIs[0].APIID {
		t.Errorf("the end: %v %s", err, lines[len(lines)-1])
	}
	p.log.await(t, "the short URL of a stage is refused from now on")

	// A third does not have it either; a run without changes has nothing to say of it.
	for stack, tells := range map[string]bool{"two": false, "three": true} {
		got := deployed("--stack", stack, "--ca", cert, "--cert", cert, "--key", key)
		if strings.Contains(got.stdout, "the short URL /live is refused with 403, as several APIs") != tells || got.code != exitOK {
			t.Errorf("%s: %d %s%s", stack, got.code, got.stdout, got.stderr)
		}
	}
	if out := must(t, nil, "", "backup", "-", "--gateway", gateway, "--ca", cert, "--cert", cert, "--key", key); !strings.Contains(out, "stagedoor backup") {
		t.Errorf("a backup: %s", out)
	}
}

// The banner names what is used: the servers, not a folder that nobody made.
func TestServeTextWithNATS(t *testing.T) {
	t.Parallel()
	r := &serveReporter{p: &process{isTerminal: func(any) bool { return false }}}
	for _, tt := range []struct {
		nats, data, want, not string
	}{
		{"nats://a.example:4222", "", "  nats    nats://a.example:4222\n", "data"},
		{"", "/var/lib/stagedoor", "  data    /var/lib/stagedoor\n", "nats"},
	} {
		text := r.text(server.Ready{Public: []string{"http://localhost:1"}, NATS: tt.nats, Data: tt.data})
		if !strings.Contains(text, tt.want) || strings.Contains(text, tt.not) {
			t.Errorf("%q is missing, or %q is in:\n%s", tt.want, tt.not, text)
		}
	}
}
