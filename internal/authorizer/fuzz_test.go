package authorizer

import (
	"net/http/httptest"
	"testing"
)

// Whatever a function answers, it grants nothing without a policy that says so.
func FuzzResult(f *testing.F) {
	f.Add([]byte(answer(statement("Allow", methodARN), `,"context":{"a":1},"usageIdentifierKey":"key"`)))
	f.Add([]byte(answer(statement("Deny", "*"), "")))
	f.Add([]byte(`{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[[{"Resource":[7]}]]},"context":[]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := parseResult(payload)
		if err != nil {
			return
		}
		if r.policy == nil || r.grant == nil || len(payload) > maxResult {
			t.Errorf("accepted %q", payload)
		}
		seen := make(map[string]bool)
		for _, entry := range r.grant.Context {
			if reserved(entry.Name) || seen[entry.Name] {
				t.Errorf("%q is in the context of %q", entry.Name, payload)
			}
			seen[entry.Name] = true
		}
	})
}

// Whatever is in a tag, the settings that come of it name an issuer that can be
// trusted, an audience, and algorithms of the list.
func FuzzSettings(f *testing.F) {
	f.Add(goodTag + " scope=a source=subprotocol leeway=1s algorithm=ES256 claim=sub")
	f.Add("issuer=http://localhost:1 audience=a source=route.request.header.X")
	f.Fuzz(func(t *testing.T, tag string) {
		s, err := parseSettings(tag)
		if err != nil {
			return
		}
		if checkIssuer(s.issuer) != nil || len(s.audiences) == 0 || len(s.algorithms) == 0 || s.leeway < 0 || s.leeway > maxLeeway {
			t.Errorf("%q became %+v", tag, s)
		}
	})
}

// Whatever is in a header, nobody comes in with it but by a token of the issuer.
func FuzzToken(f *testing.F) {
	f.Add("Bearer a.b.c")
	f.Add("chat, bearer.eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJSUzI1NiIsImtpZCI6Im9uZSJ9.e30.AAAA")
	p := httptest.NewServer(&provider{keys: `{"keys":[]}`})
	f.Cleanup(p.Close)
	var b Builder
	var authorizers []Authorizer
	for _, source := range []string{"route.request.header.Token", "subprotocol"} {
		a, err := b.Build(jwtAPI("issuer="+p.URL+" audience=chat source="+source), devStage)
		if err != nil {
			f.Fatal(err)
		}
		authorizers = append(authorizers, a)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, a := range authorizers {
			grant, refusal := a.Authorize(t.Context(), withHeader("Token", value, "Sec-WebSocket-Protocol", value))
			if grant.Principal != "" || refusal == nil || refusal.Status() != 401 && refusal.Status() != 500 {
				t.Errorf("%q: %+v, %+v", value, grant, refusal)
			}
		}
	})
}
