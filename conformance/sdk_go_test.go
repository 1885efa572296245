package conformance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	management "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
)

// maxPayload is the most that a message to a client may hold (spec F.1).
const maxPayload = 131072

// TestSDKForGo calls the management API by each form of the endpoint, over
// HTTP and TLS.
func TestSDKForGo(t *testing.T) {
	t.Parallel()
	d := start(t, copyApplication(t, "testdata/bare"))
	apiID, stage := d.ready.APIs[0].APIID, d.stage()
	endpoints := map[string]string{
		"HTTP":                "http://" + d.address() + "/" + stage,
		"TLS":                 "https://" + d.address() + "/" + stage,
		"TLS, AWS host":       "https://" + apiID + ".execute-api.us-east-1.amazonaws.com/" + stage,
		"HTTP, local AWS way": "http://" + d.address() + "/_aws/execute-api/" + apiID + "/" + stage,
	}
	for name, endpoint := range endpoints {
		// One after the other: each takes its own "connect" events.
		t.Run(name, func(t *testing.T) { testManagement(t, d, newManagementClient(t, d, endpoint)) })
	}
}

func testManagement(t *testing.T, d *dev, api *management.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := d.dial("")
	id := aws.String(client.id)

	if _, err := api.PostToConnection(ctx, &management.PostToConnectionInput{ConnectionId: id, Data: []byte("hello, wörld")}); err != nil {
		t.Fatalf("PostToConnection: %v", err)
	}
	if got := client.receive(); got != "hello, wörld" {
		t.Errorf("PostToConnection: the client received %q", got)
	}

	info, err := api.GetConnection(ctx, &management.GetConnectionInput{ConnectionId: id})
	if err != nil {
		t.Fatalf("GetConnection: %v", err)
	}
	if got := aws.ToString(info.Identity.SourceIp); got != "127.0.0.1" {
		t.Errorf("GetConnection: source IP %q", got)
	}
	if got := aws.ToString(info.Identity.UserAgent); got != "conformance" {
		t.Errorf("GetConnection: user agent %q", got)
	}
	if info.ConnectedAt == nil || info.LastActiveAt == nil || info.LastActiveAt.Before(*info.ConnectedAt) {
		t.Errorf("GetConnection: connected at %v, last active at %v", info.ConnectedAt, info.LastActiveAt)
	}

	client.SetReadLimit(maxPayload)
	largest := strings.Repeat("x", maxPayload)
	if _, err := api.PostToConnection(ctx, &management.PostToConnectionInput{ConnectionId: id, Data: []byte(largest)}); err != nil {
		t.Fatalf("PostToConnection of %d bytes: %v", maxPayload, err)
	}
	if got := client.receive(); got != largest {
		t.Errorf("PostToConnection of %d bytes: the client received %d others", maxPayload, len(got))
	}
	_, err = api.PostToConnection(ctx, &management.PostToConnectionInput{ConnectionId: id, Data: []byte(largest + "x")})
	expectStatus(t, err, http.StatusRequestEntityTooLarge, "")

	for _, malformed := range []string{"nonsense", "AAAAAAAAAAAAAAAAAA==", client.id + "="} {
		_, err := api.GetConnection(ctx, &management.GetConnectionInput{ConnectionId: aws.String(malformed)})
		expectStatus(t, err, http.StatusBadRequest, "BadRequestException")
	}

	if _, err := api.DeleteConnection(ctx, &management.DeleteConnectionInput{ConnectionId: id}); err != nil {
		t.Fatalf("DeleteConnection: %v", err)
	}
	client.expectClose(1000, "Connection Closed Normally")
	d.await("disconnect", func(e event) bool { return e.ConnectionID == client.id })
	_, err = api.PostToConnection(ctx, &management.PostToConnectionInput{ConnectionId: id, Data: []byte("late")})
	expectGone(t, "PostToConnection", err)
	_, err = api.GetConnection(ctx, &management.GetConnectionInput{ConnectionId: id})
	expectGone(t, "GetConnection", err)
	_, err = api.DeleteConnection(ctx, &management.DeleteConnectionInput{ConnectionId: id})
	expectGone(t, "DeleteConnection", err)
}

func expectGone(t *testing.T, operation string, err error) {
	t.Helper()
	var gone *types.GoneException
	if !errors.As(err, &gone) {
		t.Errorf("%s on a closed connection: %v, want GoneException", operation, err)
	}
	expectStatus(t, err, http.StatusGone, "GoneException")
}

// expectStatus fails the test unless err is an answer with the status and, if
// there is one, the code.
func expectStatus(t *testing.T, err error, status int, code string) {
	t.Helper()
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() != status {
		t.Errorf("error %v, want status %d", err, status)
	}
	var known smithy.APIError
	if code != "" && (!errors.As(err, &known) || known.ErrorCode() != code) {
		t.Errorf("error %v, want code %s", err, code)
	}
}

// newManagementClient makes a client that finds every host at the gateway and
// trusts the gateway's authority alone.
func newManagementClient(t *testing.T, d *dev, endpoint string) *management.Client {
	t.Helper()
	authority, err := os.ReadFile(authorityFile())
	if err != nil {
		t.Fatalf("certificate of the gateway's authority: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, d.address())
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return management.New(management.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:   &http.Client{Transport: transport},
		Retryer:      retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 1; o.RateLimiter = ratelimit.None }),
	})
}
