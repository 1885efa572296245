package authorizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

const (
	// maxFetches is how many requests to issuers are under way at a time, and
	// maxFetchesOfHost how many to one host. Each takes a socket; none is kept
	// for later.
	maxFetches       = 128
	maxFetchesOfHost = 16

	maxKeysAnswer       = 256 << 10 // bytes of an answer's body
	maxKeysAnswerHeader = 64 << 10  // bytes of an answer's header
)

// fetcher sends the requests to issuers. All issuers of a Builder share one, so
// that hosts that hang cannot take all sockets of the process. It is safe for
// concurrent use.
type fetcher struct {
	transport http.RoundTripper
	ofHost    *turnstile.Turnstile // by host
	all       *turnstile.Turnstile // with one lane
}

// newFetcher makes a fetcher. Without a transport it opens a connection for
// each request.
func newFetcher(transport http.RoundTripper) *fetcher {
	if transport == nil {
		transport = newTransport()
	}
	return &fetcher{
		transport: transport,
		ofHost:    turnstile.New(turnstile.Bounds{Calls: maxFetchesOfHost}),
		all:       turnstile.New(turnstile.Bounds{Calls: maxFetches}),
	}
}

// newTransport makes a transport that keeps no connection: an issuer is asked
// every few minutes, and there may be many of them.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            descriptors.Dialer{Timeout: fetchTimeout}.DialContext,
		TLSHandshakeTimeout:    fetchTimeout,
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxKeysAnswerHeader,
	}
}

// get reads JSON from a URL into a value, when it is its turn. Redirects are not
// followed. The context ends the wait and the request.
func (f *fetcher) get(ctx context.Context, address string, to any) error {
	body, err := f.read(ctx, address)
	if err == nil {
		err = json.Unmarshal(body, to)
	}
	if err != nil {
		return fmt.Errorf("fetching %s: %w", address, err)
	}
	return nil
}

// read returns the body of a URL.
func (f *fetcher) read(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	// The host's turn comes first: what waits for it takes nothing from other hosts.
	ofHost, err := f.ofHost.Enter(ctx, turnstile.Call{Backend: request.URL.Host})
	if err != nil {
		return nil, err
	}
	defer ofHost.Leave()
	all, err := f.all.Enter(ctx, turnstile.Call{})
	if err != nil {
		return nil, err
	}
	defer all.Leave()
	answer, err := f.transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxKeysAnswer+1))
	if err == nil && len(body) > maxKeysAnswer {
		err = errors.New("the answer is too large")
	}
	return body, err
}
