package authorizer

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// inProcess is a transport that calls a handler: without sockets, time can be
// a fake one.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	recorder := httptest.NewRecorder()
	p.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

func inProcessProvider(t *testing.T) (*provider, Authorizer) {
	t.Helper()
	p := &provider{url: "https://login.example.com/tenant"}
	handler := http.StripPrefix("/tenant", p)
	a, err := (&Builder{Transport: inProcess{handler}}).Build(jwtAPI("issuer="+p.url+" audience=chat"), devStage)
	if err != nil {
		t.Fatal(err)
	}
	return p, a
}

// A new key is found at once, a key that was taken back is refused after a
// while, and nobody can make the gateway flood the issuer.
func TestRotation(t *testing.T) {
	t.Parallel()
	old, young := ecKey(t, "old"), ecKey(t, "young")
	made := ecKey(t, "made up")
	synctest.Test(t, func(t *testing.T) {
		p, a := inProcessProvider(t)
		p.publish(old)
		try := func(what string, key *signingKey, status int) {
			t.Helper()
			_, refusal := show(t, a, key.token(t, claimsOf(p.url, nil)))
			expect(t, what, refusal, status, "")
		}
		fetches := func(want int64) {
			t.Helper()
			if got := p.requests.Swap(0) / 2; got != want { // the configuration and the keys
				t.Errorf("the keys were fetched %d times, want %d", got, want)
			}
		}
		try("first", old, 0)
		for range 100 {
			try("again", old, 0)
		}
		fetches(1)

		time.Sleep(fetchPause)
		p.publish(old, young)
		try("a new key", young, 0)
		try("the old key", old, 0)
		fetches(1)

		for range 150 {
			try("a made-up key", made, 401)
			time.Sleep(100 * time.Millisecond)
		}
		fetches(1)

		time.Sleep(fetchPause)
		fetches(0)
		p.publish(young)
		try("the old key is still known", old, 0)
		time.Sleep(keysAge)
		try("the old key is gone", old, 401)
		fetches(1)
	})
}

// While the issuer is down the last keys go on; an issuer that never answered
// is an error of the gateway's side, and is asked again.
func TestIssuerDown(t *testing.T) {
	t.Parallel()
	key := ecKey(t, "one")
	synctest.Test(t, func(t *testing.T) {
		p, a := inProcessProvider(t)
		p.publish(key)
		token := key.token(t, claimsOf(p.url, map[string]any{"exp": time.Now().Add(100 * time.Hour).Unix()}))
		p.set(func() { p.down = true })
		for range 10 {
			_, refusal := show(t, a, token)
			expect(t, "never answered", refusal, 500, "the answer is 503")
		}
		if n := p.requests.Load(); n != 1 {
			t.Errorf("the issuer was asked %d times", n)
		}
		time.Sleep(firstPause)
		p.set(func() { p.down = false })
		_, refusal := show(t, a, token)
		expect(t, "answers", refusal, 0, "")

		p.set(func() { p.down = true })
		time.Sleep(24 * time.Hour)
		p.requests.Store(0)
		for range 10 {
			_, refusal = show(t, a, token)
			expect(t, "down", refusal, 0, "")
		}
		if n := p.requests.Load(); n != 1 {
			t.Errorf("the issuer was asked %d times while it was down", n)
		}
	})
}

// Many handshakes at once make one fetch.
func TestOneFetch(t *testing.T) {
	t.Parallel()
	p, _ := newProvider(t, httptest.NewServer)
	key := ecKey(t, "one")
	p.publish(key)
	a := build(t, &Builder{}, jwtAPI("issuer="+p.url+" audience=chat"))
	token := key.token(t, claimsOf(p.url, nil))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, refusal := show(t, a, token); refusal != nil {
				t.Error(refusal)
			}
		})
	}
	all.Wait()
	if n := p.requests.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// An issuer with TLS: its certificate must be trusted.
func TestIssuerWithTLS(t *testing.T) {
	t.Parallel()
	p, server := newProvider(t, func(h http.Handler) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake
		server.StartTLS()
		return server
	})
	key := rsaKey(t, "one", 2048)
	p.publish(key)
	token := key.token(t, claimsOf(p.url, nil))
	_, refusal := show(t, build(t, &Builder{}, jwtAPI("issuer="+p.url+" audience=chat")), token)
	expect(t, "unknown authority", refusal, 500, "certificate")

	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	transport.TLSClientConfig.RootCAs.AddCert(server.Certificate())
	_, refusal = show(t, build(t, &Builder{Transport: transport}, jwtAPI("issuer="+p.url+" audience=chat")), token)
	expect(t, "known authority", refusal, 0, "")
}

// What an issuer can answer that gives no keys.
func TestHostileIssuers(t *testing.T) {
	t.Parallel()
	key := rsaKey(t, "one", 2048)
	weak := rsaKey(t, "one", 1024)
	secret, _ := json.Marshal(jose.JSONWebKey{Key: []byte("secretsecretsecretsecretsecretsecret"), KeyID: "one"})
	private, _ := json.Marshal(jose.JSONWebKey{Key: key.private, KeyID: "one"})
	encryption, _ := json.Marshal(jose.JSONWebKey{Key: key.private.Public(), KeyID: "one", Use: "enc"})
	good := strings.TrimSuffix(strings.TrimPrefix(jwks(key), `{"keys":[`), `]}`)
	set := func(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }
	tests := []struct {
		name, configuration, keys string
		status                    int
		reason                    string
	}{
		{"good", "", set(good), 0, ""},
		{"good among others", "", set(`{"kty":"quantum"}`, `7`, `null`, `{}`, string(secret), good), 0, ""},
		{"two with one id", "", set(strings.TrimSuffix(strings.TrimPrefix(jwks(rsaKey(t, "one", 2048)), `{"keys":[`), `]}`), good), 0, ""},
		{"no JSON", "", "<html>", 500, "invalid character"},
		{"no keys", "", set(), 500, "no key to verify"},
		{"keys that are no list", "", `{"keys":{}}`, 500, "cannot unmarshal"},
		{"secret key", "", set(string(secret)), 500, "no key to verify"},
		{"private key", "", set(string(private)), 500, "no key to verify"},
		{"key for encryption", "", set(string(encryption)), 500, "no key to verify"},
		{"weak key", "", jwks(weak), 500, "no key to verify"},
		{"RSA with an endless modulus", "", set(`{"kty":"RSA","kid":"one","e":"AQAB","n":"` + strings.Repeat("_", 100_000) + `"}`), 500, "no key to verify"},
		{"point that is not on the curve", "", set(`{"kty":"EC","crv":"P-256","kid":"one","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}`), 500, "no key to verify"},
		{"many keys", "", set(append(make([]string, 0, 65), strings.Split(strings.TrimSuffix(strings.Repeat("{};", 65), ";"), ";")...)...), 500, "more than 64 keys"},
		{"endless", "", `{"keys":[` + strings.Repeat(" ", maxKeysAnswer), 500, "too large"},
		{"deep", "", strings.Repeat("[", 200_000), 500, "fetching"},
		{"another issuer", `{"issuer":"https://evil.example.com","jwks_uri":"https://evil.example.com/keys"}`, "", 500, `configuration of issuer "https://evil.example.com"`},
		{"no configuration", `{}`, "", 500, "configuration of issuer"},
		{"keys without TLS", `{"issuer":"%s","jwks_uri":"http://keys.example.com/"}`, "", 500, "no https:// URL"},
		{"keys in a file", `{"issuer":"%s","jwks_uri":"file:///etc/passwd"}`, "", 500, "no https:// URL"},
		{"keys nowhere", `{"issuer":"%s"}`, "", 500, "no https:// URL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, _ := newProvider(t, httptest.NewServer)
			p.keys, p.configuration = test.keys, strings.ReplaceAll(test.configuration, "%s", p.url)
			a := build(t, &Builder{}, jwtAPI("issuer="+p.url+" audience=chat"))
			_, refusal := show(t, a, key.token(t, claimsOf(p.url, nil)))
			expect(t, "", refusal, test.status, test.reason)
		})
	}
}

// An issuer elsewhere cannot send the gateway to this machine, nor on.
func TestIssuersAreNotFollowed(t *testing.T) {
	t.Parallel()
	key := ecKey(t, "one")
	for name, handler := range map[string]http.HandlerFunc{
		"to this machine": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, `{"issuer":"https://login.example.com","jwks_uri":"http://127.0.0.1:8081/metrics"}`)
		},
		"on": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example.com/", http.StatusFound)
		},
	} {
		asked := 0
		transport := inProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked++; handler(w, r) })}
		a := build(t, &Builder{Transport: transport}, jwtAPI("issuer=https://login.example.com audience=chat"))
		_, refusal := show(t, a, key.token(t, claimsOf("https://login.example.com", nil)))
		expect(t, name, refusal, 500, "")
		if asked != 1 {
			t.Errorf("%s: %d requests", name, asked)
		}
	}
}

// Whoever gives up in the middle of a fetch leaves it to the next.
func TestFetchThatIsGivenUp(t *testing.T) {
	t.Parallel()
	key := ecKey(t, "one")
	p, a := inProcessProvider(t)
	p.publish(key)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	event := withHeader("Authorization", key.token(t, claimsOf(p.url, nil)))
	_, refusal := a.Authorize(ctx, event)
	expect(t, "gives up", refusal, 500, "canceled")
	_, refusal = a.Authorize(t.Context(), event)
	expect(t, "the next", refusal, 0, "")
}

// An issuer that takes its time holds up nobody for longer than a fetch may
// take, and whoever gives up is let go.
func TestSlowIssuer(t *testing.T) {
	t.Parallel()
	key := ecKey(t, "one")
	synctest.Test(t, func(t *testing.T) {
		slow := roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		a, err := (&Builder{Transport: slow}).Build(jwtAPI("issuer=https://login.example.com audience=chat"), devStage)
		if err != nil {
			t.Fatal(err)
		}
		token := key.token(t, claimsOf("https://login.example.com", nil))
		start := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, refusal := show(t, a, token)
			expect(t, "first", refusal, 500, "deadline")
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, refusal := a.Authorize(ctx, withHeader("Authorization", token))
		expect(t, "gives up", refusal, 500, "deadline")
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("waited %s", waited)
		}
		<-done
		if waited := time.Since(start); waited != fetchTimeout {
			t.Errorf("waited %s", waited)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
