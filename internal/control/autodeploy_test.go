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

// Writers race on an API with automatic stages: once all are done, each stage
// has all that was answered with success, and nothing is left over.
func TestRacingAutoDeploy(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	for _, name := range []string{"one", "two"} {
		must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: &name, AutoDeploy: new(true)})
	}
	var writers sync.WaitGroup
	for writer := range 4 {
		writers.Go(func() {
			for i := range 10 {
				_, err := h.CreateRoute(t.Context(), &sdk.CreateRouteInput{ApiId: &api, RouteKey: new(fmt.Sprintf("%d-%d", writer, i))})
				if err != nil && failureOf(t, err) != conflict(concurrentModification) {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	var want []string
	for _, route := range must(t, h.GetRoutes, &sdk.GetRoutesInput{ApiId: &api}).Items {
		want = append(want, *route.RouteKey)
	}
	for _, name := range []string{"one", "two"} {
		if got := h.deployed(t, api, name); len(got) != len(want) {
			t.Errorf("stage %s has %v, want %v", name, got, want)
		}
	}
	if list := must(t, h.GetDeployments, &sdk.GetDeploymentsInput{ApiId: &api}); len(list.Items) > 2*keptDeployments {
		t.Errorf("%d deployments", len(list.Items))
	}
}

// The answer waits for what autoDeploy wrote, too.
func TestAutoDeployIsAwaited(t *testing.T) {
	t.Parallel()
	var awaited atomic.Uint64
	h := start(t, func(o *Options) {
		o.Await = func(_ context.Context, revision uint64) error {
			awaited.Store(revision)
			return nil
		}
	})
	api := h.api(t)
	must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("auto"), AutoDeploy: new(true)})
	h.route(t, api, "join")
	if _, revision, err := h.store.Stages.Get(t.Context(), api, "auto"); err != nil || awaited.Load() != revision {
		t.Errorf("awaited %d, want %d (%v)", awaited.Load(), revision, err)
	}
}

// hookedStore does something before a record is removed or written.
type hookedStore struct {
	store.Store
	before func(ctx context.Context, operation, key string)
}

func (s *hookedStore) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	s.before(ctx, "put", key)
	return s.Store.Put(ctx, key, value, revision)
}

func (s *hookedStore) Delete(ctx context.Context, key string, revision uint64) (uint64, error) {
	s.before(ctx, "delete", key)
	return s.Store.Delete(ctx, key, revision)
}

// A stage never points at a deployment that is removed at the same moment,
// whoever comes first.
func TestStageAndDeploymentRace(t *testing.T) {
	t.Parallel()
	for _, deletesFirst := range []bool{true, false} {
		hooked := &hookedStore{Store: store.NewMemory(), before: func(context.Context, string, string) {}}
		h := start(t, func(o *Options) { o.Store = store.NewConfiguration(hooked, nil) })
		api := h.api(t)
		h.route(t, api, "join")
		h.stage(t, api, "dev")
		id := h.deployment(t, api)
		point := call(h.UpdateStage, &sdk.UpdateStageInput{ApiId: &api, StageName: new("dev"), DeploymentId: &id})
		remove := call(h.DeleteDeployment, &sdk.DeleteDeploymentInput{ApiId: &api, DeploymentId: &id})
		first, second, at, key := point, remove, "put", h.store.Stages.Key(api, "dev")
		if !deletesFirst {
			first, second, at, key = remove, point, "delete", h.store.Deployments.Key(api, id)
		}
		var once sync.Once
		hooked.before = func(ctx context.Context, operation, of string) {
			if operation != at || of != key {
				return
			}
			once.Do(func() {
				if err := second(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		err := first(t.Context())
		if err == nil {
			t.Error("both were done")
		}
		stage, _, err := h.store.Stages.Get(t.Context(), api, "dev")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = h.store.Deployments.Get(t.Context(), api, id)
		if exists := !errors.Is(err, store.ErrNotFound); exists != (stage.DeploymentId == id) {
			t.Errorf("the stage points at %q; the deployment is there: %t (%v)", stage.DeploymentId, exists, err)
		}
	}
}

// A stage that cannot be written does not undo a change, and the next change
// brings what was missed: AWS deploys after it answered, too.
func TestAutoDeployCatchesUp(t *testing.T) {
	t.Parallel()
	broken := &failingStages{Store: store.NewMemory()}
	h := start(t, func(o *Options) { o.Store = store.NewConfiguration(broken, nil) })
	api := h.api(t)
	must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("auto"), AutoDeploy: new(true)})
	broken.key = h.store.Stages.Key(api, "auto")
	h.route(t, api, "join")
	if got := h.deployed(t, api, "auto"); got != nil {
		t.Errorf("deployed %v", got)
	}
	if list := must(t, h.GetDeployments, &sdk.GetDeploymentsInput{ApiId: &api}); len(list.Items) > 0 {
		t.Errorf("%d deployments that nobody uses", len(list.Items))
	}
	broken.key = ""
	h.route(t, api, "leave")
	same(t, []string{"join", "leave"}, h.deployed(t, api, "auto"))
}

// failingStages does not write one record.
type failingStages struct {
	store.Store
	key string
}

func (s *failingStages) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if key == s.key {
		return 0, store.ErrUnavailable
	}
	return s.Store.Put(ctx, key, value, revision)
}
