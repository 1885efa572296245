// Package awsservice calls AWS services as AWS integrations do: it reads an
// integration's URI, makes the request that the service expects, signs it, and
// returns what the service answered. The caller gives the parameters and the body
// of the request. The package knows nothing of WebSocket APIs, their events and
// their errors.
package awsservice

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// ConfigurationError is the error for a call that cannot work before the
// integration or the gateway's credentials are changed. Nothing was sent to the
// service.
type ConfigurationError struct{ Reason string }

func (e *ConfigurationError) Error() string { return e.Reason }

// Options are what a Client is made with. The zero value works.
type Options struct {
	// Endpoints are URLs by service, as ParseEndpoint reads them. A
	// service is named as in integrations' URIs ("states", "events") or as in
	// the AWS SDKs ("sfn", "eventbridge"). They win over the environment's
	// AWS_ENDPOINT_URL_{SERVICE} and AWS_ENDPOINT_URL.
	Endpoints map[string]*url.URL

	// Credentials sign the requests of integrations without a role, and those
	// for the roles themselves. Nil stands for the default chain of the AWS
	// SDKs (environment, shared files, container, instance), which is read when
	// the first request is made.
	Credentials aws.CredentialsProvider

	// IgnoreRoles signs all requests with Credentials, whatever role an
	// integration names. It is for services that do not check signatures.
	IgnoreRoles bool

	// OpenEndpoints says that the services behind configured endpoints do not
	// check signatures. Calls to them are signed with the credentials of the
	// environment and the shared files or, where there are none, with made-up
	// ones; no role is assumed.
	OpenEndpoints bool

	// Transport sends the requests. Nil stands for one of the client's own, which
	// keeps connections and uses the environment's proxy.
	Transport http.RoundTripper

	// Bounds are those of each backend: a service's host, or a function.
	Bounds turnstile.Bounds

	// Getenv reads the environment. nil stands for os.Getenv.
	Getenv func(string) string
}

// Client calls AWS services. Its methods are safe for concurrent use.
type Client struct {
	endpoints   map[string]*url.URL // by variableName
	own         aws.CredentialsProvider
	open        aws.CredentialsProvider // for configured endpoints; nil: own
	ignoreRoles bool
	transport   http.RoundTripper
	turns       *turnstile.Turnstile
	getenv      func(string) string
	signer      *v4.Signer
	now         func() time.Time

	mu    sync.Mutex
	roles map[assumed]aws.CredentialsProvider // guarded by mu
}

// New makes a client. The caller closes it.
func New(o Options) *Client {
	c := &Client{
		endpoints:   map[string]*url.URL{},
		own:         o.Credentials,
		ignoreRoles: o.IgnoreRoles,
		transport:   o.Transport,
		turns:       turnstile.New(o.Bounds),
		getenv:      o.Getenv,
		signer:      v4.NewSigner(),
		now:         time.Now,
		roles:       map[assumed]aws.CredentialsProvider{},
	}
	for service, endpoint := range o.Endpoints {
		c.endpoints[variableName(service)] = endpoint
	}
	if o.OpenEndpoints {
		c.open = aws.NewCredentialsCache(&openChain{o.Credentials})
	}
	if c.own == nil {
		c.own = newDefaultChain()
	}
	c.own = aws.NewCredentialsCache(c.own)
	if c.transport == nil {
		c.transport = newTransport()
	}
	if c.getenv == nil {
		c.getenv = os.Getenv
	}
	return c
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         descriptors.Dialer{Timeout: 10 * time.Second}.DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true, // bodies pass as they are
	}
}

// Close closes the connections that are idle.
func (c *Client) Close() {
	if pool, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		pool.CloseIdleConnections()
	}
}

// Do makes one call when it is its turn, and returns what the service answered,
// whatever its status; redirects are answers as well. There is no second attempt,
// as in API Gateway. The error is a *ConfigurationError, the context's,
// turnstile.ErrFull, descriptors.ErrScarce, httpclient.ErrTooLarge, or that of the
// network.
func (c *Client) Do(ctx context.Context, r *Request) (*httpclient.Response, error) {
	backend := r.Backend
	if backend == "" {
		backend = r.URI.Region + "/" + r.URI.Service
	}
	lane, err := c.turns.Enter(ctx, turnstile.Call{Backend: backend, Patient: r.Patient})
	if err != nil {
		return nil, err
	}
	defer lane.Leave()
	request, err := c.sign(ctx, r) // after the wait: a signature lasts five minutes
	if err != nil {
		return nil, err
	}
	response, err := c.send(request)
	if err != nil {
		return nil, fmt.Errorf("%s %s://%s%s: %w", request.Method, request.URL.Scheme, request.URL.Host, request.URL.EscapedPath(), err)
	}
	return response, nil
}

// send sends a signed request, and reads the answer.
func (c *Client) send(request *http.Request) (*httpclient.Response, error) {
	answer, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	response, err := httpclient.Read(answer)
	if err != nil && request.Context().Err() != nil {
		return nil, request.Context().Err()
	}
	return response, err
}
