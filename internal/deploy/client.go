package deploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

const (
	signingName    = "apigateway"
	requestTimeout = time.Minute
	maxAnswerBytes = 32 << 20
	maxPages       = 1000
)

// A call that the gateway asks to repeat, because it is still starting, is
// repeated every askAgain, for maxStart at most.
const (
	askAgain = time.Second
	maxStart = 30 * time.Second
)

// ClientOptions configure a Client.
type ClientOptions struct {
	Gateway string // URL of the admin listener
	Region  string // of the gateway
	// Credentials sign requests. With nil they are not signed, which only a
	// gateway with --open accepts.
	Credentials aws.CredentialsProvider
	TLS         *tls.Config // nil stands for the system's authorities
	// Transport sends requests; nil stands for sending them to Gateway.
	Transport http.RoundTripper
}

// Client calls operations of a control plane. It is safe for concurrent use.
type Client struct {
	options ClientOptions
	base    string // without a slash at its end
	http    *http.Client
	signer  *v4.Signer
}

// NewClient makes a client. Close ends it.
func NewClient(o ClientOptions) (*Client, error) {
	u, err := url.Parse(o.Gateway)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not the URL of a gateway's control plane, such as http://127.0.0.1:8081", o.Gateway)
	}
	transport := o.Transport
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.TLSClientConfig = o.TLS
		transport = own
	}
	return &Client{
		options: o, base: strings.TrimSuffix(u.String(), "/"), signer: v4.NewSigner(),
		http: &http.Client{
			Transport: transport, Timeout: requestTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Gateway is the URL of the control plane.
func (c *Client) Gateway() string { return c.base }

// call is a request: an operation with the parameters of its path, in their
// order, and of its query.
type call struct {
	wire.Endpoint
	path  []string
	query url.Values
	body  properties // nil for none
}

// url returns the URL of a call.
func (c *call) url(base string) (string, error) {
	parameters := c.path
	var u strings.Builder
	u.WriteString(base)
	for part := range strings.SplitSeq(strings.TrimPrefix(c.Path, "/"), "/") {
		if strings.HasPrefix(part, "{") {
			if len(parameters) == 0 || parameters[0] == "" {
				return "", fmt.Errorf("%s: the path lacks %s", c.Name, part)
			}
			part, parameters = url.PathEscape(parameters[0]), parameters[1:]
		}
		u.WriteString("/" + part)
	}
	if len(c.query) > 0 {
		u.WriteString("?" + c.query.Encode())
	}
	return u.String(), nil
}

// do does a call and reads the answer into out, unless that is nil. The error
// is an *apigw.Error for a refusal by the gateway.
func (c *Client) do(ctx context.Context, call *call, out any) error {
	deadline := time.Now().Add(maxStart)
	got, err := c.send(ctx, call)
	for err == nil && got.asksAgain() && time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(askAgain):
			got, err = c.send(ctx, call)
		}
	}
	switch {
	case err != nil:
		return err
	case got.code < 200 || got.code > 299:
		return c.refusal(call, got)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(got.body, out); err != nil {
		return fmt.Errorf("%s: the answer is not one of API Gateway's: %w", call.Name, err)
	}
	return nil
}

// answer is what a gateway answers to a call.
type answer struct {
	code   int
	status string // the code, and its words
	header http.Header
	body   []byte
}

// asksAgain reports whether an answer says that nothing was done and that the
// call has to be repeated.
func (a *answer) asksAgain() bool {
	return a.code == http.StatusServiceUnavailable && a.header.Get("Retry-After") != ""
}

// send sends a call once.
func (c *Client) send(ctx context.Context, call *call) (*answer, error) {
	request, err := c.request(ctx, call)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	switch {
	case err != nil:
		return nil, unreachable(ctx, err)
	case len(body) > maxAnswerBytes:
		return nil, fmt.Errorf("%s: the answer has more than %d MiB", call.Name, maxAnswerBytes>>20)
	}
	return &answer{response.StatusCode, response.Status, response.Header, body}, nil
}

// request makes a request, signed if there are credentials.
func (c *Client) request(ctx context.Context, call *call) (*http.Request, error) {
	target, err := call.url(c.base)
	if err != nil {
		return nil, err
	}
	var body []byte
	if call.body != nil {
		if body, err = json.Marshal(call.body); err != nil {
			return nil, fmt.Errorf("%s: %w", call.Name, err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, call.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", call.Name, err)
	}
	request.Header.Set("User-Agent", "stagedoor-deploy")
	if call.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.options.Credentials == nil {
		return request, nil
	}
	credentials, err := c.options.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	err = c.signer.SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), signingName, c.options.Region, time.Now())
	return request, err
}

// unreachable is the error for a gateway that does not answer. It leaves out
// the request's URL, which net/http's error has.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var where *url.Error
	if errors.As(err, &where) {
		err = where.Err
	}
	return fmt.Errorf("the gateway does not answer: %w", err)
}

// refusal returns the gateway's refusal as an error.
func (c *Client) refusal(call *call, got *answer) error {
	var said struct{ Message string } // or message
	typ, _, _ := strings.Cut(got.header.Get("x-amzn-ErrorType"), ":")
	if err := json.Unmarshal(got.body, &said); err != nil || typ == "" {
		return fmt.Errorf("%s: %s answered %s, but not as API Gateway does: is it the control plane of a gateway?", call.Name, c.base, got.status)
	}
	refused := &apigw.Error{Status: got.code, Type: typ, Message: said.Message}
	if got.code == http.StatusForbidden && c.options.Credentials == nil {
		return fmt.Errorf("%s: %w; the request was not signed, as no AWS credentials were found", call.Name, refused)
	}
	return fmt.Errorf("%s: %w", call.Name, refused)
}

// list returns all items of a list, page by page.
func list[T any](ctx context.Context, c *Client, endpoint wire.Endpoint, path ...string) ([]*T, error) {
	return listWith[T](ctx, c, call{Endpoint: endpoint, path: path, query: url.Values{}})
}

// listWith is list with further parameters in the query.
func listWith[T any](ctx context.Context, c *Client, next call) ([]*T, error) {
	var all []*T
	for range maxPages {
		var page struct {
			Items     []*T
			NextToken *string
			Item      []*T    // of v1
			Position  *string // of v1
		}
		if err := c.do(ctx, &next, &page); err != nil {
			return nil, err
		}
		for _, item := range slices.Concat(page.Items, page.Item) {
			if item == nil {
				return nil, fmt.Errorf("%s: the answer is not one of API Gateway's: an item is null", next.Name)
			}
			all = append(all, item)
		}
		name, token := "nextToken", text(page.NextToken)
		if token == "" {
			name, token = "position", text(page.Position)
		}
		switch token {
		case "":
			return all, nil
		case next.query.Get(name):
			return nil, fmt.Errorf("%s: the list has no end: a page is its own next", next.Name)
		}
		next.query.Set(name, token)
	}
	return nil, fmt.Errorf("%s: the list has no end: it has more than %d pages", next.Name, maxPages)
}
