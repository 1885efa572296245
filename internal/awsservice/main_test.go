package awsservice

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/httpclient"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

func testCredentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(keyID, secret, "")
}

// received is a request as it came over the wire.
type received struct {
	*http.Request
	body []byte
}

// amazon stands for all of AWS: whatever host a client calls, it is this
// server. It checks every signature and remembers the requests.
type amazon struct {
	t         *testing.T
	server    *httptest.Server
	transport *http.Transport
	answer    http.HandlerFunc

	mu       sync.Mutex
	requests []received // guarded by mu
}

// newAmazon starts a server. The answer may be nil: an empty JSON object.
func newAmazon(t *testing.T, answer http.HandlerFunc) *amazon {
	t.Helper()
	a := &amazon{t: t, answer: answer}
	a.server = httptest.NewServer(a)
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, a.server.Listener.Addr().String())
	}
	// TLS is left out, so that the far side needs no certificate for AWS.
	a.transport = &http.Transport{DialContext: dial, DialTLSContext: dial}
	t.Cleanup(func() {
		a.transport.CloseIdleConnections()
		a.server.Close()
	})
	return a
}

func (a *amazon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Errorf("reading a request: %v", err)
	}
	if err := verify(r, body, secret); err != nil {
		a.t.Errorf("%s %s%s: %v", r.Method, r.Host, r.RequestURI, err)
	}
	a.mu.Lock()
	a.requests = append(a.requests, received{r, body})
	a.mu.Unlock()
	if a.answer != nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
		a.answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

// all are the requests so far.
func (a *amazon) all() []received {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// last is the newest request.
func (a *amazon) last() received {
	a.t.Helper()
	all := a.all()
	if len(all) == 0 {
		a.t.Fatal("no request arrived")
	}
	return all[len(all)-1]
}

// client makes a client that finds this server behind all names of AWS, and an
// environment of its own.
func (a *amazon) client(change func(*Options)) *Client {
	a.t.Helper()
	o := Options{Credentials: testCredentials(), Transport: a.transport, Getenv: environment(nil)}
	if change != nil {
		change(&o)
	}
	return newClient(a.t, o)
}

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	c := New(o)
	t.Cleanup(c.Close)
	c.now = func() time.Time { return time.Date(2026, 3, 1, 12, 30, 45, 0, time.UTC) }
	return c
}

// endpoints reads URLs by service; what is none panics.
func endpoints(texts map[string]string) map[string]*url.URL {
	urls := make(map[string]*url.URL, len(texts))
	for service, text := range texts {
		u, err := ParseEndpoint(text)
		if err != nil {
			panic(err)
		}
		urls[service] = u
	}
	return urls
}

func environment(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

func mustParse(t *testing.T, uri string) URI {
	t.Helper()
	u, err := ParseURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// call makes a call that gets an answer.
func call(t *testing.T, c *Client, r *Request) *httpclient.Response {
	t.Helper()
	response, err := c.Do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return response
}
