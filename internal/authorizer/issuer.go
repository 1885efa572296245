package authorizer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// keysAge is the age at which keys are fetched again. A key that the issuer
	// has withdrawn is accepted for so long.
	keysAge = 15 * time.Minute
	// fetchPause is how long after a fetch, even one that failed, there is no
	// other; firstPause is the same while there are no keys at all. Without it,
	// tokens with made-up key ids could flood the issuer.
	fetchPause = 10 * time.Second
	firstPause = time.Second

	// fetchTimeout is how long a fetch may take, the wait for its turn included.
	fetchTimeout = 5 * time.Second
)

// issuer is an OpenID provider, and the keys that it signs tokens with. It is safe
// for concurrent use.
type issuer struct {
	url     string
	fetcher *fetcher

	keys atomic.Pointer[keySet] // nil until the first fetch that works

	turn    chan struct{} // a lock: has one element, which the goroutine takes that fetches
	tried   time.Time     // guarded by turn: when the last fetch ended
	failure error         // guarded by turn: of the last fetch that failed
}

// newIssuer makes an issuer whose keys are not known yet.
func newIssuer(issuerURL string, f *fetcher) *issuer {
	i := &issuer{url: issuerURL, fetcher: f, turn: make(chan struct{}, 1)}
	i.turn <- struct{}{}
	return i
}

// find returns the keys that a token with the given key id and algorithm may be
// signed with; there may be none. It fetches the issuer's keys where none fits, and
// where they are old. As long as that fails, the last keys are used. The error is
// for an issuer whose keys were never fetched.
func (i *issuer) find(ctx context.Context, keyID, algorithm string) ([]jose.JSONWebKey, error) {
	set := i.keys.Load()
	fitting := set.find(keyID, algorithm)
	if len(fitting) > 0 && time.Since(set.fetched) < keysAge {
		return fitting, nil
	}
	if len(fitting) > 0 {
		select {
		case <-i.turn:
		default: // somebody else fetches
			return fitting, nil
		}
	} else {
		select {
		case <-i.turn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer func() { i.turn <- struct{}{} }()
	if i.keys.Load() == set {
		i.refreshInTurn(ctx, set)
	}
	set = i.keys.Load()
	if set == nil {
		return nil, i.failure
	}
	return set.find(keyID, algorithm), nil
}

// refreshInTurn fetches the keys, unless the last fetch is too recent. The caller
// has the turn.
func (i *issuer) refreshInTurn(ctx context.Context, set *keySet) {
	pause := fetchPause
	if set == nil {
		pause = firstPause
	}
	if !i.tried.IsZero() && time.Since(i.tried) < pause {
		return
	}
	keys, err := i.fetch(ctx)
	if err == nil {
		i.keys.Store(keys)
	} else if i.failure = err; ctx.Err() != nil {
		return // the caller gave up: that is not the issuer's failure
	}
	i.tried = time.Now()
}

// fetch reads the issuer's OpenID configuration, and the keys from the URL in it.
func (i *issuer) fetch(ctx context.Context) (*keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var configuration struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	address := strings.TrimSuffix(i.url, "/") + "/.well-known/openid-configuration"
	if err := i.fetcher.get(ctx, address, &configuration); err != nil {
		return nil, err
	}
	if configuration.Issuer != i.url {
		return nil, fmt.Errorf("%s is the configuration of issuer %q, not of %q", address, configuration.Issuer, i.url)
	}
	keysURL, err := url.Parse(configuration.Keys)
	if err != nil || keysURL.Host == "" || !trusted(keysURL) {
		return nil, fmt.Errorf("%s has the jwks_uri %q, which is no https:// URL", address, configuration.Keys)
	}
	if own, _ := url.Parse(i.url); onThisMachine(keysURL) && !onThisMachine(own) {
		return nil, fmt.Errorf("%s has the jwks_uri %q, which is on this machine", address, configuration.Keys)
	}
	var answer struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := i.fetcher.get(ctx, configuration.Keys, &answer); err != nil {
		return nil, err
	}
	set, err := newKeySet(answer.Keys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", configuration.Keys, err)
	}
	return set, nil
}
