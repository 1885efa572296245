package control

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/store"
)

// otherPaths are what API Gateway v2 has for other things than WebSocket APIs
// that are configured member by member. A path of the service's model is here or
// its operation is done.
var otherPaths = []struct{ method, prefix, why string }{
	{"", "/v2/portals", "a portal describes REST APIs"},
	{"", "/v2/portalproducts", "likewise"},
	{"", "/v2/domainnames/{domainName}/routingrules", "a rule leads to a REST API"},
	{"DELETE", "/v2/apis/{apiId}/cors", "only HTTP APIs have CORS"},
	{"PUT", "/v2/apis", "only HTTP APIs can be imported"},
	{"GET", "/v2/apis/{apiId}/exports/", "only HTTP APIs can be exported"},
}

// Every operation of the service's model that applies to WebSocket APIs is done;
// what the others are told is in TestOtherOperations.
func TestOperationsOfWebSocketAPIs(t *testing.T) {
	t.Parallel()
	done := make(map[string]bool)
	for _, o := range new(server).operations() {
		done[o.key()] = true
	}
	used := make(map[string]bool)
	for _, e := range wire.Endpoints {
		other := false
		for _, o := range otherPaths {
			if strings.HasPrefix(e.Path, o.prefix) && (o.method == "" || o.method == e.Method) {
				other, used[o.prefix] = true, true
			}
		}
		if other == done[handler{Endpoint: e}.key()] {
			t.Errorf("%s %s (%s): done %t, for other things %t", e.Method, e.Path, e.Name, !other, other)
		}
	}
	for _, o := range otherPaths {
		if !used[o.prefix] {
			t.Errorf("there is nothing at %s, where %s", o.prefix, o.why)
		}
	}
}

// Of two writers of one API the first to write wins, and the other is told 409
// and has changed nothing: section H.2.
func TestLosingWriter(t *testing.T) {
	t.Parallel()
	hooked := &hookedStore{Store: store.NewMemory(), before: func(context.Context, string, string) {}}
	h := start(t, func(o *Options) { o.Store = store.NewConfiguration(hooked, nil) })
	api := h.api(t)
	keys := func() (keys []string) {
		for _, route := range must(t, h.GetRoutes, &sdk.GetRoutesInput{ApiId: &api}).Items {
			keys = append(keys, *route.RouteKey)
		}
		slices.Sort(keys)
		return keys
	}
	var raced atomic.Bool
	hooked.before = func(_ context.Context, _, key string) {
		if key == h.store.APIs.Key(api) && raced.CompareAndSwap(false, true) {
			h.route(t, api, "winner")
		}
	}
	refuse(t, []errorCase{{"H.2", call(h.CreateRoute, &sdk.CreateRouteInput{ApiId: &api, RouteKey: new("loser")}), conflict(concurrentModification)}})
	same(t, []string{"winner"}, keys())
	h.route(t, api, "loser")
	same(t, []string{"loser", "winner"}, keys())
}
