package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/stagedoor/stagedoor/internal/store"
)

// health is the state that /readyz answers with. What becomes of the store is logged.
type health struct {
	log *slog.Logger

	mu       sync.Mutex // guards the following
	synced   bool       // the configuration was read once, and is served
	stopping bool
	store    error    // why the store cannot be reached; nil when it can
	opened   bool     // the store was read
	damage   bool     // something in the store is damaged
	damaged  []string // the keys of that, as far as they are known
}

func (h *health) setSynced()   { h.update(func() { h.synced = true }) }
func (h *health) setStopping() { h.update(func() { h.stopping = true }) }

// storeUp is 1 while the store can be reached, else 0.
func (h *health) storeUp() (up float64) {
	h.update(func() {
		if h.opened && h.store == nil {
			up = 1
		}
	})
	return up
}

// isStopping reports whether the gateway has begun to stop.
func (h *health) isStopping() (stopping bool) {
	h.update(func() { stopping = h.stopping })
	return stopping
}

// noteStore takes note of whether the store can be reached; err is why it cannot,
// nil when it can.
func (h *health) noteStore(err error) {
	var changed, synced bool
	h.update(func() {
		changed = (h.store == nil) != (err == nil) || errors.Is(h.store, store.ErrRefused) != errors.Is(err, store.ErrRefused)
		h.store, synced = err, h.synced
	})
	switch {
	case !changed:
	case errors.Is(err, store.ErrRefused):
		h.log.Error("the configuration store refuses this gateway: look at the keys below nats in its configuration, and at the NATS servers' users; it is tried again", "error", err)
	case err != nil && !synced:
		h.log.Error("the configuration store does not answer; the gateway starts when it does", "error", err)
	case err != nil:
		h.log.Error("the configuration store does not answer; what is deployed goes on", "error", err)
	default:
		h.log.Info("the configuration store answers again")
	}
}

// noteDamage takes note of a store that was read, and of what it lost, nil for
// nothing.
func (h *health) noteDamage(d *store.Damage) {
	h.update(func() { h.opened, h.damage, h.damaged = true, d != nil, shortList(d.Keys()) })
	if d == nil {
		return
	}
	for _, l := range d.Losses {
		h.log.Error("a record of the configuration is damaged: it is neither served nor written", "key", l.Key, "reason", l.Reason)
	}
	h.log.Error("the configuration store is damaged; what is whole is served", "records", len(d.Losses), "unknown", d.Unknown, "places", d.Places, "folder", d.Dir, "repair", d.Advice())
}

func (h *health) update(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// healthAnswer is the answer of /readyz.
type healthAnswer struct {
	Status string `json:"status"`          // starting, ready or stopping
	Store  string `json:"store,omitempty"` // opening, available, damaged or unavailable
	Error  string `json:"storeError,omitempty"`
	// Damaged are the keys of records that the store lost.
	Damaged []string `json:"damaged,omitempty"`
}

// answer returns the answer of /readyz and its HTTP status. A gateway whose
// store is gone goes on with what it has, and is ready.
func (h *health) answer() (r healthAnswer, status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.Status, r.Store, status = "ready", "available", http.StatusOK
	switch {
	case h.stopping:
		r.Status, status = "stopping", http.StatusServiceUnavailable
	case !h.synced:
		r.Status, status = "starting", http.StatusServiceUnavailable
	}
	switch {
	case h.damage:
		r.Store, r.Damaged = "damaged", h.damaged
	case !h.opened:
		r.Store = "opening"
	}
	if h.store != nil {
		r.Store, r.Error = "unavailable", h.store.Error()
	}
	return r, status
}

// ServeHTTP answers /readyz.
func (h *health) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r, status := h.answer()
	r.writeTo(w, status)
}

func (r healthAnswer) writeTo(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(r) // the client may be gone
}

// publicHealth is the path of health on the public ports.
const publicHealth = "/_stagedoor/health"

// public puts health before a handler of a public port. What the store is called
// and what ails it is nothing for strangers.
func (h *health) public(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != publicHealth || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		told, status := h.answer()
		healthAnswer{Status: told.Status}.writeTo(w, status)
	})
}

// shownDamage is how many keys of damaged records /readyz names.
const shownDamage = 100

// shortList returns the first shownDamage of keys, and how many more there are.
func shortList(keys []string) []string {
	if len(keys) <= shownDamage {
		return keys
	}
	return append(keys[:shownDamage:shownDamage], fmt.Sprintf("and %d more", len(keys)-shownDamage))
}
