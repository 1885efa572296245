package authorizer

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// hangingIssuers is the transport of a Builder. It answers for any issuer, but
// not before it is told to.
type hangingIssuers struct {
	keys   string
	answer chan struct{} // closed: requests are answered

	mu       sync.Mutex
	underWay map[string]int // guarded by mu: by host
	most     int            // guarded by mu: of all hosts together
	ofHost   int            // guarded by mu: the most of one host
}

func (h *hangingIssuers) RoundTrip(r *http.Request) (*http.Response, error) {
	h.count(r.URL.Host, 1)
	defer h.count(r.URL.Host, -1)
	select {
	case <-h.answer:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	body := h.keys
	if issuer, ok := strings.CutSuffix(r.URL.String(), "/.well-known/openid-configuration"); ok {
		body = fmt.Sprintf(`{"issuer":%q,"jwks_uri":"%s/keys"}`, issuer, issuer)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}, nil
}

func (h *hangingIssuers) count(host string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.underWay[host] += n
	all := 0
	for _, count := range h.underWay {
		all += count
	}
	h.most, h.ofHost = max(h.most, all), max(h.ofHost, h.underWay[host])
}

// bounds returns the most requests that were under way, of all hosts and of one.
func (h *hangingIssuers) bounds() (most, ofHost int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.most, h.ofHost
}

// However many issuers are asked at once, requests to each host and to all
// together are bounded. Those beyond wait: for their turn, or until their
// handshake or the time for a fetch ends.
func TestFetchesAreBounded(t *testing.T) {
	t.Parallel()
	key := ecKey(t, "one")
	for _, test := range []struct {
		name                           string
		hosts, tenants, most, mostHost int
	}{
		{"one host", 1, 3 * maxFetchesOfHost, maxFetchesOfHost, maxFetchesOfHost},
		{"many hosts", 2 * maxFetches, 2, maxFetches, 2},
		{"many of many hosts", 12, 2 * maxFetchesOfHost, maxFetches, maxFetchesOfHost},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				issuers := &hangingIssuers{keys: jwks(key), answer: make(chan struct{}), underWay: make(map[string]int)}
				b := &Builder{Transport: issuers}
				var all sync.WaitGroup
				handshake := func(ctx context.Context, issuer string, status int, reason string) {
					a := build(t, b, jwtAPI("issuer="+issuer+" audience=chat"))
					token := key.token(t, claimsOf(issuer, nil))
					all.Go(func() {
						_, refusal := a.Authorize(ctx, withHeader("Authorization", "Bearer "+token))
						expect(t, issuer, refusal, status, reason)
					})
				}
				for host := range test.hosts {
					for tenant := range test.tenants {
						handshake(t.Context(), fmt.Sprintf("https://login-%d.example.com/%d", host, tenant), 0, "")
					}
				}
				synctest.Wait()
				if most, ofHost := issuers.bounds(); most != test.most || ofHost > test.mostHost {
					t.Errorf("%d requests are under way, %d of one host; want %d and at most %d", most, ofHost, test.most, test.mostHost)
				}

				ctx, cancel := context.WithCancel(t.Context())
				handshake(ctx, "https://login-0.example.com/gives-up", 500, "canceled")
				synctest.Wait()
				cancel()
				synctest.Wait()

				close(issuers.answer)
				all.Wait()
				if most, ofHost := issuers.bounds(); most != test.most || ofHost > test.mostHost {
					t.Errorf("at most %d requests were under way, %d of one host; want %d and at most %d", most, ofHost, test.most, test.mostHost)
				}
			})
		})
	}
}

// A host that hangs keeps no other from being asked.
func TestHangingHost(t *testing.T) {
	t.Parallel()
	key := ecKey(t, "one")
	synctest.Test(t, func(t *testing.T) {
		issuers := &hangingIssuers{keys: jwks(key), answer: make(chan struct{}), underWay: make(map[string]int)}
		answering := &hangingIssuers{keys: jwks(key), answer: make(chan struct{}), underWay: make(map[string]int)}
		close(answering.answer)
		b := &Builder{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "hangs.example.com" {
				return issuers.RoundTrip(r)
			}
			return answering.RoundTrip(r)
		})}
		var all sync.WaitGroup
		for tenant := range 2 * maxFetches {
			issuer := fmt.Sprintf("https://hangs.example.com/%d", tenant)
			a := build(t, b, jwtAPI("issuer="+issuer+" audience=chat"))
			token := key.token(t, claimsOf(issuer, nil))
			all.Go(func() {
				_, refusal := show(t, a, token)
				expect(t, issuer, refusal, 500, "deadline")
			})
		}
		synctest.Wait()
		issuer := "https://answers.example.com"
		_, refusal := show(t, build(t, b, jwtAPI("issuer="+issuer+" audience=chat")), key.token(t, claimsOf(issuer, nil)))
		expect(t, issuer, refusal, 0, "")
		all.Wait()
	})
}

// The sockets of fetches are closed with them.
func TestNoConnectionIsKept(t *testing.T) {
	t.Parallel()
	var opened, open atomic.Int32
	p, _ := newProvider(t, func(h http.Handler) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				opened.Add(1)
				open.Add(1)
			case http.StateClosed:
				open.Add(-1)
			}
		}
		server.Start()
		return server
	})
	key := ecKey(t, "one")
	p.publish(key)
	_, refusal := show(t, build(t, &Builder{}, jwtAPI("issuer="+p.url+" audience=chat")), key.token(t, claimsOf(p.url, nil)))
	expect(t, "handshake", refusal, 0, "")
	for end := time.Now().Add(time.Minute); open.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections of %d are open", open.Load(), opened.Load())
		}
	}
	if opened.Load() == 0 {
		t.Error("the issuer was not asked")
	}
}
