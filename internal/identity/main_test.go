package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	region  = "eu-west-1"
	account = "111122223333"
	secret  = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

func now() time.Time { return time.Date(2026, 3, 1, 12, 30, 45, 0, time.UTC) }

func newDirectory(t *testing.T, credentials ...Credential) *Directory {
	t.Helper()
	d := New(Options{Region: region, Account: account, Now: now})
	if err := d.Replace(Configuration, credentials); err != nil {
		t.Fatal(err)
	}
	return d
}

func credential(id string, policies ...string) Credential {
	return Credential{User: "user-of-" + id, AccessKeyID: id, Secret: secret, Policies: policies}
}

// guard is an HTTP server that asks a Directory about every request, as the
// gateway's own do: whether it has one permission.
type guard struct{ *httptest.Server }

func newGuard(t *testing.T, d *Directory, need Permission) *guard {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		id, refusal := d.Check(r, body, need, CircumstancesOf(r, "127.0.0.1"))
		if refusal != nil {
			refusal.WriteTo(w)
			return
		}
		_, _ = io.WriteString(w, id.ARN)
	}))
	t.Cleanup(server.Close)
	return &guard{server}
}

// answer is what a caller hears.
type answer struct {
	status     int
	kind, body string
}

// message returns the text of a refusal, and the name of its member.
func (a answer) message(t *testing.T) (name, text string) {
	t.Helper()
	var members map[string]string
	if err := json.Unmarshal([]byte(a.body), &members); err != nil || len(members) != 1 {
		t.Fatalf("%s: %v", a.body, err)
	}
	for name, text = range members {
	}
	return name, text
}

// signing is how a request is signed.
type signing struct {
	id, secret, token string
	service           string
	presigned         bool
	at                time.Time
}

// call sends a request; without an access key it isn't signed.
func (g *guard) call(t *testing.T, method, path, body string, s signing) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	if s.id != "" {
		sign(t, r, body, s)
	}
	response, err := g.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header.Get("x-amzn-ErrorType"), string(text)}
}

func sign(t *testing.T, r *http.Request, body string, s signing) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: s.id, SecretAccessKey: s.secret, SessionToken: s.token}
	if s.at.IsZero() {
		s.at = now()
	}
	var err error
	if s.presigned {
		var address string
		address, _, err = v4.NewSigner().PresignHTTP(context.Background(), credentials, r, hex.EncodeToString(sum[:]), s.service, region, s.at)
		if err == nil {
			r.URL, err = r.URL.Parse(address)
		}
	} else {
		err = v4.NewSigner().SignHTTP(context.Background(), credentials, r, hex.EncodeToString(sum[:]), s.service, region, s.at)
	}
	if err != nil {
		t.Fatal(err)
	}
}
