package rollout

import (
	"maps"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// Links takes the VPC links of the configuration, all at once, before the
// stages that use them are compiled.
type Links interface {
	// Replace replaces all VPC links by these. It returns an error for each
	// that cannot be used; the others are in effect. It is called by one
	// goroutine at a time.
	Replace([]*apigw.VpcLink) []error
}

// noteLinkLocked records a change of a VPC link. Where a link leads is part of
// plans, so all stages are compiled again. A link that cannot be read stays as
// it was.
func (r *Rollout) noteLinkLocked(event store.Event[apigw.VpcLink]) {
	if event.Err != nil || r.links == nil {
		return
	}
	set(r.vpc, event)
	r.pending.links = true
	r.recompileLocked()
}

// linksLocked returns the VPC links in the order of their ids.
func (r *Rollout) linksLocked() []*apigw.VpcLink {
	links := make([]*apigw.VpcLink, 0, len(r.vpc))
	for _, id := range slices.Sorted(maps.Keys(r.vpc)) {
		links = append(links, r.vpc[id])
	}
	return links
}

// applyLinks puts VPC links into effect, and reports problems that are new.
func (r *Rollout) applyLinks(links []*apigw.VpcLink) {
	r.linkProblems = r.tell("VPC links", r.links.Replace(links), r.linkProblems)
}

// tell reports the problems of a part of the configuration that were not there
// before, and returns all that are there.
func (r *Rollout) tell(where string, problems []error, before map[Finding]bool) map[Finding]bool {
	present := make(map[Finding]bool, len(problems))
	for _, err := range problems {
		problem := Finding{Where: where, Message: err.Error()}
		if present[problem] = true; !before[problem] {
			r.report(problem)
		}
	}
	return present
}
