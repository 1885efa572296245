package awsservice

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// start starts a server and stops it at the end of the test.
func start(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, uri   string
		options     map[string]string
		environment map[string]string
		want        string
	}{
		{"AWS's own", arn("dynamodb:action/PutItem"), nil, nil, "https://dynamodb.us-east-1.amazonaws.com"},
		{"China", "arn:aws-cn:apigateway:cn-north-1:sqs:path/q", nil, nil, "https://sqs.cn-north-1.amazonaws.com.cn"},
		{"GovCloud", "arn:aws-us-gov:apigateway:us-gov-west-1:s3:path/q", nil, nil, "https://s3.us-gov-west-1.amazonaws.com"},
		{"subdomain", arn("runtime.sagemaker:path/e"), nil, nil, "https://runtime.sagemaker.us-east-1.amazonaws.com"},
		{"subdomain of a service with another host", arn("abc-ats.iotdata:path/topics/a"), nil, nil, "https://abc-ats.iot.us-east-1.amazonaws.com"},
		{"environment", arn("dynamodb:action/PutItem"), nil, map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://a:1/", "AWS_ENDPOINT_URL": "http://b:1"}, "http://a:1"},
		{"environment, the SDKs' name", arn("states:action/StartSyncExecution"), nil, map[string]string{"AWS_ENDPOINT_URL_SFN": "http://a:1"}, "http://a:1"},
		{"environment, the URI's name", arn("states:action/StartExecution"), nil, map[string]string{"AWS_ENDPOINT_URL_STATES": "http://a:1"}, "http://a:1"},
		{"environment for all", arn("sns:action/Publish"), nil, map[string]string{"AWS_ENDPOINT_URL": "http://b:1/x/"}, "http://b:1/x"},
		{"environment ignored", arn("sns:action/Publish"), nil, map[string]string{"AWS_ENDPOINT_URL": "http://b:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"}, "https://sns.us-east-1.amazonaws.com"},
		{"option over environment", arn("events:action/PutEvents"), map[string]string{"eventbridge": "http://c:1"}, map[string]string{"AWS_ENDPOINT_URL_EVENTS": "http://a:1"}, "http://c:1"},
		{"option with dashes", arn("bedrock-runtime:path/m"), map[string]string{"bedrock-runtime": "http://c:1"}, nil, "http://c:1"},
		{"option for another service", arn("sns:action/Publish"), map[string]string{"sqs": "http://c:1"}, nil, "https://sns.us-east-1.amazonaws.com"},
		{"bucket of an endpoint without host names", arn("rooms.s3:path/k"), map[string]string{"s3": "http://c:1"}, nil, "http://c:1/rooms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{Endpoints: endpoints(test.options), Getenv: environment(test.environment)})
			u := mustParse(t, test.uri)
			got, err := c.endpoint(&u, u.service())
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestParseInvokeEndpoint(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"http://a:9000/":   {"http://a:9000", ""},
		"https://a/prefix": {"https://a/prefix", ""},
		"http://a/2015-03-31/functions/function/invocations": {"http://a", "function"},
		"http://a/b/2015-03-31/functions/f/invocations/":     {"http://a/b", "f"},
	} {
		got, err := ParseInvokeEndpoint(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got.Lambda.String() != want[0] || got.Name != want[1] {
			t.Errorf("%s: %s, %q, want %q", text, got.Lambda, got.Name, want)
		}
	}
	if got, err := ParseInvokeEndpoint("a:9000/2015-03-31/functions/f/invocations"); err == nil {
		t.Errorf("no URL, and %v", got)
	}
}

func TestEndpointsThatAreNoURLs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"localhost:8000", "ftp://a", "http://", "http://a?b=c", "http://a b"} {
		if _, err := ParseEndpoint(text); err == nil {
			t.Errorf("%q was taken for an endpoint", text)
		}
	}
	c := newClient(t, Options{Credentials: testCredentials(), Getenv: environment(map[string]string{"AWS_ENDPOINT_URL": "localhost:8000"})})
	wantConfigurationError(t, c, &Request{URI: mustParse(t, arn("sqs:path/q"))}, "the endpoint of sqs")
}

// wantConfigurationError wants a call to fail for a reason that the
// integration's author can mend.
func wantConfigurationError(t *testing.T, c *Client, r *Request, reason string) {
	t.Helper()
	_, err := c.Do(t.Context(), r)
	failed, ok := errors.AsType[*ConfigurationError](err)
	if !ok || !strings.Contains(failed.Error(), reason) {
		t.Errorf("error %v, want a *ConfigurationError with %q", err, reason)
	}
}

// Spec B.7 names the headers that the gateway keeps to itself.
func TestCallsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Credentials: testCredentials(), Getenv: environment(nil)})
	path := arn("sqs:path/{queue}?n={v}")
	for _, test := range []struct {
		uri     string
		request Request
		reason  string
	}{
		{path, Request{Header: http.Header{"Authorization": {"x"}}}, "header Authorization cannot be mapped"},
		{path, Request{Header: http.Header{"Transfer-Encoding": {"x"}}}, "header Transfer-Encoding cannot be mapped"},
		{path, Request{Path: map[string]string{"queue": "q"}}, "{v} in the integration's URI has no value"},
		{path, Request{Path: map[string]string{"v": "1"}}, "{queue} in the integration's URI has no value"},
		{path, Request{Path: map[string]string{"v": "1", "queue": "a/../b"}}, "leads to another path"},
		{arn("sqs:path/q?a=%zz"), Request{}, `query "a=%zz"`},
		{arn("sqs:path/q"), Request{Role: "arn:aws:iam::*:user/*"}, "caller's credentials are not available"},
		{arn("sqs:path/q"), Request{Role: "role"}, "is not the ARN of a role"},
	} {
		test.request.URI = mustParse(t, test.uri)
		wantConfigurationError(t, c, &test.request, test.reason)
	}
}

func TestAnswersPassAsTheyAre(t *testing.T) {
	t.Parallel()
	a := newAmazon(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.Header().Set("X-Of-The-Service", "yes")
		w.WriteHeader(http.StatusTemporaryRedirect)
		_, _ = io.WriteString(w, "moved")
	})
	got := call(t, a.client(nil), &Request{URI: mustParse(t, arn("s3:path/b/k")), Method: http.MethodGet})
	if got.Status != 307 || string(got.Body) != "moved" || got.Header.Get("X-Of-The-Service") != "yes" {
		t.Errorf("got %d %q %v", got.Status, got.Body, got.Header)
	}
	if n := len(a.all()); n != 1 {
		t.Errorf("%d requests, want 1: redirects are not followed", n)
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	a := newAmazon(t, nil)
	c := newClient(t, Options{
		Credentials: testCredentials(), Getenv: environment(nil),
		Endpoints: endpoints(map[string]string{"sqs": a.server.URL}),
	})
	for range 3 {
		call(t, c, &Request{URI: mustParse(t, arn("sqs:path/q")), Body: []byte("x")})
	}
	var ports []string
	for _, r := range a.all() {
		ports = append(ports, r.RemoteAddr)
	}
	if slices.Sort(ports); len(ports) != 3 || len(slices.Compact(ports)) != 1 {
		t.Errorf("three calls came from %v", ports)
	}
}

func TestLargeAnswersAreRefused(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{"length told": "10485761", "length not told": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, func(w http.ResponseWriter, _ *http.Request) {
				if header != "" {
					w.Header().Set("Content-Length", header)
				}
				_, _ = w.Write(make([]byte, httpclient.MaxResponseBytes+1))
			})
			c := newClient(t, Options{Credentials: testCredentials(), Endpoints: endpoints(map[string]string{"s3": server.URL})})
			_, err := c.Do(t.Context(), &Request{URI: mustParse(t, arn("s3:path/b/k"))})
			if !errors.Is(err, httpclient.ErrTooLarge) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	for name, partly := range map[string]bool{"before the answer": false, "within the answer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, func(w http.ResponseWriter, r *http.Request) {
				if partly {
					_, _ = io.WriteString(w, "{")
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
			})
			c := newClient(t, Options{Credentials: testCredentials(), Endpoints: endpoints(map[string]string{"sqs": server.URL})})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := c.Do(ctx, &Request{URI: mustParse(t, arn("sqs:path/q"))})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFailuresOfTheNetwork(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	cut := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "{")
	})
	for url, reason := range map[string]string{
		gone.URL: "POST " + gone.URL + "/q: dial tcp",
		cut.URL:  "POST " + cut.URL + "/q: the backend closed the connection within its answer",
	} {
		c := newClient(t, Options{Credentials: testCredentials(), Endpoints: endpoints(map[string]string{"sqs": url})})
		_, err := c.Do(t.Context(), &Request{URI: mustParse(t, arn("sqs:path/q?secret=1"))})
		if err == nil || !strings.HasPrefix(err.Error(), reason) {
			t.Errorf("got %v, want %s…", err, reason)
		}
	}
}

// A service, and a function where it is named, has its own bounds.
func TestBounds(t *testing.T) {
	t.Parallel()
	proceed := make(chan struct{})
	server := start(t, func(http.ResponseWriter, *http.Request) { <-proceed })
	c := newClient(t, Options{Endpoints: endpoints(map[string]string{"sqs": server.URL}), OpenEndpoints: true, Bounds: turnstile.Bounds{Calls: 2, Waiting: -1}})
	call := func(backend string) error {
		_, err := c.Do(t.Context(), &Request{URI: mustParse(t, arn("sqs:action/SendMessage")), Backend: backend})
		return err
	}
	results := make(chan error)
	for _, backend := range []string{"", "", "", "f", "f", "f"} {
		go func() { results <- call(backend) }()
	}
	for range 2 {
		if err := <-results; !errors.Is(err, turnstile.ErrFull) {
			t.Errorf("beyond the bounds: %v", err)
		}
	}
	close(proceed)
	for range 4 {
		if err := <-results; err != nil {
			t.Errorf("within the bounds: %v", err)
		}
	}
}
