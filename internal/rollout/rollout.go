// Package rollout keeps what a gateway serves in step with the configuration
// store: it watches APIs, stages, domain names, API keys and VPC links, compiles
// the plan of every stage that changes, and puts it on the gateway. `stagedoor serve` runs one.
//
// A store that is gone changes nothing: the gateway goes on with the plans
// that it has, and what was written meanwhile is put into effect once the store
// is back.
package rollout

import (
	"context"
	"errors"
	"sync"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/store"
)

// Gateway serves plans. Its methods are called by several goroutines, but for
// one stage by one at a time.
type Gateway interface {
	Deploy(*plan.Stage)
	Remove(apiID, stage string)
	SetDomains(map[string][]gateway.Mapping)
}

// Compiler makes plans. It is called by several goroutines.
type Compiler interface {
	Compile(*apigw.Deployment, *apigw.Stage) (*plan.Stage, []plan.Defect, error)
}

// Options configure a Rollout.
type Options struct {
	Configuration *store.Configuration
	Compiler      Compiler
	Gateway       Gateway
	// Keys gets the API keys and usage plans; it may be nil.
	Keys Keys
	// Links gets the VPC links; it may be nil.
	Links Links
	// Damaged are the keys of records that the store lost. An API of which one is
	// missing is not served at all.
	Damaged []string
	// Report is called with what cannot work as configured, once for as long as
	// it stays so, by several goroutines. It may be nil.
	Report func(Finding)
}

// Finding is a part of the configuration that cannot work, and why. The rest
// works.
type Finding struct {
	APIID, Stage string
	// Where is the part of the stage, "route join" for example, and empty when
	// it is the whole stage: that goes on as it was before.
	Where   string
	Message string
}

// ErrStopped is the error of Await after Run has ended.
var ErrStopped = errors.New("the configuration is not followed any more")

// Rollout follows the configuration. Run must be called once.
type Rollout struct {
	configuration *store.Configuration
	compiler      Compiler
	gateway       Gateway
	keys          Keys  // nil: nobody wants them
	links         Links // nil: nobody wants them
	report        func(Finding)

	ready   chan struct{} // closed when all that was there is in effect
	stopped chan struct{} // closed when Run has ended

	mu      sync.Mutex // guards the following
	apis    map[string]bool
	stages  map[stageKey]*apigw.Stage
	domains map[string]*apigw.DomainName
	clients keyRecords
	vpc     map[string]*apigw.VpcLink
	damaged map[string]*damage // by API
	pending work
	// complete is set once everything is known that was in the store at the
	// start.
	complete bool
	changed  chan struct{} // has one element when there is work
	applied  uint64        // every write up to this revision is in effect
	advanced chan struct{} // closed when applied rises

	// served is used by apply alone; an entry by the one goroutine that applies
	// its stage.
	served map[stageKey]*service
	// keyProblems and linkProblems are those that were reported and are still
	// there. They are used by apply alone.
	keyProblems, linkProblems map[Finding]bool
}

type stageKey struct{ apiID, name string }

// work is what changed since it was applied last.
type work struct {
	stages  map[stageKey]bool
	domains bool
	keys    bool
	links   bool
	seen    uint64 // the revision of the last change
}

// New makes a Rollout. It does nothing until it runs.
func New(o Options) *Rollout {
	r := &Rollout{
		configuration: o.Configuration, compiler: o.Compiler, gateway: o.Gateway, keys: o.Keys, links: o.Links, report: o.Report,
		clients: newKeyRecords(), vpc: make(map[string]*apigw.VpcLink),
		ready: make(chan struct{}), stopped: make(chan struct{}),
		apis: make(map[string]bool), stages: make(map[stageKey]*apigw.Stage), domains: make(map[string]*apigw.DomainName),
		damaged: make(map[string]*damage),
		pending: work{stages: make(map[stageKey]bool)},
		changed: make(chan struct{}, 1), advanced: make(chan struct{}),
		served: make(map[stageKey]*service),
	}
	if r.report == nil {
		r.report = func(Finding) {}
	}
	for _, key := range o.Damaged {
		r.noteDamageLocked(key) // no other goroutine has r yet
	}
	return r
}

// Run follows the configuration until ctx ends, which is no error, or the
// store is closed. What was put on the gateway stays.
func (r *Rollout) Run(ctx context.Context) error {
	defer close(r.stopped)
	ctx, cancel := context.WithCancel(ctx)
	var applying sync.WaitGroup
	applying.Go(func() { r.apply(ctx) })
	watched := []string{
		r.configuration.APIs.Prefix(), r.configuration.Stages.Prefix(), r.configuration.DomainNames.Prefix(),
		r.configuration.ApiKeys.Prefix(), r.configuration.UsagePlans.Prefix(), r.configuration.VpcLinks.Prefix(),
	}
	err := r.configuration.Store.Watch(ctx, watched, r.note, r.noteComplete)
	ended := ctx.Err() != nil
	cancel()
	applying.Wait()
	if ended {
		return nil
	}
	return err
}

// Ready is closed when the configuration that there was at the start is in
// effect.
func (r *Rollout) Ready() <-chan struct{} { return r.ready }

// Await returns when a write is in effect on this node: a change of an API, a
// stage, a domain name, an API key, a usage plan or a VPC link is given by its
// revision. The error is that of ctx, or ErrStopped.
func (r *Rollout) Await(ctx context.Context, revision uint64) error {
	for {
		r.mu.Lock()
		done, advanced := r.complete && r.applied >= revision, r.advanced
		r.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return ctx.Err()
		case <-r.stopped:
			return ErrStopped
		}
	}
}
