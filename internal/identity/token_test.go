package identity

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// tokens puts tokens into the store's part of a directory, by the name of what
// their policies say, and returns their texts.
func tokens(t *testing.T, d *Directory, expires time.Time, policies map[string][]string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for name, of := range policies {
		record, token, err := NewToken("user-of-"+name, of, now(), expires)
		if err == nil {
			err = d.Apply(record.AccessKeyId, record)
		}
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(token)
	}
	return texts
}

const allowed = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// bearing is a request with Authorization headers.
func bearing(t *testing.T, method, target string, authorization ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for _, line := range authorization {
		r.Header.Add("Authorization", line)
	}
	return r
}

// A token does what its policies allow, and stands for no signature of a
// handshake.
func TestTokens(t *testing.T) {
	t.Parallel()
	const denied = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`
	d := newDirectory(t)
	texts := tokens(t, d, time.Time{}, map[string][]string{"ALLOW": {allowed}, "DENY": {allowed, denied}, "NONE": nil})
	for _, kind := range kinds {
		for name, token := range texts {
			r := bearing(t, kind.method, kind.path, "Bearer "+token)
			id, err := d.Check(r, nil, kind.Permission, Circumstances{})
			want := map[string]string{"ALLOW": "", "DENY": "AccessDeniedException", "NONE": "AccessDeniedException"}[name]
			if kind.Action == ActionInvoke {
				want = "IncompleteSignatureException"
			}
			got := ""
			if err != nil {
				got = err.Type
			}
			if got != want || err == nil && (id.User != "user-of-"+name || id.AccessKeyID != strings.Split(token, ".")[0]) {
				t.Errorf("%s/%s: %+v %v, want %q", kind.name, name, id, err, want)
			}
			if kind.Action != ActionInvoke && !d.Plausible(r, kind.Service) {
				t.Errorf("%s/%s: its body is not read", kind.name, name)
			}
			if ClaimedKey(r) != strings.Split(token, ".")[0] {
				t.Errorf("%s/%s: the records have %q", kind.name, name, ClaimedKey(r))
			}
		}
	}
}

// Nothing that is not a token opens anything, and every refusal is AWS's.
func TestTokensAttacked(t *testing.T) {
	t.Parallel()
	signer := credential("AKIASIGNER0000000000", allowed)
	d := newDirectory(t, signer)
	texts := tokens(t, d, time.Time{}, map[string][]string{"one": {allowed}, "two": {allowed}})
	id, secretPart, _ := strings.Cut(texts["one"], ".")
	_, other, _ := strings.Cut(texts["two"], ".")
	record, expired, err := NewToken("expired", []string{allowed}, now(), now())
	if err == nil {
		err = d.Apply(record.AccessKeyId, record)
	}
	if err != nil {
		t.Fatal(err)
	}
	disabledRecord, disabled, _ := NewToken("disabled", []string{allowed}, now(), time.Time{})
	disabledRecord.Status = "Inactive"
	if err := d.Apply(disabledRecord.AccessKeyId, disabledRecord); err != nil {
		t.Fatal(err)
	}
	hash := (*d.current.Load())[id].token
	right := "Bearer " + texts["one"]
	push := kinds[0]
	for name, tt := range map[string]struct {
		target string
		lines  []string
		want   string
	}{
		"right":                        {push.path, []string{right}, ""},
		"scheme in lower case":         {push.path, []string{"bearer " + texts["one"]}, ""},
		"an empty token":               {push.path, []string{"Bearer "}, "UnrecognizedClientException"},
		"the scheme alone":             {push.path, []string{"Bearer"}, "UnrecognizedClientException"},
		"the id alone":                 {push.path, []string{"Bearer " + id}, "UnrecognizedClientException"},
		"the id and a dot":             {push.path, []string{"Bearer " + id + "."}, "UnrecognizedClientException"},
		"the secret alone":             {push.path, []string{"Bearer ." + secretPart}, "UnrecognizedClientException"},
		"another's secret":             {push.path, []string{"Bearer " + id + "." + other}, "UnrecognizedClientException"},
		"the secret in lower case":     {push.path, []string{"Bearer " + id + "." + strings.ToLower(secretPart)}, "UnrecognizedClientException"},
		"the hash for the secret":      {push.path, []string{fmt.Sprintf("Bearer %s.%x", id, hash[:])}, "UnrecognizedClientException"},
		"one character less":           {push.path, []string{right[:len(right)-1]}, "UnrecognizedClientException"},
		"one character more":           {push.path, []string{right + "A"}, "UnrecognizedClientException"},
		"more words":                   {push.path, []string{right + " x"}, "UnrecognizedClientException"},
		"two in one line":              {push.path, []string{right + ", " + right}, "UnrecognizedClientException"},
		"a very long one":              {push.path, []string{"Bearer " + strings.Repeat("A", 1<<16)}, "UnrecognizedClientException"},
		"an unknown id":                {push.path, []string{"Bearer SDTKAAAAAAAAAAAAAAAA." + secretPart}, "UnrecognizedClientException"},
		"an access key and its secret": {push.path, []string{"Bearer " + signer.AccessKeyID + "." + secret}, "UnrecognizedClientException"},
		"somebody's JWT":               {push.path, []string{"Bearer eyJhbGciOiJub25lIn0.e30."}, "UnrecognizedClientException"},
		"expired":                      {push.path, []string{"Bearer " + string(expired)}, "ExpiredTokenException"},
		"expired and wrong":            {push.path, []string{"Bearer " + record.AccessKeyId + "." + other}, "UnrecognizedClientException"},
		"disabled":                     {push.path, []string{"Bearer " + string(disabled)}, "UnrecognizedClientException"},
		"two headers":                  {push.path, []string{right, right}, "BadRequestException"},
		"with a signature in the URL":  {push.path + "?X-Amz-Algorithm=AWS4-HMAC-SHA256", []string{right}, "InvalidSignatureException"},
		"as another scheme":            {push.path, []string{"Basic " + texts["one"]}, "IncompleteSignatureException"},
		"in the URL":                   {push.path + "?access_token=" + texts["one"], nil, "MissingAuthenticationTokenException"},
	} {
		r := bearing(t, push.method, tt.target, tt.lines...)
		_, err := d.Check(r, nil, push.Permission, Circumstances{})
		got := ""
		if err != nil {
			got = err.Type
			for _, part := range []string{secretPart, other} {
				if strings.Contains(err.Message, part) {
					t.Errorf("%s: the refusal repeats a secret: %s", name, err.Message)
				}
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		if plausible := d.Plausible(r, push.Service); plausible && tt.want != "" {
			t.Errorf("%s: its body would be read", name)
		}
	}
	// A token signs nothing: its id has no secret, not even an empty one.
	g := newGuard(t, d, push.Permission)
	for name, key := range map[string]string{"nothing": "", "its secret": secretPart, "its hash": fmt.Sprintf("%x", hash[:]), "itself": texts["one"]} {
		for _, presigned := range []bool{false, true} {
			got := g.call(t, push.method, push.path, "", signing{id: id, secret: key, service: push.Service, presigned: presigned})
			if got.status != http.StatusForbidden || got.kind != "UnrecognizedClientException" {
				t.Errorf("signed with %s: %+v", name, got)
			}
		}
	}
}

// A token that is revoked is refused with the next request, and the store never
// has it.
func TestTokenRecords(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	record, token, err := NewToken("ann", []string{allowed}, now(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(record)
	if _, secret, _ := strings.Cut(string(token), "."); err != nil || strings.Contains(string(stored), secret) || strings.Contains(string(stored), "SecretAccessKey") {
		t.Errorf("the record has the token: %s %v", stored, err)
	}
	if text := fmt.Sprintf("%v %s", token, token); text != redacted+" "+redacted {
		t.Errorf("a token prints as %s", text)
	}
	check := func() *apigw.Error {
		_, err := d.Check(bearing(t, "POST", "/prod", "Bearer "+string(token)), nil, kinds[0].Permission, Circumstances{})
		return err
	}
	if err := d.Apply(record.AccessKeyId, record); err != nil || check() != nil {
		t.Errorf("a new token: %v %v", err, check())
	}
	if err := d.Apply(record.AccessKeyId, nil); err != nil || check() == nil {
		t.Errorf("a revoked token: %v %v", err, check())
	}
	for name, change := range map[string]func(*apigw.AccessKey){
		"a secret beside the hash": func(k *apigw.AccessKey) { k.SecretAccessKey = secret },
		"no hash":                  func(k *apigw.AccessKey) { k.TokenHash = "" },
		"half a hash":              func(k *apigw.AccessKey) { k.TokenHash = k.TokenHash[:32] },
		"another text":             func(k *apigw.AccessKey) { k.TokenHash = strings.Repeat("x", 64) },
	} {
		damaged := *record
		change(&damaged)
		if err := d.Apply(record.AccessKeyId, &damaged); err == nil || check() == nil {
			t.Errorf("%s: %v %v", name, err, check())
		}
	}
}
