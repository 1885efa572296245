package authorizer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
)

// provider is an OpenID provider.
type provider struct {
	url      string
	requests atomic.Int64

	mu            sync.Mutex
	keys          string // the JWKS; guarded by mu
	configuration string // guarded by mu; empty: the right one
	down          bool   // guarded by mu
}

func newProvider(t *testing.T, start func(http.Handler) *httptest.Server) (*provider, *httptest.Server) {
	t.Helper()
	p := &provider{}
	server := start(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p, server
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.down:
		http.Error(w, "out of order", http.StatusServiceUnavailable)
	case r.URL.Path == "/.well-known/openid-configuration" && p.configuration != "":
		_, _ = fmt.Fprint(w, p.configuration)
	case r.URL.Path == "/.well-known/openid-configuration":
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"%s/keys"}`, p.url, p.url)
	case r.URL.Path == "/keys":
		_, _ = fmt.Fprint(w, p.keys)
	default:
		http.NotFound(w, r)
	}
}

func (p *provider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// publish makes these the provider's keys.
func (p *provider) publish(keys ...*signingKey) {
	p.set(func() { p.keys = jwks(keys...) })
}

func jwks(keys ...*signingKey) string {
	var set jose.JSONWebKeySet
	for _, k := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: k.published, Use: "sig"})
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// signingKey is a key of a provider.
type signingKey struct {
	id        string
	algorithm jose.SignatureAlgorithm
	published string // the algorithm in the JWKS, or ""
	private   crypto.Signer
}

func rsaKey(t *testing.T, id string, bits int) *signingKey {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return &signingKey{id, jose.RS256, "RS256", private}
}

func ecKey(t *testing.T, id string) *signingKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &signingKey{id, jose.ES256, "", private}
}

// token signs claims.
func (k *signingKey) token(t *testing.T, claims any) string {
	t.Helper()
	payload, ok := claims.(string)
	if !ok {
		text, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		payload = string(text)
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	var key any = k.private
	if k.id != "" {
		key = jose.JSONWebKey{Key: k.private, KeyID: k.id}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// claimsOf are good claims with changes; nil removes one.
func claimsOf(issuer string, changes map[string]any) map[string]any {
	now := time.Now().Unix()
	c := map[string]any{"iss": issuer, "sub": "ann", "aud": "chat", "iat": now, "exp": now + 300}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func jwtAPI(tag string) *apigw.API {
	return &apigw.API{ApiId: "abcdefghij", Tags: map[string]string{TagJWT: tag}}
}

// show shows a token to an authorizer.
func show(t *testing.T, a Authorizer, token string) (*Grant, *failure.Error) {
	t.Helper()
	return a.Authorize(t.Context(), withHeader("Host", "example.com", "authorization", "Bearer "+token))
}

func expect(t *testing.T, what string, refusal *failure.Error, status int, reason string) {
	t.Helper()
	got := 0
	if refusal != nil {
		got = refusal.Status()
	}
	if got != status || refusal != nil && !strings.Contains(refusal.Reason, reason) {
		t.Errorf("%s: got %d %+v, want %d %s", what, got, refusal, status, reason)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	p, _ := newProvider(t, httptest.NewServer)
	key, ec := rsaKey(t, "one", 2048), ecKey(t, "two")
	_, edPrivate, _ := ed25519.GenerateKey(rand.Reader)
	ed := &signingKey{"three", jose.EdDSA, "EdDSA", edPrivate}
	p.publish(key, ec, ed)
	stranger := rsaKey(t, "one", 2048)
	a := build(t, &Builder{}, jwtAPI("issuer="+p.url+" audience=chat audience=web scope=chat.use scope=chat.admin leeway=10m"))

	now := time.Now().Unix()
	with := func(name string, value any) map[string]any {
		return claimsOf(p.url, map[string]any{"scope": "openid chat.use", name: value})
	}
	good := key.token(t, with("x", 1))
	parts := strings.Split(good, ".")
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	pub, err := json.Marshal(key.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	hmac, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: append(pub, make([]byte, 32)...)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	macced, err := hmac.Sign([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	hs256, err := macced.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, token string
		status      int
		reason      string
	}{
		{"RS256", good, 0, ""},
		{"ES256", ec.token(t, with("x", 1)), 0, ""},
		{"EdDSA", ed.token(t, with("x", 1)), 0, ""},
		{"no key id", (&signingKey{"", jose.RS256, "", key.private}).token(t, with("x", 1)), 0, ""},
		{"audience in a list", key.token(t, with("aud", []string{"other", "web"})), 0, ""},
		{"client of Cognito", key.token(t, claimsOf(p.url, map[string]any{"aud": nil, "client_id": "chat", "scp": []string{"chat.admin"}})), 0, ""},
		{"expired within the leeway", key.token(t, with("exp", now-20)), 0, ""},
		{"valid soon within the leeway", key.token(t, with("nbf", now+20)), 0, ""},

		{"no token", "", 401, "not one token"},
		{"no JWT", "hello", 401, "cannot be read"},
		{"two parts", parts[0] + "." + parts[1], 401, "cannot be read"},
		{"expired", key.token(t, with("exp", now-660)), 401, "expired"},
		{"never expires", key.token(t, with("exp", nil)), 401, "no exp"},
		{"not yet valid", key.token(t, with("nbf", now+3600)), 401, "not valid yet"},
		{"issued later", key.token(t, with("iat", now+3600)), 401, "issued in the future"},
		{"exp that is a text", key.token(t, with("exp", "tomorrow")), 401, "cannot be read"},
		{"exp out of range", key.token(t, with("exp", json.Number("1e300"))), 401, "cannot be read"},
		{"another issuer", key.token(t, with("iss", p.url+"/")), 401, "issuer"},
		{"no issuer", key.token(t, with("iss", nil)), 401, "issuer"},
		{"another audience", key.token(t, with("aud", "mail")), 401, `for ["mail"]`},
		{"no audience", key.token(t, with("aud", nil)), 401, `not for ["chat" "web"]`},
		{"audience before client", key.token(t, claimsOf(p.url, map[string]any{"aud": "mail", "client_id": "chat"})), 401, `for ["mail"]`},
		{"audience that is no text", key.token(t, with("aud", 7)), 401, "cannot be read"},
		{"no scope", key.token(t, with("scope", nil)), 403, "none of the scopes"},
		{"another scope", key.token(t, with("scope", "chat.used")), 403, "none of the scopes"},
		{"claims that are no object", key.token(t, `"hello"`), 401, "cannot be read"},
		{"claims twice", key.token(t, fmt.Sprintf(`{"iss":%q,"aud":"mail","aud":"chat","exp":%d}`, p.url, now+3600)), 401, "cannot be read"},
		{"upper case", key.token(t, fmt.Sprintf(`{"ISS":%q,"AUD":"chat","EXP":%d}`, p.url, now+3600)), 401, "no exp"},

		{"another's signature", stranger.token(t, with("x", 1)), 401, "signature is wrong"},
		{"unknown key", (&signingKey{"zero", jose.RS256, "", key.private}).token(t, with("x", 1)), 401, `no key "zero"`},
		{"key of another kind", (&signingKey{"two", jose.RS256, "", key.private}).token(t, with("x", 1)), 401, `no key "two" for RS256`},
		{"key for another algorithm", (&signingKey{"one", jose.RS512, "", key.private}).token(t, with("x", 1)), 401, `no key "one" for RS512`},
		{"no signature", parts[0] + "." + parts[1] + ".", 401, ""},
		{"changed claims", parts[0] + "." + encode(`{"iss":"`+p.url+`","aud":"chat","exp":9999999999,"scope":"chat.use"}`) + "." + parts[2], 401, "signature is wrong"},
		{"alg none", encode(`{"alg":"none"}`) + "." + parts[1] + ".", 401, "algorithm"},
		{"alg None", encode(`{"alg":"None"}`) + "." + parts[1] + "." + parts[2], 401, "algorithm"},
		{"no alg", encode(`{}`) + "." + parts[1] + "." + parts[2], 401, ""},
		{"HS256 with the public key", hs256, 401, "algorithm"},
		{"key in the token", encode(`{"alg":"RS256","jwk":`+jwksKey(stranger)+`}`) + "." + parts[1] + "." + parts[2], 401, ""},
		{"critical header", encode(`{"alg":"RS256","kid":"one","crit":["x"],"x":1}`) + "." + parts[1] + "." + parts[2], 401, ""},
		{"giant", good + strings.Repeat("A", 20<<10), 401, "longer than 16384"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, refusal := show(t, a, test.token)
			expect(t, "", refusal, test.status, test.reason)
			if refusal != nil && len(test.token) > 20 && strings.Contains(refusal.Reason, test.token) {
				t.Error("the reason has the token")
			}
			want := map[int]string{401: "Unauthorized UNAUTHORIZED", 403: "Forbidden ACCESS_DENIED"}
			if refusal != nil && refusal.Message()+" "+refusal.ResponseType() != want[refusal.Status()] {
				t.Errorf("got %+v", refusal)
			}
		})
	}
}

func jwksKey(k *signingKey) string {
	text, _ := json.Marshal(jose.JSONWebKey{Key: k.private.Public()})
	return string(text)
}

func TestClaimsInTheContext(t *testing.T) {
	t.Parallel()
	p, _ := newProvider(t, httptest.NewServer)
	key := ecKey(t, "one")
	p.publish(key)
	token := key.token(t, fmt.Sprintf(`{"sub":"ann","iss":%q,"aud":"chat","exp":9999999999,"level":1.50,"admin":true,"groups":["a","b"],`+
		`"address":{"city":"Bern","zip":[3000]},"nothing":null,"principalId":"root","usageIdentifierKey":"stolen","line":"a\nb"}`, p.url))
	all := []event.Parameter{
		{Name: "sub", Value: "ann"}, {Name: "iss", Value: p.url}, {Name: "aud", Value: "chat"}, {Name: "exp", Value: "9999999999"}, {Name: "level", Value: "1.50"},
		{Name: "admin", Value: "true"}, {Name: "groups", Value: `["a","b"]`}, {Name: "address", Value: `{"city":"Bern","zip":[3000]}`}, {Name: "line", Value: "a\nb"},
	}
	for tag, want := range map[string][]event.Parameter{
		"issuer=" + p.url + " audience=chat":                                            all,
		"issuer=" + p.url + " audience=chat claim=groups claim=principalId claim=level": {all[4], all[6]},
	} {
		grant, refusal := show(t, build(t, &Builder{}, jwtAPI(tag)), token)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if diff := cmp.Diff(&Grant{Principal: "ann", Context: want}, grant); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tag, diff)
		}
	}
}

func TestTokenSources(t *testing.T) {
	t.Parallel()
	p, _ := newProvider(t, httptest.NewServer)
	key := ecKey(t, "one")
	p.publish(key)
	token := key.token(t, claimsOf(p.url, nil))
	query := func(pairs ...string) *handshake {
		h := withHeader(pairs...)
		h.query, h.header = h.header, nil
		return h
	}
	tests := []struct {
		name, source string
		event        *handshake
		protocol     *Protocol
		status       int
	}{
		{"header", "", withHeader("Authorization", "Bearer "+token), nil, 0},
		{"header in lower case", "", withHeader("authorization", "bearer  "+token), nil, 0},
		{"header without a scheme", "", withHeader("Authorization", token), nil, 0},
		{"another scheme", "", withHeader("Authorization", "Basic "+token), nil, 401},
		{"two headers", "", withHeader("Authorization", "Bearer "+token, "Authorization", "Bearer x"), nil, 401},
		{"another header", "source=route.request.header.X-Token", withHeader("x-token", token), nil, 0},
		{"query", "source=route.request.querystring.token", query("token", token), nil, 0},
		{"query twice", "source=route.request.querystring.token", query("token", token, "token", token), nil, 401},
		{"query is not asked", "", query("token", token), nil, 401},
		{"subprotocol alone", "source=subprotocol", withHeader("Sec-WebSocket-Protocol", "bearer."+token), &Protocol{"", "bearer." + token}, 0},
		{"subprotocol among others", "source=subprotocol", withHeader("sec-websocket-protocol", "chat,  bearer."+token+", v2"), &Protocol{"chat, v2", "chat"}, 0},
		{"subprotocol in a second line", "source=subprotocol", withHeader("Sec-WebSocket-Protocol", "chat", "Sec-WebSocket-Protocol", "bearer."+token), &Protocol{"chat", "chat"}, 0},
		{"two subprotocols", "source=subprotocol", withHeader("Sec-WebSocket-Protocol", "bearer."+token+",bearer.x"), nil, 401},
		{"no token among subprotocols", "source=subprotocol", withHeader("Sec-WebSocket-Protocol", "chat"), nil, 401},
		{"no subprotocol", "source=subprotocol", withHeader("Authorization", "Bearer "+token), nil, 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := build(t, &Builder{}, jwtAPI("issuer="+p.url+" audience=chat "+test.source))
			grant, refusal := a.Authorize(t.Context(), test.event)
			expect(t, "", refusal, test.status, "")
			if grant != nil {
				if diff := cmp.Diff(test.protocol, grant.Protocol); diff != "" {
					t.Errorf("protocol (-want +got):\n%s", diff)
				}
			}
		})
	}
}
