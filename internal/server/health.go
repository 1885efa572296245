package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"

	"github.com/stagedoor/stagedoor/internal/store"
)

// health is what /readyz tells.
type health struct {
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

// setStore takes note of whether the store can be reached, and says whether
// that is news.
func (h *health) setStore(err error) (changed bool) {
	h.update(func() {
		changed = (h.store == nil) != (err == nil) || errors.Is(h.store, store.ErrRefused) != errors.Is(err, store.ErrRefused)
		h.store = err
	})
	return changed
}

// isStopping reports whether the gateway has begun to stop.
func (h *health) isStopping() (stopping bool) {
	h.update(func() { stopping = h.stopping })
	return stopping
}

// setOpened takes note of a store that was read, and what of it is damaged.
func (h *health) setOpened(damage bool, damaged []string) {
	h.update(func() { h.opened, h.damage, h.damaged = true, damage, damaged })
}

// isSynced tells whether the configuration was read once.
func (h *health) isSynced() (synced bool) {
	h.update(func() { synced = h.synced })
	return synced
}

func (h *health) update(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// healthAnswer is what is told of health.
type healthAnswer struct {
	Status string `json:"status"`          // starting, ready or stopping
	Store  string `json:"store,omitempty"` // opening, available, damaged or unavailable
	Error  string `json:"storeError,omitempty"`
	// Damaged are the keys of records that the store lost.
	Damaged []string `json:"damaged,omitempty"`
}

// answer says how the gateway is, with the HTTP status for it. A gateway whose
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
