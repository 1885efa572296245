package rollout

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/store"
)

// retryTime is the pause before a stage is tried again whose deployment could
// not be read from the store.
const retryTime = 200 * time.Millisecond

// service is a stage on the gateway.
type service struct {
	deployed bool
	problems map[Finding]bool // those that were reported and are still there
}

// task is a stage that has to be put into effect as it is in the configuration
// now. A nil record stands for a stage that is not served any more.
type task struct {
	key     stageKey
	record  *apigw.Stage
	service *service
}

// apply puts work into effect as it comes, until ctx ends.
func (r *Rollout) apply(ctx context.Context) {
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		case <-retry:
		}
		b := r.take()
		if b.keys != nil {
			r.applyKeys(b.keys)
		}
		if b.links != nil {
			r.applyLinks(b.links)
		}
		failed := r.applyStages(ctx, b.stages)
		if b.domains != nil {
			r.gateway.SetDomains(b.domains)
		}
		if retry = nil; len(failed) > 0 {
			r.putBack(failed)
			retry = time.After(retryTime)
			continue
		}
		r.advance(b.seen)
	}
}

// batch is what apply puts into effect in one go. A part that is nil did not
// change.
type batch struct {
	stages  []task
	domains map[string][]gateway.Mapping
	keys    *keyList
	links   []*apigw.VpcLink
	seen    uint64
}

// take takes all work that has come up since.
func (r *Rollout) take() batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := batch{seen: r.pending.seen}
	for key := range r.pending.stages {
		t := task{key: key, service: r.served[key]}
		if s := r.stages[key]; s != nil && s.DeploymentId != "" && r.apis[key.apiID] && !r.isWithheldLocked(key.apiID) {
			t.record = s
		}
		if t.service == nil {
			t.service = &service{problems: make(map[Finding]bool)}
			r.served[key] = t.service
		}
		b.stages = append(b.stages, t)
	}
	if r.pending.domains {
		b.domains = mappings(r.domains)
	}
	if r.pending.keys && r.keys != nil {
		b.keys = r.clients.list()
	}
	if r.pending.links && r.links != nil {
		b.links = r.linksLocked()
	}
	r.pending = work{stages: make(map[stageKey]bool), seen: b.seen}
	return b
}

// putBack makes failed stages part of the next batch, unless they have changed
// meanwhile.
func (r *Rollout) putBack(failed []stageKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range failed {
		r.pending.stages[key] = true
	}
}

// advance wakes the callers of Await: everything up to a revision is in effect.
func (r *Rollout) advance(revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.applied = revision
	close(r.advanced)
	r.advanced = make(chan struct{})
	select {
	case <-r.ready:
	default:
		close(r.ready)
	}
}

// applyStages puts stages into effect, several at a time, and returns those
// whose deployment could not be read from the store.
func (r *Rollout) applyStages(ctx context.Context, tasks []task) []stageKey {
	var mu sync.Mutex // guards failed
	var failed []stageKey
	queue := make(chan task)
	var workers sync.WaitGroup
	for range min(len(tasks), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for t := range queue {
				if !r.applyStage(ctx, t) {
					mu.Lock()
					failed = append(failed, t.key)
					mu.Unlock()
				}
			}
		})
	}
	for _, t := range tasks {
		queue <- t
	}
	close(queue)
	workers.Wait()
	for _, t := range tasks {
		if t.record == nil {
			delete(r.served, t.key)
		}
	}
	return failed
}

// applyStage puts a stage into effect. It reports whether it could: false means
// that the deployment could not be read, and that the stage is to be tried
// again.
func (r *Rollout) applyStage(ctx context.Context, t task) bool {
	if t.record == nil {
		if t.service.deployed {
			r.gateway.Remove(t.key.apiID, t.key.name)
		}
		return true
	}
	deployment, _, err := r.configuration.Deployments.Get(ctx, t.key.apiID, t.record.DeploymentId)
	var unreadable *store.RecordError
	switch {
	case err == nil:
	case errors.Is(err, store.ErrNotFound):
		t.tell(r.report, []plan.Defect{{Message: fmt.Sprintf("deployment %s does not exist", t.record.DeploymentId)}})
		return true
	case errors.As(err, &unreadable):
		t.tell(r.report, []plan.Defect{{Message: err.Error()}})
		return true
	default:
		return false
	}
	compiled, problems, err := r.compiler.Compile(deployment, t.record)
	if err != nil {
		t.tell(r.report, []plan.Defect{{Message: err.Error()}})
		return true
	}
	r.gateway.Deploy(compiled)
	t.service.deployed = true
	t.tell(r.report, problems)
	return true
}

// tell reports the problems that are new.
func (t task) tell(report func(Finding), problems []plan.Defect) {
	present := make(map[Finding]bool, len(problems))
	for _, p := range problems {
		problem := Finding{t.key.apiID, t.key.name, p.Where, p.Message}
		if present[problem] = true; !t.service.problems[problem] {
			report(problem)
		}
	}
	t.service.problems = present
}

// mappings returns what the gateway needs of domain names: their mappings, by
// name. A domain name without mappings is there too, because a wildcard must
// not take its place.
func mappings(domains map[string]*apigw.DomainName) map[string][]gateway.Mapping {
	byName := make(map[string][]gateway.Mapping, len(domains))
	for _, d := range domains {
		list := make([]gateway.Mapping, 0, len(d.ApiMappings))
		for _, m := range d.ApiMappings {
			list = append(list, gateway.Mapping{Key: m.ApiMappingKey, APIID: m.ApiId, Stage: m.Stage})
		}
		byName[strings.ToLower(d.DomainName)] = list
	}
	return byName
}
