package rollout

import (
	"errors"

	"github.com/stagedoor/stagedoor/internal/store"
)

// damage is the parts of an API that the store had lost when the gateway
// started.
type damage struct {
	whole       bool            // the API itself or a stage
	deployments map[string]bool // they matter where a stage points at them
}

// noteDamageLocked records that the store lost a record. A record that is lost
// later on is treated like one that cannot be read: what it described before
// goes on.
func (r *Rollout) noteDamageLocked(key string) {
	c := r.configuration
	if id, ours := c.APIs.Identify(key); ours {
		r.damageLocked(id[0]).whole = true
	} else if id, ours := c.Stages.Identify(key); ours && len(id) == 2 {
		r.damageLocked(id[0]).whole = true
	} else if id, ours := c.Deployments.Identify(key); ours && len(id) == 2 {
		r.damageLocked(id[0]).deployments[id[1]] = true
	}
}

func (r *Rollout) damageLocked(apiID string) *damage {
	if r.damaged[apiID] == nil {
		r.damaged[apiID] = &damage{deployments: make(map[string]bool)}
	}
	return r.damaged[apiID]
}

// isDamaged reports whether a change tells of a record that the store lost.
func isDamaged(change store.Change) bool { return errors.Is(change.Err, store.ErrDamaged) }

// isWithheldLocked reports whether an API is not served because a part that it
// needs is damaged. Half an API would be another API.
func (r *Rollout) isWithheldLocked(apiID string) bool {
	d := r.damaged[apiID]
	if d == nil {
		return false
	}
	if d.whole {
		return true
	}
	for key, stage := range r.stages {
		if key.apiID == apiID && d.deployments[stage.DeploymentId] {
			return true
		}
	}
	return false
}

// reportWithheldLocked reports the APIs that are not served.
func (r *Rollout) reportWithheldLocked() {
	for id := range r.damaged {
		if r.isWithheldLocked(id) {
			r.report(Finding{APIID: id, Message: "the API is not served, because a part of it is damaged in the store"})
		}
	}
}
