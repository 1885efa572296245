package httpclient

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"strings"
	"testing"
	"time"
)

// trusting is a client that trusts a test server's certificate.
func trusting(t *testing.T, server *httptest.Server) *Client {
	t.Helper()
	client := New(Options{RootCAs: authority(server)})
	t.Cleanup(client.Close)
	return client
}

// authority is who has signed a test server's certificate.
func authority(server *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return pool
}

// tlsServer answers with the protocol of the request.
func tlsServer(t *testing.T, http2 bool) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestClientHTTP2(t *testing.T) {
	t.Parallel()
	for want, http2 := range map[string]bool{"HTTP/2.0": true, "HTTP/1.1": false} {
		server := tlsServer(t, http2)
		if _, got, err := roundTrip(t, trusting(t, server), server.URL, "x"); got != want || err != nil {
			t.Errorf("%q, %v; want %s", got, err, want)
		}
	}
}

// A certificate is trusted only when its authority is.
func TestClientVerifies(t *testing.T) {
	t.Parallel()
	server := tlsServer(t, true)
	var unknown x509.UnknownAuthorityError
	if _, _, err := roundTrip(t, newClient(t), server.URL, "x"); !errors.As(err, &unknown) {
		t.Errorf("with the system's authorities: %v", err)
	}
	client := trusting(t, server)
	if _, _, err := roundTrip(t, client, server.URL, "x"); err != nil {
		t.Errorf("with the authority: %v", err)
	}
	var name x509.HostnameError
	elsewhere := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	if _, _, err := roundTrip(t, client, elsewhere, "x"); !errors.As(err, &name) {
		t.Errorf("by a name that the certificate does not have: %v", err)
	}
}

// Redirects, answers that are too large and slow ones are the same over plain
// HTTP, over TLS, and with large requests, which take other ways.
func TestClientLimits(t *testing.T) {
	t.Parallel()
	handler := http.NewServeMux()
	handler.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	handler.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.Copy(w, io.LimitReader(zeros{}, MaxResponseBytes+1))
	})
	handler.HandleFunc("/largest", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.Copy(w, io.LimitReader(zeros{}, MaxResponseBytes))
	})
	handler.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	plain, encrypted := httptest.NewServer(handler), httptest.NewUnstartedServer(handler)
	encrypted.EnableHTTP2 = true
	encrypted.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(encrypted.Close)
	for name, way := range map[string]struct{ url, body string }{
		"plain":         {plain.URL, "x"},
		"TLS":           {encrypted.URL, "x"},
		"large request": {plain.URL, strings.Repeat("x", maxPlainBody+1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := trusting(t, encrypted)
			send := func(path string, timeout time.Duration) (*Response, error) {
				target, err := neturl.Parse(way.url + path)
				if err != nil {
					t.Fatal(err)
				}
				return client.Do(t.Context(), &Request{Method: http.MethodPost, URL: target, Body: []byte(way.body), Timeout: timeout})
			}
			if r, err := send("/redirect", time.Minute); err != nil || r.Status != http.StatusFound || r.Header.Get("Location") != "/elsewhere" {
				t.Errorf("a redirect: %+v, %v", r, err)
			}
			if _, err := send("/large", time.Minute); !errors.Is(err, ErrTooLarge) {
				t.Errorf("more than is allowed: %v", err)
			}
			if r, err := send("/largest", time.Minute); err != nil || len(r.Body) != MaxResponseBytes {
				t.Errorf("as much as is allowed: %v", err)
			}
			if _, err := send("/slow", 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a slow backend: %v", err)
			}
		})
	}
}
