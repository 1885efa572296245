package sigv4

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The credentials and the moment of AWS's published test suite.
const (
	suiteKey    = "AKIDEXAMPLE"
	suiteSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	suiteRegion = "us-east-1"
)

var suiteTime = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

// secrets are Keys: secrets by access key, whatever the session token.
type secrets map[string]string

func (s secrets) Secret(_ context.Context, accessKeyID, _ string) (string, error) {
	switch secret := s[accessKeyID]; secret {
	case "":
		return "", ErrUnknownKey
	case "expired":
		return suiteSecret, ErrExpiredKey
	default:
		return secret, nil
	}
}

func verifierAt(now time.Time) *Verifier {
	return &Verifier{
		Keys:   secrets{suiteKey: suiteSecret, "AKIDEXPIRED": "expired"},
		Region: suiteRegion,
		Now:    func() time.Time { return now },
	}
}

// received reads a request as a server does. Lines may end without a carriage
// return.
func received(raw string) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(bufio.NewReaderSize(strings.NewReader(raw), 512))
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	return r, body, err
}

func mustReceive(t *testing.T, raw string) (*http.Request, []byte) {
	t.Helper()
	r, body, err := received(raw)
	if err != nil {
		t.Fatalf("%v in request\n%s", err, raw)
	}
	return r, body
}

// wire writes a client's request as it goes over the wire.
func wire(t *testing.T, r *http.Request, body string) string {
	t.Helper()
	if body != "" {
		r.Body = io.NopCloser(strings.NewReader(body))
		r.ContentLength = int64(len(body))
	}
	r.Header.Set("User-Agent", "") // none
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
