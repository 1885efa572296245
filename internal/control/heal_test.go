package control

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// dyingStore loses every write after the first ones, as the store of a process
// does that is killed, and counts those that it keeps.
type dyingStore struct {
	store.Store
	left, written atomic.Int64
}

// forever is more writes than there are.
const forever = 1 << 40

func (s *dyingStore) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if s.left.Add(-1) < 0 {
		return 0, store.ErrClosed
	}
	s.written.Add(1)
	return s.Store.Put(ctx, key, value, revision)
}

func (s *dyingStore) Delete(ctx context.Context, key string, revision uint64) (uint64, error) {
	if s.left.Add(-1) < 0 {
		return 0, store.ErrClosed
	}
	s.written.Add(1)
	return s.Store.Delete(ctx, key, revision)
}

// A change of an API whose process is killed after any of the writes that the
// change consists of is on the automatic stages after the next start. A start
// at which nothing is missing writes nothing.
func TestHeal(t *testing.T) {
	t.Parallel()
	dying := &dyingStore{Store: store.NewMemory()}
	dying.left.Store(forever)
	later := testNow.Add(2 * strayAge)
	h := start(t, func(o *Options) { o.Store = store.NewConfiguration(dying, nil) })
	heal := func() (writes int64) {
		t.Helper()
		before := dying.written.Load()
		err := Heal(t.Context(), Options{
			Store: h.store, Now: func() time.Time { return later }, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		return dying.written.Load() - before
	}
	api := h.api(t)
	for _, name := range []string{"one", "two"} {
		must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: &name, AutoDeploy: new(true)})
	}
	h.stage(t, api, "manual")
	if writes := heal(); writes != 0 {
		t.Errorf("%d writes for an API that cannot be deployed", writes)
	}
	var want []string
	for _, key := range strings.Fields("a b c d e f g h i j") {
		h.route(t, api, key) // so often that each stage has all the deployments that it keeps
		want = append(want, key)
	}
	if writes := heal(); writes != 0 {
		t.Errorf("%d writes though nothing was missing", writes)
	}
	mine := h.deployment(t, api) // which no stage has, and which is the user's
	// The API, the deployment, and for each stage itself and what it gives up.
	for writes := range int64(7) {
		key := string(rune('k' + writes))
		dying.left.Store(writes)
		_, err := h.CreateRoute(t.Context(), &sdk.CreateRouteInput{ApiId: &api, RouteKey: &key})
		dying.left.Store(forever)
		if written := err == nil; written != (writes > 0) {
			t.Fatalf("killed after %d writes: %v", writes, err)
		}
		if writes > 0 {
			want = append(want, key)
		}
		healed := heal()
		t.Logf("killed after %d writes; the next start writes %d times", writes, healed)
		for _, name := range []string{"one", "two"} {
			same(t, want, h.deployed(t, api, name))
		}
		if again := heal(); again != 0 {
			t.Errorf("killed after %d writes: %d writes though nothing was missing any more", writes, again)
		}
		checkKept(t, h, api, mine)
	}
	if got := h.deployed(t, api, "manual"); got != nil {
		t.Errorf("a stage that is deployed by hand has %v", got)
	}
}

// checkKept: the deployments of an API are those that stages know, and one more.
func checkKept(t *testing.T, h *harness, api, more string) {
	t.Helper()
	known := map[string]bool{more: true}
	for _, name := range []string{"one", "two"} {
		stage, _, err := h.store.Stages.Get(t.Context(), api, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range stage.AutomaticDeployments { // some may be gone: another stage gave them up
			known[id] = true
		}
	}
	ids, err := h.store.Deployments.IDs(t.Context(), api)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if !known[id[1]] {
			t.Errorf("deployment %s is left over", id[1])
		}
	}
	if _, _, err := h.store.Deployments.Get(t.Context(), api, more); err != nil {
		t.Errorf("deployment %s: %v", more, err)
	}
}

// What cannot be read is left alone, and does not keep other APIs from being
// healed. A young deployment may be on its way to its stage.
func TestHealLeavesAlone(t *testing.T) {
	t.Parallel()
	memory := store.NewMemory()
	h := start(t, func(o *Options) { o.Store = store.NewConfiguration(memory, nil) })
	var apis []string
	for range 4 {
		api := h.api(t)
		must(t, h.CreateStage, &sdk.CreateStageInput{ApiId: &api, StageName: new("auto"), AutoDeploy: new(true)})
		h.route(t, api, "join")
		apis = append(apis, api)
	}
	damage := func(key string) {
		t.Helper()
		record, err := memory.Get(t.Context(), key)
		if err == nil {
			_, err = memory.Put(t.Context(), key, []byte("{"), record.Revision)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	stage, _, err := h.store.Stages.Get(t.Context(), apis[1], "auto")
	if err != nil {
		t.Fatal(err)
	}
	damage(h.store.APIs.Key(apis[0]))
	damage(h.store.Deployments.Key(apis[1], stage.DeploymentId))
	damage(h.store.Stages.Key(apis[2], "auto"))
	behind, revision, err := h.store.APIs.Get(t.Context(), apis[3])
	if err != nil {
		t.Fatal(err)
	}
	young := &apigw.Deployment{DeploymentId: "young1", API: behind, AutoDeployed: true, CreatedDate: testNow}
	if _, err := h.store.Deployments.Put(t.Context(), young, 0); err != nil {
		t.Fatal(err)
	}
	behind.Routes = append(behind.Routes, &apigw.Route{RouteId: "r2", RouteKey: "leave"})
	if _, err := h.store.APIs.Put(t.Context(), behind, revision); err != nil {
		t.Fatal(err)
	}
	err = Heal(t.Context(), Options{Store: h.store, Now: func() time.Time { return testNow }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	same(t, []string{"join", "leave"}, h.deployed(t, apis[3], "auto"))
	if _, _, err := h.store.Deployments.Get(t.Context(), apis[3], "young1"); err != nil {
		t.Errorf("the young deployment: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Heal(cancelled, Options{Store: h.store}); err == nil {
		t.Error("no error of a context that ended")
	}
}
