package awsservice

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// roundTrip is a far side without sockets.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Services at endpoints of one's own get some signature, whatever credentials
// there are; AWS gets none that is made up.
func TestOpenEndpoints(t *testing.T) {
	t.Parallel()
	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("there are none")
	})
	var keys []string
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		_, after, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		key, _, _ := strings.Cut(after, "/")
		keys = append(keys, r.URL.Host+" "+key)
		return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}}, nil
	})
	for name, test := range map[string]struct {
		credentials aws.CredentialsProvider
		want        string
	}{
		"none":  {none, "sqs.test test"},
		"given": {testCredentials(), "sqs.test " + keyID},
	} {
		keys = nil
		c := newClient(t, Options{
			Endpoints: endpoints(map[string]string{"sqs": "http://sqs.test"}), OpenEndpoints: true,
			Credentials: test.credentials, Transport: transport, Getenv: environment(nil),
		})
		call(t, c, &Request{URI: mustParse(t, arn("sqs:path/q")), Role: testRole})
		if len(keys) != 1 || keys[0] != test.want {
			t.Errorf("%s: %q, want %q alone", name, keys, test.want)
		}
		if name == "none" {
			wantConfigurationError(t, c, &Request{URI: mustParse(t, arn("sns:path/q"))}, "there are none")
		}
		if !c.HasEndpoint("sqs") || c.HasEndpoint("sns") {
			t.Errorf("%s: HasEndpoint", name)
		}
	}
}

// Without credentials of one's own either, the environment and files decide,
// within the time of a call.
func TestOpenEndpointsLookAtNoInstance(t *testing.T) {
	t.Parallel()
	found, err := (&openChain{}).Retrieve(t.Context())
	if err != nil || found.AccessKeyID == "" {
		t.Errorf("%+v %v", found, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&openChain{}).Retrieve(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was given up: %v", err)
	}
}
