package rollout

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/store"
)

// The stages of the configuration are served: those that were there, and those
// that come, change and go. A change is in effect when Await returns.
func TestFollows(t *testing.T) {
	t.Parallel()
	s := store.NewMemory()
	c := store.NewConfiguration(s, nil)
	putAPI(t, c, mockAPI("first"), "d1")
	putStage(t, c, "first", "dev", "d1", nil)
	putStage(t, c, "first", "empty", "", nil) // a stage without deployment is not served
	n := start(t, s)

	removeStage := func() uint64 {
		_, revision, err := c.Stages.Get(t.Context(), "first", "dev")
		if err == nil {
			revision, err = c.Stages.Delete(t.Context(), revision, "first", "dev")
		}
		if err != nil {
			t.Fatal(err)
		}
		return revision
	}
	removeAPI := func() uint64 {
		_, revision, err := c.APIs.Get(t.Context(), "second")
		if err == nil {
			revision, err = c.DeleteAPI(t.Context(), "second", revision)
		}
		if err != nil {
			t.Fatal(err)
		}
		return revision
	}
	steps := []struct {
		name   string
		change func() uint64
		want   string
	}{
		{"at the start", func() uint64 { return 0 }, "first/devmap[]"},
		{"variables", func() uint64 { return putStage(t, c, "first", "dev", "d1", map[string]string{"a": "1"}) }, "first/devmap[a:1]"},
		{"a deployment", func() uint64 { return putStage(t, c, "first", "empty", "d1", nil) }, "first/devmap[a:1] first/emptymap[]"},
		{"no deployment", func() uint64 { return putStage(t, c, "first", "empty", "", nil) }, "first/devmap[a:1]"},
		{"a stage before its API", func() uint64 { return putStage(t, c, "second", "prod", "d2", nil) }, "first/devmap[a:1]"},
		{"its deployment and API", func() uint64 {
			put(t, c.Deployments, &apigw.Deployment{DeploymentId: "d2", API: mockAPI("second")}, "second", "d2")
			return put(t, c.APIs, mockAPI("second"), "second")
		}, "first/devmap[a:1] second/prodmap[]"},
		{"a removed stage", removeStage, "second/prodmap[]"},
		{"a removed API", removeAPI, ""},
	}
	for _, step := range steps {
		n.await(t, step.change())
		if got := n.serving(); got != step.want {
			t.Errorf("%s: serving %q, want %q", step.name, got, step.want)
		}
	}
	if problems := n.takeProblems(); problems != nil {
		t.Errorf("problems %q", problems)
	}
}

// What is in an API counts only once it is deployed.
func TestAPIsAloneBuildNothing(t *testing.T) {
	t.Parallel()
	s := store.NewMemory()
	c := store.NewConfiguration(s, nil)
	putAPI(t, c, mockAPI("api"), "d1")
	putStage(t, c, "api", "dev", "d1", nil)
	n := start(t, s)
	changed := mockAPI("api")
	changed.RouteSelectionExpression = "not an expression ${"
	n.await(t, put(t, c.APIs, changed, "api"))
	if n.deploys != 1 {
		t.Errorf("deployed %d times", n.deploys)
	}
}

func TestDomains(t *testing.T) {
	t.Parallel()
	s := store.NewMemory()
	c := store.NewConfiguration(s, nil)
	wildcard := &apigw.DomainName{DomainName: "*.Example.com", ApiMappings: []*apigw.ApiMapping{{ApiMappingId: "m", ApiMappingKey: "chat", ApiId: "api", Stage: "dev"}}}
	put(t, c.DomainNames, wildcard, wildcard.DomainName)
	n := start(t, s)
	want := map[string][]gateway.Mapping{"*.example.com": {{Key: "chat", APIID: "api", Stage: "dev"}}}
	if diff := cmp.Diff(want, n.domains); diff != "" {
		t.Errorf("at the start (-want +got):\n%s", diff)
	}
	_, revision, err := c.DomainNames.Get(t.Context(), wildcard.DomainName)
	if err == nil {
		revision, err = c.DomainNames.Delete(t.Context(), revision, wildcard.DomainName)
	}
	if err != nil {
		t.Fatal(err)
	}
	n.await(t, revision)
	if len(n.domains) != 0 {
		t.Errorf("after the removal: %v", n.domains)
	}
}

// What cannot work is reported once, and what was served goes on.
func TestProblems(t *testing.T) {
	t.Parallel()
	s := store.NewMemory()
	c := store.NewConfiguration(s, nil)
	broken := mockAPI("api")
	broken.Routes = append(broken.Routes, &apigw.Route{RouteKey: "join", Target: "integrations/none"})
	putAPI(t, c, broken, "d1")
	putStage(t, c, "api", "dev", "d1", nil)
	unusable := mockAPI("api")
	unusable.RouteSelectionExpression = "${"
	put(t, c.Deployments, &apigw.Deployment{DeploymentId: "unusable", API: unusable}, "api", "unusable")
	if _, err := s.Put(t.Context(), c.Deployments.Key("api", "corrupt"), []byte("{"), 0); err != nil {
		t.Fatal(err)
	}
	n := start(t, s)
	expect := func(name string, want ...string) {
		t.Helper()
		problems := n.takeProblems()
		matches := slices.EqualFunc(problems, want, func(got, want string) bool { return strings.HasPrefix(got, want) })
		if serving := n.serving(); !matches || serving != "api/devmap[]" {
			t.Errorf("%s: problems %q, want %q; serving %q", name, problems, want, serving)
		}
	}
	expect("a route without integration", "api/dev route join: target integrations/none does not exist")
	n.await(t, putStage(t, c, "api", "dev", "d1", nil))
	expect("the same again")
	n.await(t, putStage(t, c, "api", "dev", "gone", nil))
	expect("no deployment", "api/dev : deployment gone does not exist")
	n.await(t, putStage(t, c, "api", "dev", "unusable", nil))
	expect("no plan", "api/dev : API api: ")
	n.await(t, putStage(t, c, "api", "dev", "corrupt", nil))
	expect("a damaged deployment", "api/dev : the configuration's record deployment.api.corrupt")
	_, revision, err := c.Stages.Get(t.Context(), "api", "dev")
	if err == nil {
		revision, err = s.Put(t.Context(), c.Stages.Key("api", "dev"), []byte(`{"version":9,"value":{}}`), revision)
	}
	if err != nil {
		t.Fatal(err)
	}
	n.await(t, revision)
	expect("a damaged stage")
	n.await(t, func() uint64 {
		revision, err = s.Delete(t.Context(), c.Stages.Key("api", "dev"), revision)
		if err != nil {
			t.Fatal(err)
		}
		return putStage(t, c, "api", "dev", "d1", nil)
	}())
	expect("well again", "api/dev route join: target integrations/none does not exist")
}

func TestAwaitEnds(t *testing.T) {
	t.Parallel()
	r := New(Options{Configuration: store.NewConfiguration(store.NewMemory(), nil), Compiler: compiler(), Gateway: &node{}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Await(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := r.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := r.Await(t.Context(), 1); !errors.Is(err, ErrStopped) {
		t.Errorf("stopped: %v", err)
	}
}

// flaky is a store whose first reads fail.
type flaky struct {
	*store.Memory
	failures atomic.Int32
}

func (f *flaky) Get(ctx context.Context, key string) (store.Record, error) {
	if f.failures.Add(-1) >= 0 {
		return store.Record{}, fmt.Errorf("%w: it is down", store.ErrUnavailable)
	}
	return f.Memory.Get(ctx, key)
}

// A stage whose deployment the store does not give is tried again.
func TestRetries(t *testing.T) {
	t.Parallel()
	s := &flaky{Memory: store.NewMemory()}
	s.failures.Store(3)
	c := store.NewConfiguration(s.Memory, nil)
	putAPI(t, c, mockAPI("api"), "d1")
	putStage(t, c, "api", "dev", "d1", nil)
	putStage(t, c, "api", "prod", "d1", nil)
	if got := start(t, s).serving(); got != "api/devmap[] api/prodmap[]" {
		t.Errorf("serving %q", got)
	}
}

// The same with the storage of production: a change by one node is in effect
// on another, and after a restart.
func TestNodesOfOneStore(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("running", func(t *testing.T) {
		here, there := start(t, s), start(t, s)
		putAPI(t, here.configuration, mockAPI("api"), "d1")
		for i := range 10 {
			began := time.Now()
			revision := putStage(t, here.configuration, "api", "dev", "d1", map[string]string{"i": fmt.Sprint(i)})
			written := time.Since(began)
			here.await(t, revision)
			there.await(t, revision)
			t.Logf("written in %v, in effect everywhere %v later", written, time.Since(began)-written)
			if want := fmt.Sprintf("api/devmap[i:%d]", i); here.serving() != want || there.serving() != want {
				t.Errorf("serving %q and %q, want %q", here.serving(), there.serving(), want)
			}
		}
	})
	s.Close()
	if s, err = store.Open(t.Context(), store.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if got := start(t, s).serving(); got != "api/devmap[i:9]" {
		t.Errorf("after the restart: serving %q", got)
	}
}
