package rollout

import (
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// note records what has to be done about a change of the configuration. A
// record that cannot be read changes nothing; its collection reports it.
func (r *Rollout) note(change store.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending.seen = max(r.pending.seen, change.Revision); isDamaged(change) && !r.complete {
		r.noteDamageLocked(change.Key)
	}
	if id, ours := r.configuration.APIs.Identify(change.Key); ours {
		r.noteAPILocked(id[0], !change.Deleted)
	} else if event, ours := r.configuration.Stages.Event(change); ours {
		r.noteStageLocked(event)
	} else if event, ours := r.configuration.DomainNames.Event(change); ours {
		r.noteDomainLocked(event)
	} else if r.clients.note(r.configuration, change) {
		r.pending.keys = true
	} else if event, ours := r.configuration.VpcLinks.Event(change); ours {
		r.noteLinkLocked(event)
	}
	r.wakeLocked()
}

// noteAPILocked records that an API exists, or does not any more. A stage is
// served as long as its API exists. What is in the API does not matter,
// deployments hold snapshots of it.
func (r *Rollout) noteAPILocked(id string, exists bool) {
	if r.apis[id] == exists {
		return
	}
	if exists {
		r.apis[id] = true
	} else {
		delete(r.apis, id)
	}
	for key := range r.stages {
		if key.apiID == id {
			r.pending.stages[key] = true
		}
	}
}

// Recompile compiles all stages again, because what the compiler makes of them
// has changed, and puts the new plans on the gateway. It does not wait for
// that.
func (r *Rollout) Recompile() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recompileLocked()
	r.wakeLocked()
}

func (r *Rollout) recompileLocked() {
	for key := range r.stages {
		r.pending.stages[key] = true
	}
}

func (r *Rollout) noteStageLocked(event store.Event[apigw.Stage]) {
	if event.Err != nil {
		return
	}
	key := stageKey{event.ID[0], event.ID[1]}
	if event.Deleted {
		delete(r.stages, key)
	} else {
		r.stages[key] = event.Value
	}
	r.pending.stages[key] = true
	if r.damaged[key.apiID] != nil { // whether the others are served may hang on this one
		for other := range r.stages {
			if other.apiID == key.apiID {
				r.pending.stages[other] = true
			}
		}
	}
}

func (r *Rollout) noteDomainLocked(event store.Event[apigw.DomainName]) {
	if event.Err != nil {
		return
	}
	if event.Deleted {
		delete(r.domains, event.ID[0])
	} else {
		r.domains[event.ID[0]] = event.Value
	}
	r.pending.domains = true
}

// noteComplete records that the configuration is known as it was at the start.
func (r *Rollout) noteComplete() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.complete = true
	r.reportWithheldLocked()
	r.pending.domains = true
	r.pending.keys = true
	r.pending.links = true
	r.wakeLocked()
}

// wakeLocked wakes apply, but not before the configuration is complete: at the
// start everything is put into effect at once.
func (r *Rollout) wakeLocked() {
	if !r.complete {
		return
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}
