package control

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"github.com/stagedoor/stagedoor/internal/store"
)

const concurrentModification = "Unable to complete operation due to concurrent modification. Please try again later."

// Writers race on one API: whoever loses gets the 409 of section H.2, and what was
// answered with success is there.
func TestRacingWriters(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	var created atomic.Int64
	var writers sync.WaitGroup
	for writer := range 4 {
		writers.Go(func() {
			for i := range 20 {
				_, err := h.CreateRoute(t.Context(), &sdk.CreateRouteInput{ApiId: &api, RouteKey: new(fmt.Sprintf("%d-%d", writer, i))})
				if err == nil {
					created.Add(1)
				} else if got := failureOf(t, err); got != conflict(concurrentModification) {
					t.Errorf("%+v", got)
				}
			}
		})
	}
	writers.Wait()
	if list := must(t, h.GetRoutes, &sdk.GetRoutesInput{ApiId: &api}); len(list.Items) != int(created.Load()) || created.Load() == 0 {
		t.Errorf("%d routes, %d were created", len(list.Items), created.Load())
	}
}

// brokenStore fails what it is told to.
type brokenStore struct {
	store.Store
	failure atomic.Pointer[error]
}

func (s *brokenStore) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if err := s.failure.Load(); err != nil {
		return 0, *err
	}
	return s.Store.Put(ctx, key, value, revision)
}

// A store that is gone is a 503, and that is over when it comes back.
func TestStoreFailures(t *testing.T) {
	t.Parallel()
	broken := &brokenStore{Store: store.NewMemory()}
	h := start(t, func(o *Options) { o.Store = store.NewConfiguration(broken, nil) })
	api := h.api(t)
	update := call(h.UpdateApi, &sdk.UpdateApiInput{ApiId: &api, Name: new("other")})
	for _, test := range []struct {
		err  error
		want failure
	}{
		{fmt.Errorf("put: %w", store.ErrConflict), conflict(concurrentModification)},
		{fmt.Errorf("put: %w", store.ErrUnavailable), failure{503, "ServiceUnavailableException",
			"The configuration store does not answer. Connections go on; please try again later."}},
		{errors.New("a secret of the inside"), failure{500, "InternalServerErrorException", "Internal server error"}},
	} {
		broken.failure.Store(&test.err)
		refuse(t, []errorCase{{"H.2", update, test.want}})
	}
	broken.failure.Store(nil)
	if err := update(t.Context()); err != nil {
		t.Error(err)
	}
}

// The answer waits until this node serves what was written, but not for ever; a
// wait that fails does not undo it.
func TestAwait(t *testing.T) {
	t.Parallel()
	var awaited atomic.Uint64
	h := start(t, func(o *Options) {
		o.Await = func(ctx context.Context, revision uint64) error {
			awaited.Store(revision)
			if _, limited := ctx.Deadline(); !limited {
				t.Error("the wait has no end")
			}
			return errors.New("too slow")
		}
	})
	api := h.api(t)
	h.route(t, api, "join")
	if _, revision, err := h.store.APIs.Get(t.Context(), api); err != nil || awaited.Load() != revision {
		t.Errorf("awaited %d, want %d (%v)", awaited.Load(), revision, err)
	}
}

// Pages are in the order of ids, complete, and hold still while others write:
// section H.1.
func TestPages(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	want := make(map[string]bool)
	for i := range 7 {
		want[h.route(t, api, fmt.Sprint("key", i))] = true
	}
	var last string
	var token *string
	for pages := 1; ; pages++ {
		list := must(t, h.GetRoutes, &sdk.GetRoutesInput{ApiId: &api, MaxResults: new("3"), NextToken: token})
		for _, route := range list.Items {
			if *route.RouteId <= last || !want[*route.RouteId] {
				t.Errorf("route %s after %s", *route.RouteId, last)
			}
			last = *route.RouteId
			delete(want, last)
		}
		must(t, h.DeleteRoute, &sdk.DeleteRouteInput{ApiId: &api, RouteId: &last})
		if token = list.NextToken; token == nil {
			if pages != 3 || len(want) > 0 {
				t.Errorf("%d pages, %d routes missing", pages, len(want))
			}
			return
		}
	}
}
