package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/sigv4"
)

// TestHostileAnswers: whatever a gateway answers, reading ends with an error
// that says what is wrong.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	const tagged = `{"items":[{"apiId":"abc1234567","name":"x","tags":{"stagedoor:stack":"chat","stagedoor:logical-id":"Api"}}]}`
	tests := []struct {
		name    string
		answers map[string]string // by path; others get an empty list
		status  int
		want    string
	}{
		{"a page", map[string]string{"/v2/apis": "<html>"}, 200, "not one of API Gateway"},
		{"nothing", map[string]string{"/v2/apis": ""}, 200, "not one of API Gateway"},
		{"a list", map[string]string{"/v2/apis": "[]"}, 200, "not one of API Gateway"},
		{"other types", map[string]string{"/v2/apis": `{"items":[{"apiId":7}]}`}, 200, "not one of API Gateway"},
		{"an item that is null", map[string]string{"/v2/apis": `{"items":[null]}`}, 200, "an item is null"},
		{"an API without an id", map[string]string{"/v2/apis": `{"items":[{"tags":{"stagedoor:stack":"chat"}}]}`}, 200, "a Api that has no id"},
		{"an id that is a path", map[string]string{"/v2/apis": strings.Replace(tagged, "abc1234567", "../x", 1)}, 200, "has no id"},
		{"a route without an id", map[string]string{"/v2/apis": tagged, "/v2/apis/abc1234567/routes": `{"items":[{"routeKey":"x"}]}`}, 200, "a Route that has no id"},
		{"a deployment without an id", map[string]string{"/v2/apis": tagged, "/v2/apis/abc1234567/deployments": `{"items":[{}]}`}, 200, "a Deployment that has no id"},
		{"a list that is its own end", map[string]string{"/v2/apis": `{"items":[],"nextToken":"again"}`}, 200, "the list has no end"},
		{"too much", map[string]string{"/v2/apis": `{"items":[],"x":"` + strings.Repeat("x", maxAnswerBytes) + `"}`}, 200, "has more than 32 MiB"},
		{"a proxy's error", map[string]string{"/v2/apis": "Bad Gateway"}, 502, "is it the control plane of a gateway?"},
		{"a redirect", map[string]string{"/v2/apis": "elsewhere"}, 302, "is it the control plane of a gateway?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer, known := tt.answers[r.URL.Path]
				if !known {
					_, _ = io.WriteString(w, `{"items":[]}`)
					return
				}
				w.Header().Set("Location", "http://example.invalid/")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, answer)
			}))
			t.Cleanup(server.Close)
			_, err := Read(t.Context(), newClient(t, server.URL), "chat")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Read: %.300v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		(&apigw.Error{Status: 403, Type: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"}).WriteTo(w)
	}))
	t.Cleanup(server.Close)
	_, err := Read(t.Context(), newClient(t, server.URL), "chat")
	var refused *apigw.Error
	if !errors.As(err, &refused) || refused.Status != 403 || !strings.Contains(err.Error(), "no AWS credentials were found") {
		t.Errorf("an unsigned request: %v", err)
	}

	server.Close()
	if _, err := Read(t.Context(), newClient(t, server.URL), "chat"); err == nil || !strings.Contains(err.Error(), "the gateway does not answer") {
		t.Errorf("no gateway: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, newClient(t, server.URL), "chat"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// handle is a gateway behind no socket.
type handle http.HandlerFunc

func (h handle) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h(w, r)
	return w.Result(), nil
}

// TestStarting: a gateway that is still starting is asked until it is there, for
// some time; one that refuses in another way is not.
func TestStarting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		start      time.Duration // how long it takes
		retryAfter string
		took       time.Duration
		want       string
	}{
		{maxStart - askAgain, "1", maxStart - askAgain, ""},
		{time.Hour, "1", maxStart, "The gateway is starting"},
		{time.Hour, "", 0, "The gateway is starting"},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			client, err := NewClient(ClientOptions{Gateway: "http://gateway", Transport: handle(func(w http.ResponseWriter, _ *http.Request) {
				if time.Since(begun) >= tt.start {
					_, _ = io.WriteString(w, `{"items":[]}`)
					return
				}
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				(&apigw.Error{Status: 503, Type: "ServiceUnavailableException", Message: "The gateway is starting"}).WriteTo(w)
			})})
			if err != nil {
				t.Fatal(err)
			}
			_, err = Read(t.Context(), client, "chat")
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if took := time.Since(begun); took != tt.took {
				t.Errorf("%s until %v, want %s", took, err, tt.took)
			}
		})
	}
}

func TestGatewayURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "localhost:8081", "ftp://localhost", "http://", "http://a:b@localhost", "http://localhost?x", "http://localhost/#x", "http://[::"} {
		if _, err := NewClient(ClientOptions{Gateway: url}); err == nil {
			t.Errorf("%q is taken for the URL of a gateway", url)
		}
	}
	client, err := NewClient(ClientOptions{Gateway: "https://gateway.example/admin/"})
	if err != nil || client.Gateway() != "https://gateway.example/admin" {
		t.Errorf("a gateway below a path: %v", err)
	}
}

// secrets is the one key that the tests sign with.
type secrets struct{}

func (secrets) Secret(_ context.Context, id, _ string) (string, error) {
	if id != "AKIDEXAMPLE" {
		return "", sigv4.ErrUnknownKey
	}
	return "secret", nil
}

// TestRequestsAreSigned: with parameters of paths that are escaped, with bodies,
// and with a query.
func TestRequestsAreSigned(t *testing.T) {
	t.Parallel()
	verifier := &sigv4.Verifier{Keys: secrets{}, Region: "us-east-1"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if _, err := verifier.Verify(r.Context(), r, body, "apigateway"); err != nil {
			(&apigw.Error{Status: 403, Type: "InvalidSignatureException", Message: err.Error()}).WriteTo(w)
			return
		}
		_, _ = fmt.Fprint(w, `{}`)
	}))
	t.Cleanup(server.Close)
	client, err := NewClient(ClientOptions{
		Gateway: server.URL, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for _, do := range []call{
		{Endpoint: apiKind.create, body: properties{"name": "wörld"}},
		{Endpoint: routeKind.remove, path: []string{"abc", "$default"}},
		{Endpoint: stageKind.update, path: []string{"abc", "a/b c"}, body: properties{}},
		{Endpoint: apiKind.update, path: []string{"arn:aws:apigateway:us-east-1::/apis/abc"}, query: map[string][]string{"tagKeys": {"a b", "stagedoor:x"}}},
	} {
		if err := client.do(t.Context(), &do, nil); err != nil {
			t.Errorf("%s %q: %v", do.Name, do.path, err)
		}
	}
	if err := client.do(t.Context(), &call{Endpoint: routeKind.remove, path: []string{"abc", ""}}, nil); err == nil {
		t.Error("a path without a parameter is sent")
	}
}
